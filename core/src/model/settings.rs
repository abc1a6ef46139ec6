/// What the user of the app has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether the app may notify.
    pub notifications: bool,
    /// Whether changes are sent without being asked.
    pub auto_sync: bool,
    /// Scans older than this many days are cleaned up; 0 keeps them.
    pub scan_retention_days: u32,
    /// Own votes older than this many days are cleaned up; 0 keeps them.
    pub vote_retention_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { notifications: true, auto_sync: true, scan_retention_days: 0, vote_retention_days: 0 }
    }
}

/// The settings to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsUpdate {
    /// See [`Settings::notifications`].
    pub notifications: Option<bool>,
    /// See [`Settings::auto_sync`].
    pub auto_sync: Option<bool>,
    /// See [`Settings::scan_retention_days`].
    pub scan_retention_days: Option<u32>,
    /// See [`Settings::vote_retention_days`].
    pub vote_retention_days: Option<u32>,
}
