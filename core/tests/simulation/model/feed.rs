use std::collections::BTreeSet;

use safescan_core::{
    model::{QrHash, UnixMillis},
    protocol::{Change, RegisterChange, VoteChange},
};

use super::Server;

/// A page of what changed.
pub(super) struct Page {
    pub(super) changes: Vec<Change>,
    pub(super) cursor: String,
    pub(super) has_more: bool,
}

impl Server {
    /// Reads a cursor; `None` if it is none of this age.
    pub(super) fn parse_cursor(&self, cursor: Option<&str>) -> Option<i64> {
        let Some(cursor) = cursor else { return Some(0) };
        let (age, rev) = cursor.split_once('.')?;
        (age == self.age.to_string()).then(|| rev.parse().ok())?
    }

    /// What an account may see of what changed after a revision, the oldest first.
    pub(super) fn page_after(
        &self,
        after: i64,
        account: &str,
        topics: &[String],
        limit: usize,
        now: UnixMillis,
    ) -> Page {
        let mut all = self.changes_after(after, account, topics, now);
        all.sort_by_key(|(rev, _)| *rev);
        let has_more = all.len() > limit;
        all.truncate(limit);
        let last = if has_more { all.last().map_or(after, |(rev, _)| *rev) } else { self.registers.revision() };
        let changes = all.into_iter().map(|(_, change)| change).collect();
        Page { changes, cursor: format!("{}.{last}", self.age), has_more }
    }

    fn changes_after(&self, after: i64, account: &str, topics: &[String], now: UnixMillis) -> Vec<(i64, Change)> {
        let registers = &self.registers;
        let mut all = Vec::new();
        let mut subjects: BTreeSet<QrHash> = registers
            .ratings
            .keys()
            .filter(|subject| topics.iter().any(|topic| subject.to_string().starts_with(topic)))
            .copied()
            .collect();
        for ((code, voter), register) in registers.votes.iter().filter(|(_, register)| register.account == account) {
            subjects.insert(*code);
            subjects.extend(register.host.map(|(host, _)| host));
            let (vote, at, rev) = (register.choice, register.stamp.at, register.rev);
            all.push((rev, Change::Vote(VoteChange { qr_hash: *code, voter: *voter, vote, at, rev })));
        }
        // Only what is asked for is computed: it takes all votes every time.
        for subject in subjects.iter().filter(|subject| registers.ratings.get(subject).is_some_and(|rev| *rev > after))
        {
            let rating = registers.rating(subject, account, now);
            all.push((rating.rev, Change::Rating(rating)));
        }
        for ((_, key), kept) in registers.scans.iter().filter(|((owner, _), _)| owner == account) {
            let (key, rev, at, body) = (key.clone(), kept.rev, kept.stamp.at, kept.body.clone());
            let deleted = body.is_none();
            let change = RegisterChange { key, rev, at, body };
            all.push((rev, if deleted { Change::ScanDeleted(change) } else { Change::Scan(change) }));
        }
        for ((_, key), kept) in registers.settings.iter().filter(|((owner, _), _)| owner == account) {
            let (key, rev, at, body) = (key.clone(), kept.rev, kept.stamp.at, kept.body.clone());
            all.push((rev, Change::Setting(RegisterChange { key, rev, at, body })));
        }
        all.retain(|(rev, _)| *rev > after);
        all
    }
}
