//! What holds at every moment, whatever the network does: a phone shows what it was told, and counts it once.

use std::collections::BTreeSet;

use safescan_core::model::{QrHash, VoteChoice, VoterId};

use crate::{client::Client, deeds::Subject, handset::Handset};

impl<C: Client> Handset<C> {
    /// All that was acknowledged on this phone is there.
    pub(crate) async fn check_everything(&self) {
        if self.client.is_none() {
            return;
        }
        self.check_votes().await;
        self.check_history().await;
        let settings = self.app().settings().await;
        if let Some(settings) = self.expect("reading settings", settings)
            && let Some(wrong) = self.book.borrow().settings_wrong(&self.plan.account, self.number, &settings)
        {
            self.offend(wrong);
        }
        let values: Vec<(String, String)> =
            self.book.borrow().values(self.number).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        for (key, value) in values {
            let shown = self.app().kept(key.clone()).await;
            if self.expect("reading a value", shown).is_some_and(|shown| shown.as_ref() != Some(&value)) {
                self.offend(format_args!("{key} is not what it was set to"));
            }
        }
    }

    /// No vote has changed by itself.
    pub(crate) async fn check_votes(&self) {
        for subject in Subject::all() {
            for user in &self.users {
                let shown = self.app().mine(subject.code(), user.map(str::to_owned)).await;
                let Some(shown) = self.expect("reading a vote", shown) else { continue };
                let voter = shown.as_ref().map(|vote| vote.voter_id).or_else(|| self.voter(subject, *user));
                let Some(voter) = voter else { continue };
                let shown = shown.map(|vote| vote.choice);
                let may_be = self.book.borrow().may_show(self.number, &subject.hash(), &voter);
                if !may_be.contains(&shown) && !self.refused(&voter) {
                    self.offend(format_args!("{user:?}'s vote on {subject:?} is {shown:?}, not one of {may_be:?}"));
                }
            }
        }
    }

    async fn check_history(&self) {
        let history = self.app().history().await;
        let Some(history) = self.expect("reading the history", history) else { return };
        let shown: BTreeSet<_> = history.iter().map(|scan| scan.id).collect();
        if shown.len() != history.len() {
            self.offend("the history holds a scan twice");
        }
        let book = self.book.borrow();
        for noted in book.scans(&self.plan.account) {
            if noted.phone == self.number && !noted.deleted && !shown.contains(&noted.scan.id) {
                self.offend(format_args!("scan {} was acknowledged and is gone", noted.scan.id));
            }
        }
        for scan in &history {
            match book.scans(&self.plan.account).find(|noted| noted.scan.id == scan.id) {
                Some(noted) if noted.scan.text != scan.text => self.offend("a scan has another text than it had"),
                Some(_) => {}
                None => self.offend(format_args!("scan {} was never made", scan.id)),
            }
        }
    }

    /// Whether the server refuses this voter to this account.
    pub(crate) fn refused(&self, voter: &VoterId) -> bool {
        self.grid.server(|server| server.registers.owners.get(voter).is_some_and(|owner| *owner != self.plan.account))
    }

    /// A rating counts every vote of this phone, and nobody twice.
    pub(crate) async fn check_rating(&self, subject: Subject) {
        let rating = self.app().rating(subject.code()).await;
        let Some(rating) = self.expect("reading a rating", rating) else { return };
        let shown = (rating.safe_votes, rating.unsafe_votes);
        self.note(format_args!("reads {shown:?} {:x} {:?}", rating.confidence.to_bits(), rating.source));
        let book = self.book.borrow();
        let most = book.voters(&subject.hash());
        // A vote under a name that another account has is refused, and shown here all the same.
        let strange = self.users.iter().filter_map(|user| self.voter(subject, *user)).any(|voter| self.refused(&voter));
        if rating.total_votes as usize > most && !strange {
            self.offend(format_args!("{subject:?} has {shown:?} votes of {most} voters"));
        }
        let (safe, unsafe_) = (self.standing(&subject, VoteChoice::Safe), self.standing(&subject, VoteChoice::Unsafe));
        if rating.safe_votes < safe || rating.unsafe_votes < unsafe_ {
            self.offend(format_args!("{subject:?} has {shown:?} votes, {:?} of them from here", (safe, unsafe_)));
        }
        let sound = (0.0..=1.0).contains(&rating.confidence)
            && rating.lower <= rating.confidence
            && rating.confidence <= rating.upper
            && rating.effective_votes <= f64::from(rating.total_votes)
            && rating.effective_votes >= 0.0999 * f64::from(rating.total_votes);
        if !sound {
            self.offend(format_args!("{subject:?} has an impossible rating: {rating:?}"));
        }
    }

    /// Votes on a subject that can only have been cast here, and stand.
    fn standing(&self, subject: &Subject, choice: VoteChoice) -> u32 {
        let book = self.book.borrow();
        let hash: QrHash = subject.hash();
        let voters: BTreeSet<VoterId> = self.users.iter().filter_map(|user| self.voter(*subject, *user)).collect();
        let here = voters.iter().filter(|voter| !self.refused(voter)).filter(|voter| {
            let casts = book.casts(&hash, voter);
            let alone = casts.iter().all(|cast| cast.phone == self.number);
            alone && casts.last().is_some_and(|cast| cast.choice == Some(choice))
        });
        u32::try_from(here.count()).unwrap_or(0)
    }
}
