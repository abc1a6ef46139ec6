use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::{Synced, Trouble, read_synced};
use crate::{
    clock::Clock,
    model::Token,
    net::{Answer, Method, Network, Request},
    protocol::{self, CHANGES_PATH, LONG_POLL_MS, RATINGS_PATH, RatingsResponse, SYNC_PATH, SyncResponse},
    resilience::{BackoffPolicy, Breaker, BreakerPolicy, Entry},
};

/// How long a request may take: longer than any answer worth waiting for, on any network a phone has.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than the server holds it a long poll may take.
const LONG_POLL_PATIENCE: Duration = Duration::from_millis(LONG_POLL_MS as u64 + 10_000);

/// How long requests that are given up are waited for: they end at once, unless nobody polls the call that made one.
const LET_GO: Duration = Duration::from_secs(1);

/// Talks to one server.
pub(crate) struct Client {
    network: Network,
    clock: Arc<dyn Clock>,
    breaker: Mutex<Breaker>,
    access: Mutex<Access>,
    /// Is called when the token in use turns out to be refused, whoever showed it.
    token_refused: Box<dyn Fn() + Send + Sync>,
    /// Whether requests may be made at all. Whoever makes one holds a receiver until it is over; whoever puts the client
    /// to sleep puts another sender in this one's place, and waits until nobody holds a receiver of it.
    awake: Mutex<watch::Sender<Awake>>,
    /// Until when the server wants no more operations, by the monotonic clock.
    quiet_until: AtomicI64,
}

/// The token in use. Every one that the app gives has a number, so that a refusal is laid to the one that was shown.
#[derive(Debug, Default)]
struct Access {
    token: Option<Token>,
    number: u64,
    /// The number of the last one that the server did not take.
    refused: Option<u64>,
}

/// Who is up: requests may be made while anybody is.
#[derive(Clone, Copy, Debug)]
struct Awake {
    /// The app is in front.
    front: bool,
    /// It sleeps, and a run was asked for all the same.
    errand: bool,
}

impl Awake {
    fn anybody(self) -> bool {
        self.front || self.errand
    }
}

impl Client {
    pub(crate) fn new(network: Network, clock: Arc<dyn Clock>, token_refused: Box<dyn Fn() + Send + Sync>) -> Self {
        let breaker = Mutex::new(Breaker::new(BreakerPolicy::default()));
        Self {
            network,
            clock,
            breaker,
            access: Mutex::default(),
            token_refused,
            awake: Mutex::new(watch::Sender::new(Awake { front: true, errand: false })),
            quiet_until: AtomicI64::new(0),
        }
    }

    /// Takes a token; its number.
    pub(crate) fn set_token(&self, token: Option<Token>) -> u64 {
        let mut access = self.access();
        access.token = token;
        access.number += 1;
        access.number
    }

    /// The server did not take the token of this number.
    pub(crate) fn note_refused(&self, number: u64) {
        let news = {
            let mut access = self.access();
            access.refused.replace(number) != Some(number) && access.number == number
        };
        if news {
            (self.token_refused)();
        }
    }

    /// The number of the token in use, if it is one that the server did not take.
    pub(crate) fn refused_token(&self) -> Option<u64> {
        let access = self.access();
        access.refused.filter(|refused| *refused == access.number)
    }

    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the app is in front.
    pub(crate) fn set_awake(&self, awake: bool) {
        self.awake().send_modify(|state| state.front = awake);
    }

    /// Makes requests even while the app sleeps, until [`end_errand`](Self::end_errand).
    pub(crate) fn begin_errand(&self) {
        self.awake().send_modify(|state| state.errand = true);
    }

    /// Sleeps on, without a connection, unless the app came to the front meanwhile.
    pub(crate) async fn end_errand(&self) {
        self.awake().send_modify(|state| state.errand = false);
        let front = self.awake().borrow().front;
        if !front {
            self.close().await;
        }
    }

    /// Makes no request from now on, and gives those up that are under way; when it answers there is none.
    pub(crate) async fn rest(&self) {
        let nobody = Awake { front: false, errand: false };
        let before = std::mem::replace(&mut *self.awake(), watch::Sender::new(nobody));
        before.send_replace(nobody);
        drop(tokio::time::timeout(LET_GO, before.closed()).await);
    }

    /// Keeps no connection.
    pub(crate) async fn close(&self) {
        self.network.transport.close().await;
    }

    /// For whoever sets a timer of its own around requests: going to sleep waits until this is dropped. It must be as soon
    /// as the requests have failed.
    pub(crate) fn under_way(&self) -> UnderWay {
        UnderWay(self.awake().subscribe())
    }

    fn awake(&self) -> MutexGuard<'_, watch::Sender<Awake>> {
        self.awake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets failures and connections: the network is another one now.
    pub(crate) fn forgive(&self) {
        self.network.transport.rest();
        *self.breaker() = Breaker::new(BreakerPolicy::default());
    }

