use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;

use super::{Synced, Trouble, read_synced};
use crate::{
    clock::Clock,
    model::Token,
    net::{Answer, Method, Network, Request},
    protocol::{CHANGES_PATH, LONG_POLL_MS, RATINGS_PATH, RatingsResponse, SYNC_PATH, SyncResponse},
    resilience::{Breaker, BreakerPolicy, Entry},
};

/// How long a request may take: longer than any answer worth waiting for, on any network a phone has.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than the server holds it a long poll may take.
const LONG_POLL_PATIENCE: Duration = Duration::from_millis(LONG_POLL_MS as u64 + 10_000);

/// Talks to one server.
pub(crate) struct Client {
    network: Network,
    clock: Arc<dyn Clock>,
    breaker: Mutex<Breaker>,
    token: Mutex<Option<Token>>,
    /// Whether requests may be made at all: not while the app sleeps.
    awake: AtomicBool,
}

impl Client {
    pub(crate) fn new(network: Network, clock: Arc<dyn Clock>) -> Self {
        let breaker = Mutex::new(Breaker::new(BreakerPolicy::default()));
        Self { network, clock, breaker, token: Mutex::default(), awake: AtomicBool::new(true) }
    }

    fn token(&self) -> Option<Token> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_token(&self, token: Option<Token>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// Whether requests may be made.
    pub(crate) fn set_awake(&self, awake: bool) {
        self.awake.store(awake, SeqCst);
    }

    /// Makes no request from now on, and keeps no connection.
    pub(crate) fn rest(&self) {
        self.set_awake(false);
        self.network.transport.rest();
    }

    /// Forgets failures and connections: the network is another one now.
    pub(crate) fn forgive(&self) {
        self.network.transport.rest();
        *self.breaker() = Breaker::new(BreakerPolicy::default());
    }

    /// Sends operations and fetches changes.
    pub(crate) async fn sync(&self, body: Vec<u8>) -> Result<Synced, Trouble> {
        let request = self.request(Method::Post, SYNC_PATH.to_owned(), body, PATIENCE);
        self.exchange(request, |answer| read_synced(&answer.body)).await
    }

    /// Waits for changes.
    pub(crate) async fn await_changes(&self, query: &str) -> Result<SyncResponse, Trouble> {
        let path = format!("{CHANGES_PATH}?live=1&{query}");
        self.exchange(self.request(Method::Get, path, Vec::new(), LONG_POLL_PATIENCE), json).await
    }

    /// Looks ratings up by the beginning of their hash.
    pub(crate) async fn ratings(
        &self,
        prefix: &str,
        query: &str,
        patience: Duration,
    ) -> Result<RatingsResponse, Trouble> {
        let path = format!("{RATINGS_PATH}{prefix}?{query}");
        self.exchange(self.request(Method::Get, path, Vec::new(), patience), json).await
    }

    fn request(&self, method: Method, path: String, body: Vec<u8>, patience: Duration) -> Request {
        Request { method, path, token: self.token(), body, patience }
    }

    async fn exchange<T>(&self, request: Request, read: impl FnOnce(&Answer) -> Option<T>) -> Result<T, Trouble> {
        if !self.awake.load(SeqCst) {
            return Err(Trouble::Offline);
        }
        let permit = match self.breaker().enter(self.clock.monotonic()) {
            Entry::Allowed(permit) => permit,
            Entry::Refused { retry_after_ms } => return Err(Trouble::Broken { retry_after_ms }),
        };
        let mut call = Call { client: self, permit: Some(permit) };
        let patience = request.patience;
        // Whoever sends keeps the limit as well; this one holds even if it does not.
        let exchange = match tokio::time::timeout(patience, self.network.transport.send(request)).await {
            Ok(exchange) => exchange,
            Err(_) => Err(crate::net::Failure::TimedOut),
        };
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

fn json<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_slice(&answer.body).ok()
}
