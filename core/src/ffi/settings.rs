use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{Settings as UserSettings, SettingsUpdate},
};

/// What the app's user has chosen.
#[uniffi::remote(Record)]
pub struct UserSettings {
    /// Whether the app may notify; true at first.
    pub notifications: bool,
    /// Whether changes are sent without being asked; true at first.
    pub auto_sync: bool,
    /// `clean_up` removes scans older than so many days; 0, as at first, keeps them while there is room.
    pub scan_retention_days: u32,
    /// `clean_up` removes own votes older than so many days; 0, as at first, keeps them until they are retracted.
    pub vote_retention_days: u32,
}

/// The settings to change; what is not given stays.
#[uniffi::remote(Record)]
pub struct SettingsUpdate {
    /// See `UserSettings.notifications`.
    #[uniffi(default = None)]
    pub notifications: Option<bool>,
    /// See `UserSettings.auto_sync`.
    #[uniffi(default = None)]
    pub auto_sync: Option<bool>,
    /// See `UserSettings.scan_retention_days`; at most 36,500.
    #[uniffi(default = None)]
    pub scan_retention_days: Option<u32>,
    /// See `UserSettings.vote_retention_days`; at most 36,500.
    #[uniffi(default = None)]
    pub vote_retention_days: Option<u32>,
}

#[uniffi::export]
impl SafeScan {
    /// The user's settings.
    pub async fn settings(&self) -> Result<UserSettings, SafeScanError> {
        self.run(|core| async move { core.settings.read().await }).await
    }

    /// Changes the settings that are given, and returns them all.
    pub async fn update_settings(&self, update: SettingsUpdate) -> Result<UserSettings, SafeScanError> {
        self.run(|core| async move { core.settings.update(update).await }).await
    }
}
