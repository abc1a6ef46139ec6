//! A phone in somebody's hands: does the deeds of the plan, dies when it is killed, and checks what it reads.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    rc::Rc,
    sync::{Arc, atomic::AtomicI64},
};

use safescan_core::{
    model::{NewScan, SettingsUpdate, Token, VoteChoice, VoteOutcome, VoterId},
    voting::IdentityKey,
};
use tokio::sync::mpsc;

use crate::{
    book::Book,
    client::{Client, Opening, Outcome},
    deeds::{Deed, Subject},
    dice::Dice,
    network::{Grid, Link},
    plan::{PhonePlan, Plan},
    time::PhoneClock,
};

/// How soon somebody looks whether the app wants something; after a long while, less and less often.
const GLANCE_MS: i64 = 1_000;

pub(crate) type User = Option<&'static str>;

/// A write whose answer was awaited when the process died: it may have been stored.
#[derive(Clone)]
enum Doubt {
    Vote { subject: Subject, user: User, choice: Option<VoteChoice> },
    Scan { text: String },
    DeleteScan,
    Settings(SettingsUpdate),
    Value { key: String, value: String },
}

/// A phone.
pub(crate) struct Handset<C> {
    pub(crate) number: usize,
    pub(crate) plan: PhonePlan,
    pub(crate) grid: Arc<Grid>,
    pub(crate) book: Rc<RefCell<Book>>,
    pub(crate) link: Link,
    pub(crate) client: Option<C>,
    pub(crate) clock: Option<Arc<PhoneClock>>,
    pub(crate) watched: BTreeSet<Subject>,
    pub(crate) users: BTreeSet<User>,
    directory: PathBuf,
    skew: Arc<AtomicI64>,
    ambushed: mpsc::UnboundedReceiver<u32>,
    token_ms: i64,
    token: Option<Token>,
    processes: Dice,
    voters: BTreeMap<(User, Subject), VoterId>,
    doubt: Option<Doubt>,
}

impl<C: Client> Handset<C> {
    pub(crate) fn new(
        plan: &Plan,
        number: usize,
        grid: &Arc<Grid>,
        book: &Rc<RefCell<Book>>,
        directory: PathBuf,
    ) -> Self {
        let own = plan.phones[number].clone();
        let (ambushes, ambushed) = mpsc::unbounded_channel();
        let link = Link::new(
            Arc::clone(grid),
            number,
            own.forecast.clone(),
            own.statuses.clone(),
            Dice::new(plan.seed, &format!("link {number}")),
            own.ambushes.clone(),
            ambushes,
        );
        let users = own.deeds.iter().filter_map(|(_, deed)| match deed {
            Deed::Vote { user, .. } | Deed::Retract { user, .. } => Some(*user),
            _ => None,
        });
        Self {
            number,
            grid: Arc::clone(grid),
            book: Rc::clone(book),
            link,
            client: None,
            clock: None,
            watched: BTreeSet::new(),
            users: users.collect(),
            directory,
            skew: Arc::new(AtomicI64::new(own.skew)),
            ambushed,
            token_ms: plan.token_ms,
            token: None,
            processes: Dice::new(plan.seed, &format!("processes {number}")),
            voters: BTreeMap::new(),
            doubt: None,
            plan: own,
        }
    }

    /// The app, which must be open.
    pub(crate) fn app(&self) -> &C {
        self.client.as_ref().expect("the phone is open")
    }

