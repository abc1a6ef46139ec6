//! A server in memory. It obliges: it takes operations by the last writer's rule, keeps votes, adds ratings up with the
//! very code that a real server uses, and hands out changes page by page. What a test wants otherwise is put into its
//! script: a queue of faults for the next requests, or a rule that judges each request. It writes down all that arrives.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use safescan_core::{
    model::{OperationId, UnixMillis},
    net::{Answer, Failure, Method, Request, SyncTransport},
    protocol::{CHANGES_PATH, LONG_POLL_MS, Operation, Problem, RATINGS_PATH, SYNC_PATH, SyncRequest, SyncResponse},
};
use tokio::time::Instant;

use crate::{account::Account, world::on_purpose};

/// What happens to a request instead of, or on top of, the obliging answer.
pub(crate) enum Fault {
    /// The request does not arrive.
    Fail(Failure),
    /// The request arrives and takes effect; its answer does not come back.
    LoseAnswer(Failure),
    /// An answer that has nothing to do with the request.
    Answer(Answer),
    /// The obliging answer, changed.
    Edit(Edit),
    /// The obliging answer, with a `Retry-After`.
    RetryAfter(u32),
    /// The request arrives, and nothing ever comes back.
    Silence,
    /// The side that sends panics.
    Panic,
    /// None.
    None,
}

type Edit = Box<dyn FnOnce(&mut SyncResponse) + Send>;
type Rule = Box<dyn FnMut(&Seen) -> Fault + Send>;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Milliseconds since the server was made.
    pub(crate) at: i64,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) bytes: usize,
    /// Of `POST /api/sync`.
    pub(crate) sync: Option<SyncRequest>,
    pub(crate) operations: Vec<Operation>,
}

impl Seen {
    pub(crate) fn is_sync(&self) -> bool {
        self.sync.is_some()
    }

    pub(crate) fn is_look_up(&self) -> bool {
        self.path.starts_with(RATINGS_PATH)
    }

    /// The looked-up beginning of a hash.
    pub(crate) fn prefix(&self) -> &str {
        self.path.trim_start_matches(RATINGS_PATH).split('?').next().unwrap_or_default()
    }

    pub(crate) fn ids(&self) -> Vec<OperationId> {
        self.operations.iter().map(|operation| operation.id).collect()
    }
}

/// The server, and the way to it.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

struct State {
    start: Instant,
    account: Account,
    seen: Vec<Seen>,
    /// For the next requests to `/api/sync`.
    script: VecDeque<Fault>,
    /// For the next look-ups.
    look_up_script: VecDeque<Fault>,
    /// For requests that no script is left for.
    rule: Option<Rule>,
    /// How long a request takes to arrive, and again its answer.
    latency: Duration,
    /// How often connections were given up.
    rested: u32,
}

impl Server {
    pub(crate) fn new(now: UnixMillis) -> Self {
        Self(Arc::new(Mutex::new(State {
            start: start(),
            account: Account::new(now),
            seen: Vec::new(),
            script: VecDeque::new(),
            look_up_script: VecDeque::new(),
            rule: None,
            latency: Duration::ZERO,
            rested: 0,
        })))
    }

    /// What happens to the next requests to `/api/sync`, one after the other.
    pub(crate) fn then(&self, fault: Fault) -> &Self {
        self.lock().script.push_back(fault);
        self
    }

    pub(crate) fn then_on_look_up(&self, fault: Fault) {
        self.lock().look_up_script.push_back(fault);
    }

    /// What happens to each request from now on.
    pub(crate) fn always(&self, rule: impl FnMut(&Seen) -> Fault + Send + 'static) {
        self.lock().rule = Some(Box::new(rule));
    }

