use std::sync::Arc;

use serde_json::Value;

use super::{Context, outgoing::setting_stored};
use crate::{
    error::Result,
    limits::check_range,
    model::{Event, Settings, SettingsUpdate},
    storage::settings::{self, Setting},
};

/// The longest retention, in days: a century, that is, for ever.
const MAX_RETENTION_DAYS: i64 = 36_500;

/// What the app's user has chosen.
pub struct SettingsStore(pub(crate) Arc<Context>);

impl SettingsStore {
    /// All settings.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn read(&self) -> Result<Settings> {
        let stored = self.0.read(settings::all).await?;
        Ok(from_stored(&stored))
    }

    /// Changes settings and returns them all.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be written.
    pub async fn update(&self, update: SettingsUpdate) -> Result<Settings> {
        for (field, days) in
            [("scan_retention_days", update.scan_retention_days), ("vote_retention_days", update.vote_retention_days)]
        {
            check_range(field, days.unwrap_or_default().into(), 0, MAX_RETENTION_DAYS)?;
        }
        let share = self.0.config.sync.as_ref().is_some_and(|sync| sync.share_settings);
        self.0.recall_server().await;
        let now = self.0.time();
        self.0
            .store
            .write(move |tx| {
                let changes = changes(&update);
                let before = settings::all(tx.connection)?;
                for (name, value) in &changes {
                    // Times of one register grow strictly, whatever the clock does: the last word holds.
                    let earliest = before.iter().find(|before| before.name == *name).map(|before| before.at.plus(1));
                    let at = earliest.map_or(now, |earliest| earliest.max(now));
                    tx.set_setting(name, value.to_string(), at)?;
                    if share {
                        setting_stored(tx, name, value, at)?;
                    }
                }
                if !changes.is_empty() {
                    tx.emit(Event::SettingsChanged);
                }
                Ok(from_stored(&settings::all(tx.connection)?))
            })
            .await
    }
}

// Names as they are stored and sent: they never change.
pub(super) const NOTIFICATIONS: &str = "notifications";
pub(super) const AUTO_SYNC: &str = "autoSync";
const SCAN_RETENTION_DAYS: &str = "scanRetentionDays";
const VOTE_RETENTION_DAYS: &str = "voteRetentionDays";

fn changes(update: &SettingsUpdate) -> Vec<(&'static str, Value)> {
    let all = [
        (NOTIFICATIONS, update.notifications.map(Value::from)),
        (AUTO_SYNC, update.auto_sync.map(Value::from)),
        (SCAN_RETENTION_DAYS, update.scan_retention_days.map(Value::from)),
        (VOTE_RETENTION_DAYS, update.vote_retention_days.map(Value::from)),
    ];
    all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

/// What is stored, and the defaults for the rest. A value of another type (of a later version, say) counts as not stored.
fn from_stored(stored: &[Setting]) -> Settings {
    let value = |name: &str| -> Option<Value> {
        let setting = stored.iter().find(|setting| setting.name == name)?;
        serde_json::from_str(&setting.value).ok()
    };
    let flag = |name, default| value(name).and_then(|value| value.as_bool()).unwrap_or(default);
    let days = |name, default| value(name).and_then(|value| u32::try_from(value.as_u64()?).ok()).unwrap_or(default);
    let defaults = Settings::default();
    Settings {
        notifications: flag(NOTIFICATIONS, defaults.notifications),
        auto_sync: flag(AUTO_SYNC, defaults.auto_sync),
        scan_retention_days: days(SCAN_RETENTION_DAYS, defaults.scan_retention_days),
        vote_retention_days: days(VOTE_RETENTION_DAYS, defaults.vote_retention_days),
    }
}