    /// How often the app looked at the clock.
    pub(crate) fn readings(&self) -> u64 {
        self.clock.as_ref().map_or(0, |clock| clock.readings())
    }

    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        self.grid.trace.note(format_args!("user {}", self.number), what);
    }

    pub(crate) fn offend(&self, what: impl std::fmt::Display) {
        self.grid.offend(format_args!("phone {}: {what}", self.number));
    }

    /// Starts a process.
    pub(crate) async fn open(&mut self) {
        let clock = Arc::new(PhoneClock::new(self.grid.timeline, Arc::clone(&self.skew)));
        if self.token.is_none() {
            self.token = Some(self.new_token());
        }
        let opening = Opening {
            directory: self.directory.clone(),
            seed: self.processes.next(),
            clock: Arc::clone(&clock),
            network: self.link.network(),
            token: self.token.clone(),
            identity: self.plan.identity,
            unlinkable: self.plan.unlinkable,
        };
        self.note("opens the app");
        match C::open(opening).await {
            Ok(client) => self.client = Some(client),
            Err(error) => return self.offend(format_args!("the app does not open: {error}")),
        }
        self.clock = Some(clock);
        for subject in self.watched.clone() {
            let watched = self.app().watch(subject.code());
            self.expect("watching", watched);
        }
        self.settle_doubt().await;
        self.check_everything().await;
    }

    /// Does everything in the plan.
    pub(crate) async fn live(&mut self) {
        self.open().await;
        for (at, deed) in std::mem::take(&mut self.plan.deeds) {
            self.wait_until(at).await;
            if self.client.is_some() {
                self.act(deed).await;
            }
        }
    }

    /// Waits, while the process may be killed and the app may want something.
    pub(crate) async fn wait_until(&mut self, at: i64) {
        let timeline = self.grid.timeline;
        let begin = timeline.ms();
        while timeline.ms() < at {
            let interval = GLANCE_MS.max((timeline.ms() - begin) / 4);
            let glance = timeline.until(at.min(timeline.ms() + interval));
            tokio::select! {
                biased;
                Some(turns) = self.ambushed.recv() => self.die(turns, 500).await,
                () = glance => self.give_what_is_wanted().await,
            }
        }
    }

    pub(crate) async fn give_what_is_wanted(&mut self) {
        if self.client.as_ref().is_some_and(Client::wants_token) {
            let token = self.new_token();
            self.token = Some(token.clone());
            self.note("gives a new token");
            self.app().give_token(token).await;
        }
    }

    fn new_token(&self) -> Token {
        let until = self.grid.timeline.server().plus(self.token_ms);
        let text = self.grid.server(|server| server.issue(&self.plan.account, until));
        Token::new(text).expect("visible characters")
    }

    /// One deed, unless the process is killed meanwhile.
    async fn act(&mut self, deed: Deed) {
        self.note(format_args!("{deed:?}"));
        match deed {
            Deed::Kill(away) => return self.die(0, away).await,
            Deed::Restart => {
                if let Some(client) = self.client.take() {
                    let ended = client.shutdown().await;
                    self.expect("shutting down", ended);
                }
                return self.open().await;
            }
            Deed::Jump(by) => {
                self.skew.fetch_add(by, std::sync::atomic::Ordering::SeqCst);
                return;
            }
            _ => {}
        }
        let (sender, nobody) = mpsc::unbounded_channel();
        let mut ambushed = std::mem::replace(&mut self.ambushed, nobody);
        let killed = tokio::select! {
            biased;
            Some(turns) = ambushed.recv() => Some(turns),
            () = self.perform(deed) => None,
        };
        drop(sender);
        self.ambushed = ambushed;
        match killed {
            Some(turns) => self.die(turns, 500).await,
            None => self.doubt = None,
        }
    }

    /// The process ends some turns of the scheduler later, and another one starts after a while.
    async fn die(&mut self, turns: u32, away: i64) {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.note("is killed");
        if let Some(client) = self.client.take() {
            client.kill();
        }
        let timeline = self.grid.timeline;
        timeline.until(timeline.ms() + away).await;
        // Whoever lay in wait for the old process has what it wanted.
        while self.ambushed.try_recv().is_ok() {}
        self.open().await;
    }

    async fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Scan { text } => self.scan(text).await,
            Deed::DeleteScan(place) => self.delete_scan(place).await,
            Deed::Vote { subject, choice, user } => self.vote(subject, Some(choice), user).await,
            Deed::Retract { subject, user } => self.vote(subject, None, user).await,
            Deed::Settings(update) => {
                self.doubt = Some(Doubt::Settings(update.clone()));
                let stored = self.app().change_settings(update.clone()).await;
                if self.expect("changing settings", stored).is_some() {
                    self.book.borrow_mut().set(&self.plan.account, self.number, &update);
                }
            }
            Deed::Keep { key, value } => {
                self.doubt = Some(Doubt::Value { key: key.clone(), value: value.clone() });
                let stored = self.app().keep(key.clone(), value.clone()).await;
                if self.expect("keeping a value", stored).is_some() {
                    self.book.borrow_mut().kept(self.number, &key, &value);
                }
            }
            Deed::Read(subject) => {
                self.check_rating(subject).await;
                self.check_votes().await;
            }
            Deed::Watch(subject) => {
                if self.watched.insert(subject) {
                    let watched = self.app().watch(subject.code());
                    self.expect("watching", watched);
                }
            }
            Deed::Unwatch(subject) => {
                if self.watched.remove(&subject) {
                    let unwatched = self.app().unwatch(subject.code());
                    self.expect("unwatching", unwatched);
                }
            }
            Deed::SyncNow => self.app().sync_now().await,
            Deed::Suspend => {
                let done = self.app().suspend().await;
                self.expect("suspending", done);
            }
            Deed::Resume => {
                let done = self.app().resume().await;
                self.expect("resuming", done);
            }
            Deed::Network(online) => self.app().network(online).await,
            Deed::Kill(_) | Deed::Restart | Deed::Jump(_) => {}
        }
    }

    async fn scan(&mut self, text: String) {
        self.doubt = Some(Doubt::Scan { text: text.clone() });
        let scan = self.app().record(NewScan::of(text)).await;
        if let Some(scan) = self.expect("recording", scan) {
            self.book.borrow_mut().scanned(&self.plan.account, self.number, scan);
        }
    }

    async fn delete_scan(&mut self, place: usize) {
        let history = self.app().history().await;
        let Some(history) = self.expect("reading the history", history) else { return };
        if history.is_empty() {
            return;
        }
        let id = history[place % history.len()].id;
        self.doubt = Some(Doubt::DeleteScan);
        // From here on it may be gone; it is only certain to be gone later.
        self.book.borrow_mut().scan_deleted(&self.plan.account, id);
        let deleted = self.app().delete_scan(id).await;
        self.expect("deleting", deleted);
    }

    async fn vote(&mut self, subject: Subject, choice: Option<VoteChoice>, user: User) {
        self.doubt = Some(Doubt::Vote { subject, user, choice });
        if let Some(voter) = self.voter(subject, user) {
            self.may_vote(subject, voter, user);
        }
        let named = user.map(str::to_owned);
        let outcome = match choice {
            Some(choice) => self.app().vote(subject.code(), choice, named.clone()).await,
            None => self.app().retract(subject.code(), named.clone()).await,
        };
        let Some(outcome) = self.expect("voting", outcome) else { return };
        let shown = self.app().mine(subject.code(), named).await;
        let Some(shown) = self.expect("reading a vote", shown) else { return };
        if let Some(vote) = &shown {
            self.voters.insert((user, subject), vote.voter_id);
            self.may_vote(subject, vote.voter_id, user);
        }
        match outcome {
            VoteOutcome::Accepted { .. } | VoteOutcome::Updated { .. } | VoteOutcome::Retracted { .. } => {
                let voter = self.voter(subject, user);
                if shown.map(|vote| vote.choice) != choice {
                    self.offend(format_args!("a vote on {subject:?} was stored as {choice:?} and reads otherwise"));
                }
                match voter {
                    Some(voter) => self.book.borrow_mut().cast(self.number, subject, voter, choice),
                    None => self.offend("something was retracted that was never cast"),
                }
            }
            _ => {}
        }
    }

    /// A voter is also one on the host of a code.
    fn may_vote(&self, subject: Subject, voter: VoterId, user: User) {
        let mut book = self.book.borrow_mut();
        book.may_vote(subject, voter);
        if let Some(host) = subject.host() {
            // Where the name on the host is not known, that on the code stands for it: it is counted, no more.
            book.may_vote(host, self.voter(host, user).unwrap_or(voter));
        }
    }

    /// Under which name somebody votes on a subject.
    pub(crate) fn voter(&self, subject: Subject, user: User) -> Option<VoterId> {
        let key = IdentityKey::from_slice(&self.plan.identity).expect("32 bytes");
        match user {
            Some(user) if self.plan.unlinkable => Some(key.voter_id_for_code(user, &subject.hash())),
            Some(user) => Some(key.voter_id(user)),
            None => self.voters.get(&(None, subject)).copied(),
        }
    }

    /// Finds out whether what was being written at the end of the last process is there.
    async fn settle_doubt(&mut self) {
        match self.doubt.take() {
            None | Some(Doubt::DeleteScan) => {}
            Some(Doubt::Vote { subject, user, choice }) => {
                let shown = self.app().mine(subject.code(), user.map(str::to_owned)).await;
                let Some(shown) = self.expect("reading a vote", shown) else { return };
                if let Some(vote) = &shown {
                    self.voters.insert((user, subject), vote.voter_id);
                }
                if shown.map(|vote| vote.choice) == choice
                    && let Some(voter) = self.voter(subject, user)
                {
                    self.may_vote(subject, voter, user);
                    self.book.borrow_mut().cast(self.number, subject, voter, choice);
                }
            }
            Some(Doubt::Scan { text }) => {
                let history = self.app().history().await;
                let Some(history) = self.expect("reading the history", history) else { return };
                let mut book = self.book.borrow_mut();
                let known: BTreeSet<_> = book.scans(&self.plan.account).map(|noted| noted.scan.id).collect();
                let new = history.into_iter().filter(|scan| scan.text == text && !known.contains(&scan.id));
                new.for_each(|scan| book.scanned(&self.plan.account, self.number, scan));
            }
            Some(Doubt::Settings(update)) => {
                let shown = self.app().settings().await;
                let Some(shown) = self.expect("reading settings", shown) else { return };
                let stored = update.notifications.is_none_or(|wanted| wanted == shown.notifications)
                    && update.scan_retention_days.is_none_or(|wanted| wanted == shown.scan_retention_days);
                if stored {
                    self.book.borrow_mut().set(&self.plan.account, self.number, &update);
                }
            }
            Some(Doubt::Value { key, value }) => {
                let shown = self.app().kept(key.clone()).await;
                if self.expect("reading a value", shown).flatten().as_ref() == Some(&value) {
                    self.book.borrow_mut().kept(self.number, &key, &value);
                }
            }
        }
    }

    /// A call that must not fail.
    pub(crate) fn expect<T>(&self, what: &str, result: Outcome<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.offend(format_args!("{what} failed: {error}"));
                None
            }
        }
    }
}
