//! What must hold in the end: everything has arrived, once, and everybody agrees.

use std::collections::{BTreeMap, BTreeSet};

use safescan_core::{
    model::{
        HealthCause, OperationKind, OperationState, ParkedReason, QrHash, Rating, RatingSource, Service, ServiceState,
        UnixMillis, VoterId,
    },
    qr,
    voting::Score,
};

use crate::{
    client::Client,
    deeds::Subject,
    handset::Handset,
    plan::Kind,
    world::{SETTLING_MS, World},
};

/// How far a phone's corrected clock may be off: the way there and back in fair weather, twice.
const CLOCK_ERROR_MS: i64 = 300;

impl<C: Client> World<'_, C> {
    /// After a run in which the faults never stop: nothing is lost, whether or not it has arrived.
    pub(crate) async fn check_safety(&mut self) {
        for phone in &self.phones {
            phone.check_everything().await;
            for subject in Subject::all() {
                phone.check_rating(subject).await;
            }
        }
    }

    /// Waits until everything has arrived and everybody agrees. Tells how long it took.
    pub(crate) async fn settle(&mut self) -> Option<i64> {
        let begin = self.grid.timeline.ms();
        let drained = self.agree_by(begin + SETTLING_MS, Self::undrained).await;
        let took = self.grid.timeline.ms() - begin;
        if let Err(left) = drained {
            self.offend_all(&left);
            return None;
        }
        self.check_parked().await;
        self.unpark().await;
        let plain = self.plan.kind == Kind::Plain;
        // What nobody watches is only known to whoever asks.
        if !plain {
            if !C::LIVE {
                for phone in &self.phones {
                    phone.app().sync_now().await;
                }
            }
            if let Err(left) = self.agree_by(begin + 2 * SETTLING_MS, Self::watched_apart).await {
                self.offend_all(&left);
                return None;
            }
            for phone in &self.phones {
                phone.app().sync_now().await;
            }
            if let Err(left) = self.agree_by(begin + 3 * SETTLING_MS, Self::apart).await {
                self.offend_all(&left);
                return None;
            }
        }
        for phone in &self.phones {
            phone.check_everything().await;
        }
        self.check_health();
        Some(took)
    }

    fn offend_all(&self, left: &[String]) {
        left.iter().for_each(|left| self.grid.offend(left));
    }

    /// Looks once a second until nothing is left, or it is too late.
    async fn agree_by(&mut self, deadline: i64, left: impl AsyncFn(&Self) -> Vec<String>) -> Result<(), Vec<String>> {
        loop {
            let still = left(self).await;
            if still.is_empty() {
                return Ok(());
            }
            if self.grid.timeline.ms() >= deadline {
                return Err(still);
            }
            self.wait(1_000).await;
        }
    }

    /// Operations that wait though nothing keeps them.
    async fn undrained(&self) -> Vec<String> {
        let mut left = Vec::new();
        for phone in &self.phones {
            for operation in phone.app().outbox().await.unwrap_or_default() {
                if operation.state != OperationState::Parked {
                    left.push(format!("phone {}: {operation:?} has not arrived", phone.number));
                }
            }
        }
        left
    }

    /// Whatever is parked is so for a reason that the plan gave.
    async fn check_parked(&self) {
        let excuses = &self.plan.excuses;
        for phone in &self.phones {
            for operation in phone.app().outbox().await.unwrap_or_default() {
                let excused = match operation.parked_reason {
                    Some(ParkedReason::Auth) => excuses.auth,
                    // What is malformed to something before the server may be so to this version only.
                    Some(ParkedReason::Schema) => excuses.schema || excuses.poison,
                    Some(ParkedReason::Rejected) => excuses.rejected,
                    Some(ParkedReason::Poison) => excuses.poison,
                    None => operation.state != OperationState::Parked,
                };
                if !excused {
                    phone.offend(format_args!("{operation:?} is parked without a reason"));
                }
            }
        }
    }

    /// Users try again what can be tried again; it arrives then.
    async fn unpark(&mut self) {
        let mut any = false;
        for phone in &mut self.phones {
            phone.give_what_is_wanted().await;
            for operation in phone.app().outbox().await.unwrap_or_default() {
                if matches!(operation.parked_reason, Some(ParkedReason::Auth | ParkedReason::Schema)) {
                    any = true;
                    phone.note(format_args!("retries {}", operation.id));
                    let retried = phone.app().retry(&operation).await;
                    phone.expect("retrying", retried);
                }
            }
        }
        if any {
            let deadline = self.grid.timeline.ms() + SETTLING_MS;
            let stuck = self.agree_by(deadline, Self::undrained).await;
            if let Err(left) = stuck {
                self.offend_all(&left);
            }
        }
    }

    async fn watched_apart(&self) -> Vec<String> {
        let mut left = Vec::new();
        for phone in &self.phones {
            for subject in &phone.watched {
                left.extend(self.rating_apart(phone, *subject).await);
            }
            left.extend(self.account_apart(phone).await);
        }
        left
    }

    async fn apart(&self) -> Vec<String> {
        let mut left = self.watched_apart().await;
        for phone in &self.phones {
            let voted: BTreeSet<QrHash> = {
                let book = self.book.borrow();
                let casts = book.all_casts().filter(|(_, casts)| casts.iter().any(|cast| cast.phone == phone.number));
                casts.map(|((hash, _), _)| *hash).collect()
            };
            for subject in Subject::all() {
                let code_of = |code: &Subject| code.host() == Some(subject) && voted.contains(&code.hash());
                if voted.contains(&subject.hash()) || Subject::all().any(|code| code_of(&code)) {
                    left.extend(self.rating_apart(phone, subject).await);
                }
            }
            left.extend(self.votes_apart(phone).await);
        }
        left
    }

    /// Whether a phone's rating is the server's, to the last bit and at nearly the same moment.
    async fn rating_apart(&self, phone: &Handset<C>, subject: Subject) -> Option<String> {
        let operations = phone.app().outbox().await.unwrap_or_default();
        let votes = [OperationKind::VoteSet, OperationKind::VoteRetract];
        if operations.iter().any(|operation| votes.contains(&operation.kind)) {
            // A vote that is parked is seen on its own phone only.
            return None;
        }
        let rating = match phone.app().rating(subject.code()).await {
            Ok(rating) => rating,
            Err(error) => return Some(error),
        };
        let now = self.grid.timeline.server();
        let hash = subject.hash();
        let at = |ms: i64| {
            self.grid.server(|server| {
                let tally = server.registers.tally(&hash, UnixMillis(ms));
                (tally, Score::new(tally.weights(UnixMillis(ms)), tally.count()))
            })
        };
        let (tally, score) = at(now.0);
        let counts = (tally.safe.count, tally.unsafe_.count, tally.newest);
        let shown = (rating.safe_votes, rating.unsafe_votes, rating.last_updated);
        if counts != shown {
            return Some(format!("phone {}: {subject:?} is {shown:?}, at the server {counts:?}", phone.number));
        }
        // Weights only ever fall: where the phone's stands in between tells at what moment it looked.
        // A stale rating is that of the last moment that the phone could compute.
        let stale = rating.source == RatingSource::Stale;
        let earliest = tally.newest.filter(|_| stale).map_or(now.0 - CLOCK_ERROR_MS, |newest| newest.0);
        let (mut low, mut high) = (earliest, now.0 + CLOCK_ERROR_MS);
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle).1.effective_votes > rating.effective_votes { low = middle + 1 } else { high = middle }
        }
        (!same(&at(low).1, &rating)).then(|| {
            let number = phone.number;
            format!("phone {number}: {subject:?} is {rating:?}, at the server {score:?}, at no moment near now")
        })
    }

    /// Whether devices of one account have the same scans and settings as the server.
    async fn account_apart(&self, phone: &Handset<C>) -> Vec<String> {
        let mut left = Vec::new();
        let account = self.account(phone).await;
        if phone.app().outbox().await.is_ok_and(|waiting| !waiting.is_empty()) {
            return left;
        }
        let history = phone.app().history().await.unwrap_or_default();
        let shared = history.into_iter().filter(|scan| !qr::NEVER_VOTABLE.contains(&scan.kind));
        let shown: BTreeMap<String, String> = shared.map(|scan| (scan.id.to_string(), scan.text)).collect();
        let kept: BTreeMap<String, String> = self.grid.server(|server| {
            let of = server.registers.scans.iter().filter(|((owner, _), _)| *owner == account);
            let there = of.filter_map(|((_, key), kept)| {
                Some((key.clone(), kept.body.as_ref()?.get("text")?.as_str()?.to_owned()))
            });
            there.collect()
        });
        if shown != kept {
            let (here, there) = (shown.len(), kept.len());
            left.push(format!("phone {} has {here} scans to share, the server {there}, or others", phone.number));
        }
        let settings = match phone.app().settings().await {
            Ok(settings) => settings,
            Err(error) => return vec![error],
        };
        let kept = |name: &str| {
            let place = (account.clone(), name.to_owned());
            self.grid.server(|server| server.registers.settings.get(&place)?.body.as_ref()?.get("value").cloned())
        };
        let days = kept("scanRetentionDays").and_then(|days| days.as_u64());
        let notifications = kept("notifications").and_then(|on| on.as_bool());
        if notifications.is_some_and(|on| on != settings.notifications)
            || days.is_some_and(|days| days != u64::from(settings.scan_retention_days))
        {
            let number = phone.number;
            left.push(format!("phone {number} has {settings:?}, the server {notifications:?} and {days:?}"));
        }
        left
    }

    /// The account under which the server knows a phone.
    async fn account(&self, phone: &Handset<C>) -> String {
        if self.plan.rules.tokens {
            return phone.plan.account.clone();
        }
        // Without tokens every device is its own account; the votes or scans on it tell which.
        let scans = phone.app().history().await.unwrap_or_default();
        let ids: BTreeSet<String> = scans.iter().map(|scan| scan.id.to_string()).collect();
        self.grid.server(|server| {
            let of = server.registers.scans.keys().find(|(_, key)| ids.contains(key));
            of.map_or_else(String::new, |(owner, _)| owner.clone())
        })
    }

    /// Whether every vote stands at the server as it was last cast.
    async fn votes_apart(&self, phone: &Handset<C>) -> Vec<String> {
        let mut left = Vec::new();
        if phone.app().outbox().await.is_ok_and(|waiting| !waiting.is_empty()) {
            return left;
        }
        let mut parked = BTreeSet::new();
        for other in &self.phones {
            if other.app().outbox().await.is_ok_and(|waiting| !waiting.is_empty()) {
                parked.insert(other.number);
            }
        }
        let keys: Vec<(QrHash, VoterId)> = {
            let book = self.book.borrow();
            let casts = book.all_casts().filter(|(_, casts)| casts.iter().any(|cast| cast.phone == phone.number));
            casts.map(|(key, _)| *key).collect()
        };
        for (hash, voter) in keys {
            let stands = self.grid.server(|server| server.registers.votes.get(&(hash, voter)).and_then(|at| at.choice));
            let may_stand = self.book.borrow().may_stand(&hash, &voter, &parked);
            if !may_stand.contains(&stands) {
                let number = phone.number;
                left.push(format!("phone {number}: the server has {stands:?} where {may_stand:?} was last cast"));
            }
            let subject = Subject::all().find(|subject| subject.hash() == hash);
            // With a name for every code, only the owner of a vote can tell whose it is that another device cast.
            let linkable = !phone.plan.unlinkable;
            for user in phone.users.iter().filter(|user| user.is_some() && linkable) {
                let Some(subject) = subject.filter(|subject| phone.voter(*subject, *user) == Some(voter)) else {
                    continue;
                };
                let mine = phone.app().mine(subject.code(), user.map(str::to_owned)).await;
                let mine = mine.ok().flatten().map(|vote| vote.choice);
                if mine != stands {
                    let number = phone.number;
                    left.push(format!("phone {number}: {user:?}'s vote on {subject:?} is {mine:?}, not {stands:?}"));
                }
            }
        }
        left
    }

    /// Health says what is the case.
    fn check_health(&self) {
        if !C::RESTS {
            return;
        }
        let both = [Service::CloudSync, Service::Realtime];
        let services = if C::LIVE { &both[..] } else { &both[..1] };
        for phone in &self.phones {
            let health = phone.app().health();
            for service in services.iter().copied() {
                let found = health.services.iter().find(|found| found.service == service);
                let (state, cause) =
                    found.map_or((ServiceState::Disabled, HealthCause::None), |found| (found.state, found.cause));
                let plain = self.plan.kind == Kind::Plain;
                if state != ServiceState::Healthy && !plain && !self.plan.excuses.any() {
                    phone.offend(format_args!("{service:?} is {state:?} because of {cause:?}, though all is well"));
                }
            }
        }
    }

    /// Every operation took effect once at the most, and no answer was forgotten.
    pub(crate) fn check_ledger(&self) {
        let twice = self.grid.server(|server| {
            let all = server.ledger.all().filter(|(_, entry)| entry.effects > 1);
            all.map(|(id, entry)| format!("operation {id} ({}) took effect {} times", entry.what, entry.effects))
                .collect::<Vec<_>>()
        });
        self.offend_all(&twice);
        let renamed = self.grid.server(|server| server.ledger.renamed().to_vec());
        for (device, seq) in renamed {
            self.grid.offend(format_args!("operation {seq} of device {device} came under two names"));
        }
    }
}

fn same(score: &Score, rating: &Rating) -> bool {
    let bits = |of: [f64; 4]| of.map(f64::to_bits);
    bits([score.confidence, score.lower, score.upper, score.effective_votes])
        == bits([rating.confidence, rating.lower, rating.upper, rating.effective_votes])
        && score.assessment == rating.assessment
}
