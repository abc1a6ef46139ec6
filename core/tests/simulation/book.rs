//! What the apps were told is stored: the measure of everything that is read later.

use std::collections::{BTreeMap, BTreeSet};

use safescan_core::model::{QrHash, Scan, ScanId, Settings, SettingsUpdate, VoteChoice, VoterId};

use crate::deeds::Subject;

/// All acknowledged writes of a run.
#[derive(Default)]
pub(crate) struct Book {
    /// By subject and voter, in the order of the acknowledgements.
    casts: BTreeMap<(QrHash, VoterId), Vec<Cast>>,
    /// By account.
    scans: BTreeMap<String, BTreeMap<ScanId, Noted>>,
    /// By account and setting.
    settings: BTreeMap<(String, &'static str), Vec<(usize, u64)>>,
    /// By phone and key.
    values: BTreeMap<(usize, String), String>,
    /// Everybody who ever voted on a subject, or may have.
    voters: BTreeMap<QrHash, BTreeSet<VoterId>>,
}

/// A vote, or its retraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cast {
    pub(crate) phone: usize,
    pub(crate) choice: Option<VoteChoice>,
}

/// A scan, and what became of it.
pub(crate) struct Noted {
    pub(crate) scan: Scan,
    pub(crate) phone: usize,
    pub(crate) deleted: bool,
}

impl Book {
    pub(crate) fn cast(&mut self, phone: usize, subject: Subject, voter: VoterId, choice: Option<VoteChoice>) {
        self.casts.entry((subject.hash(), voter)).or_default().push(Cast { phone, choice });
        self.may_vote(subject, voter);
    }

    /// Somebody is about to vote.
    pub(crate) fn may_vote(&mut self, subject: Subject, voter: VoterId) {
        self.voters.entry(subject.hash()).or_default().insert(voter);
    }

    pub(crate) fn voters(&self, subject: &QrHash) -> usize {
        self.voters.get(subject).map_or(0, BTreeSet::len)
    }

    pub(crate) fn casts(&self, subject: &QrHash, voter: &VoterId) -> &[Cast] {
        self.casts.get(&(*subject, *voter)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn all_casts(&self) -> impl Iterator<Item = (&(QrHash, VoterId), &Vec<Cast>)> {
        self.casts.iter()
    }

    /// What a phone may show as a voter's vote: its own last word, or somebody's on another device of that voter.
    pub(crate) fn may_show(&self, phone: usize, subject: &QrHash, voter: &VoterId) -> Vec<Option<VoteChoice>> {
        let casts = self.casts(subject, voter);
        let own = casts.iter().rposition(|cast| cast.phone == phone);
        let others = casts.iter().filter(|cast| cast.phone != phone).map(|cast| cast.choice);
        own.map_or(vec![None], |last| vec![casts[last].choice]).into_iter().chain(others).collect()
    }

    /// What may stand in the end: of every device the last word; of those with something parked any, for the last may be
    /// among it.
    pub(crate) fn may_stand(
        &self,
        subject: &QrHash,
        voter: &VoterId,
        parked: &BTreeSet<usize>,
    ) -> Vec<Option<VoteChoice>> {
        let casts = self.casts(subject, voter);
        let mut last = BTreeMap::new();
        last.extend(casts.iter().map(|cast| (cast.phone, cast.choice)));
        let any = casts.iter().filter(|cast| parked.contains(&cast.phone)).map(|cast| cast.choice);
        last.into_values().chain(any).collect()
    }

    pub(crate) fn scanned(&mut self, account: &str, phone: usize, scan: Scan) {
        let noted = Noted { scan, phone, deleted: false };
        self.scans.entry(account.to_owned()).or_default().insert(noted.scan.id, noted);
    }

    pub(crate) fn scan_deleted(&mut self, account: &str, id: ScanId) {
        if let Some(noted) = self.scans.get_mut(account).and_then(|scans| scans.get_mut(&id)) {
            noted.deleted = true;
        }
    }

    pub(crate) fn scans(&self, account: &str) -> impl Iterator<Item = &Noted> {
        self.scans.get(account).into_iter().flat_map(BTreeMap::values)
    }

    pub(crate) fn set(&mut self, account: &str, phone: usize, update: &SettingsUpdate) {
        for (name, value) in numbers(update) {
            self.settings.entry((account.to_owned(), name)).or_default().push((phone, value));
        }
    }

    /// What is wrong with the settings that a phone shows, if anything.
    pub(crate) fn settings_wrong(&self, account: &str, phone: usize, shown: &Settings) -> Option<String> {
        let shown = SettingsUpdate {
            notifications: Some(shown.notifications),
            scan_retention_days: Some(shown.scan_retention_days),
            ..SettingsUpdate::default()
        };
        numbers(&shown).into_iter().find_map(|(name, value)| {
            let Some(writes) = self.settings.get(&(account.to_owned(), name)) else {
                let default = u64::from(name == "notifications");
                return (value != default).then(|| format!("setting {name} is {value}, though nobody set it"));
            };
            let own = writes.iter().rev().find(|(writer, _)| *writer == phone).map(|(_, value)| *value);
            let others = writes.iter().filter(|(writer, _)| *writer != phone).map(|(_, value)| *value);
            let default = own.is_none().then_some(u64::from(name == "notifications"));
            let may_be: BTreeSet<u64> = own.into_iter().chain(others).chain(default).collect();
            (!may_be.contains(&value)).then(|| format!("setting {name} is {value}, not one of {may_be:?}"))
        })
    }

    pub(crate) fn kept(&mut self, phone: usize, key: &str, value: &str) {
        self.values.insert((phone, key.to_owned()), value.to_owned());
    }

    pub(crate) fn values(&self, phone: usize) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().filter(move |((owner, _), _)| *owner == phone).map(|((_, key), value)| (&**key, &**value))
    }
}

fn numbers(update: &SettingsUpdate) -> Vec<(&'static str, u64)> {
    let notifications = update.notifications.map(|on| ("notifications", u64::from(on)));
    let days = update.scan_retention_days.map(|days| ("scanRetentionDays", u64::from(days)));
    notifications.into_iter().chain(days).collect()
}