    /// Until when the server wants no more operations, by the monotonic clock.
    pub(crate) fn quiet_until(&self) -> i64 {
        self.quiet_until.load(SeqCst)
    }

    /// Sends operations and fetches changes.
    pub(crate) async fn sync(&self, body: Vec<u8>) -> Result<Synced, Trouble> {
        let request =
            Request { method: Method::Post, path: SYNC_PATH.to_owned(), token: None, body, patience: PATIENCE };
        let heard = |answer: &Answer| {
            // Whatever else the answer says: this is obeyed.
            if let Some(wait) = answer.retry_after_ms {
                let wait = i64::from(wait.min(BackoffPolicy::MAX_RETRY_AFTER_MS));
                self.quiet_until.fetch_max(self.clock.monotonic().saturating_add(wait), SeqCst);
            }
        };
        self.exchange(request, heard, |answer| read_synced(&answer.body)).await
    }

    /// Waits for changes.
    pub(crate) async fn await_changes(&self, query: &str) -> Result<SyncResponse, Trouble> {
        let path = format!("{CHANGES_PATH}?live=1&{query}");
        self.exchange(get(path, LONG_POLL_PATIENCE), |_| (), json).await
    }

    /// Looks ratings up by the beginning of their hash.
    pub(crate) async fn ratings(
        &self,
        prefix: &str,
        query: &str,
        patience: Duration,
    ) -> Result<RatingsResponse, Trouble> {
        let path = format!("{RATINGS_PATH}{prefix}?{query}");
        self.exchange(get(path, patience), |_| (), json).await
    }

    /// Makes a request with the token in use, and once more if another was given before that one was refused: the
    /// refusal says nothing about the new one.
    async fn exchange<T>(
        &self,
        request: Request,
        heard: impl Fn(&Answer),
        read: impl Fn(&Answer) -> Option<T>,
    ) -> Result<T, Trouble> {
        loop {
            let (token, number) = {
                let access = self.access();
                (access.token.clone(), access.number)
            };
            let result = self.attempt(Request { token, ..request.clone() }, &heard, &read).await;
            match &result {
                Err(Trouble::Auth) => self.note_refused(number),
                Ok(_) => {
                    let mut access = self.access();
                    access.refused = access.refused.filter(|refused| *refused != number);
                }
                Err(_) => {}
            }
            if !matches!(result, Err(Trouble::Auth)) || self.access().number == number {
                return result;
            }
        }
    }

    async fn attempt<T>(
        &self,
        request: Request,
        heard: &impl Fn(&Answer),
        read: &impl Fn(&Answer) -> Option<T>,
    ) -> Result<T, Trouble> {
        let UnderWay(mut awake) = self.under_way();
        if !awake.borrow().anybody() {
            return Err(Trouble::Offline);
        }
        let permit = match self.breaker().enter(self.clock.monotonic()) {
            Entry::Allowed(permit) => permit,
            Entry::Refused { retry_after_ms } => return Err(Trouble::Broken { retry_after_ms }),
        };
        let mut call = Call { client: self, permit: Some(permit) };
        let patience = request.patience;
        // Whoever sends keeps the limit as well; this one holds even if it does not.
        let sending = tokio::time::timeout(patience, self.network.transport.send(request));
        let exchange = tokio::select! {
            biased;
            // Dropping the call says nothing about the server.
            _ = awake.wait_for(|awake| !awake.anybody()) => return Err(Trouble::Offline),
            sent = sending => sent.unwrap_or(Err(crate::net::Failure::TimedOut)),
        };
        if let Ok(answer) = &exchange {
            heard(answer);
        }
        let result = match Trouble::of(&exchange) {
            Some(trouble) => Err(trouble),
            None => exchange
                .ok()
                .and_then(|answer| read(&answer))
                // A 2xx that cannot be read comes from somebody in between, or from a server that is ill.
                .ok_or(Trouble::Transient { retry_after_ms: None }),
        };
        call.report(result.as_ref().err());
        result
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That requests are under way, or may be.
pub(crate) struct UnderWay(watch::Receiver<Awake>);

/// A call that the breaker let through. Dropped without a report it says nothing about the server.
struct Call<'a> {
    client: &'a Client,
    permit: Option<crate::resilience::Permit>,
}

impl Call<'_> {
    fn report(&mut self, trouble: Option<&Trouble>) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.client.clock.monotonic();
        let mut breaker = self.client.breaker();
        match trouble {
            Some(Trouble::Transient { .. }) => breaker.fail(now, permit),
            // Not the server's fault, or no fault at all.
            Some(Trouble::Offline | Trouble::Untrusted | Trouble::RateLimited { .. }) => breaker.abandon(now, permit),
            // It answered, if only to say no.
            _ => breaker.succeed(now, permit),
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            let now = self.client.clock.monotonic();
            self.client.breaker().abandon(now, permit);
        }
    }
}

fn get(path: String, patience: Duration) -> Request {
    Request { method: Method::Get, path, token: None, body: Vec::new(), patience }
}

fn json<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    protocol::read(&answer.body).ok()
}