    /// Obliges again.
    pub(crate) fn oblige(&self) {
        let mut state = self.lock();
        state.rule = None;
        state.script.clear();
        state.look_up_script.clear();
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Looks at, or changes, what the server keeps.
    pub(crate) fn account<T>(&self, with: impl FnOnce(&mut Account) -> T) -> T {
        let mut state = self.lock();
        let elapsed = millis(state.start.elapsed());
        state.account.set_elapsed(elapsed);
        with(&mut state.account)
    }

    /// Everything that arrived.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// What arrived at `/api/sync`.
    pub(crate) fn syncs(&self) -> Vec<Seen> {
        self.lock().seen.iter().filter(|seen| seen.is_sync()).cloned().collect()
    }

    pub(crate) fn look_ups(&self) -> Vec<Seen> {
        self.lock().seen.iter().filter(|seen| seen.is_look_up()).cloned().collect()
    }

    pub(crate) fn forget_seen(&self) {
        self.lock().seen.clear();
    }

    pub(crate) fn elapsed(&self) -> i64 {
        millis(self.lock().start.elapsed())
    }

    pub(crate) fn rested(&self) -> u32 {
        self.lock().rested
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        self.travel().await;
        let (fault, seen) = {
            let mut state = self.lock();
            let seen = Seen::of(&request, millis(state.start.elapsed()));
            state.seen.push(seen.clone());
            (state.fault(&seen), seen)
        };
        let mut retry_after_ms = None;
        let mut edit: Option<Edit> = None;
        let mut lost = None;
        match fault {
            Fault::None => {}
            Fault::Fail(failure) => return Err(failure),
            Fault::Answer(answer) => return Ok(answer),
            Fault::LoseAnswer(failure) => lost = Some(failure),
            Fault::Edit(wanted) => edit = Some(wanted),
            Fault::RetryAfter(millis) => retry_after_ms = Some(millis),
            Fault::Silence => std::future::pending().await,
            Fault::Panic => on_purpose(),
        }
        if request.method == Method::Get && seen.path.starts_with(CHANGES_PATH) {
            tokio::time::sleep(Duration::from_millis(LONG_POLL_MS.into())).await;
        }
        let answer = self.account(|account| answer(account, &seen, edit));
        self.travel().await;
        match lost {
            Some(failure) => Err(failure),
            None => Ok(Answer { retry_after_ms, ..answer }),
        }
    }

    async fn travel(&self) {
        let latency = self.lock().latency;
        if latency.is_zero() {
            // Others may do something in between.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(latency).await;
        }
    }
}

impl State {
    fn fault(&mut self, seen: &Seen) -> Fault {
        let script = if seen.is_sync() { &mut self.script } else { &mut self.look_up_script };
        if let Some(fault) = script.pop_front() {
            return fault;
        }
        self.rule.as_mut().map_or(Fault::None, |rule| rule(seen))
    }
}

impl SyncTransport for Server {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }

    fn rest(&self) {
        self.lock().rested += 1;
    }
}

impl Seen {
    fn of(request: &Request, at: i64) -> Self {
        let sync = (request.method == Method::Post).then(|| {
            assert_eq!(request.path, SYNC_PATH);
            serde_json::from_slice::<SyncRequest>(&request.body).expect("a device writes requests that can be read")
        });
        let operations = sync.iter().flat_map(|sync| &sync.data);
        let operations = operations.map(|raw| serde_json::from_str(raw.get()).expect("and operations")).collect();
        Self {
            at,
            path: request.path.clone(),
            token: request.token.as_ref().map(|token| token.reveal().to_owned()),
            bytes: request.body.len(),
            sync,
            operations,
        }
    }
}

fn answer(account: &mut Account, seen: &Seen, edit: Option<Edit>) -> Answer {
    if let Some(sync) = &seen.sync {
        let mut response = account.sync(sync, &seen.operations);
        if let Some(edit) = edit {
            edit(&mut response);
        }
        return json(&response);
    }
    if seen.is_look_up() {
        return json(&account.ratings(seen.prefix()));
    }
    json(&account.changes())
}

/// An answer with status 200.
pub(crate) fn json(value: &impl serde::Serialize) -> Answer {
    let body = serde_json::to_vec(value).expect("messages can be written");
    Answer { status: 200, retry_after_ms: None, is_json: true, body }
}

/// An answer of this status that says nothing else.
pub(crate) fn status(status: u16) -> Fault {
    refusal(status, "", None)
}

/// A refusal as the protocol writes it.
pub(crate) fn refusal(status: u16, code: &str, retry_after_ms: Option<u32>) -> Fault {
    let problem = Problem {
        kind: "about:blank".into(),
        title: String::new(),
        status,
        code: code.into(),
        detail: String::new(),
        retryable: false,
    };
    let body = serde_json::to_vec(&problem).expect("problems can be written");
    Fault::Answer(Answer { status, retry_after_ms, is_json: true, body })
}

/// An answer 200 with this body.
pub(crate) fn body(is_json: bool, body: impl Into<Vec<u8>>) -> Fault {
    Fault::Answer(Answer { status: 200, retry_after_ms: None, is_json, body: body.into() })
}

/// The obliging answer, changed.
pub(crate) fn edit(edit: impl FnOnce(&mut SyncResponse) + Send + 'static) -> Fault {
    Fault::Edit(Box::new(edit))
}

#[expect(clippy::disallowed_methods, reason = "tests run on tokio's paused time")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("no test takes that long")
}
