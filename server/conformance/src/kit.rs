use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use reqwest::{
    Client, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use safescan_core::{
    model::{DAY_MS, MINUTE_MS, UnixMillis},
    protocol::{Problem, SYNC_PATH, SyncResponse, read},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    check::{Check, Failure, expect, show},
    clock::ServerClock,
    phone::Phone,
    text,
};

/// How long any answer may take; a held one is given up by the server after fifteen seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a request is repeated that comes too soon.
const TRIES: u32 = 8;

/// Which server, and who asks.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the server is; paths are appended.
    pub base: String,
    /// For servers that want one.
    pub token: Option<String>,
    /// Of another account.
    pub other_token: Option<String>,
}

/// A server, and what is needed to talk to it.
pub struct Kit {
    http: Client,
    options: Options,
    clock: ServerClock,
    /// Moments handed out so far.
    moments: AtomicI64,
    /// What the server said it takes.
    limits: Mutex<safescan_core::protocol::Limits>,
}

/// An answer, as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Chooses who encrypts, for the whole process, unless somebody has chosen already. Without a choice no HTTP client can be
/// made, not even for servers on this machine.
pub fn prepare_tls() {
    // An error means that the choice was made before.
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl Kit {
    /// Asks the server for its clock.
    ///
    /// # Errors
    /// In a line: why it cannot be talked to.
    pub async fn connect(options: &Options) -> Result<Self, String> {
        prepare_tls();
        let mut options = options.clone();
        options.base = options.base.trim_end_matches('/').to_owned();
        let http = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).build();
        let http = http.map_err(|error| format!("no HTTP: {error}"))?;
        let kit = Self {
            http,
            options,
            clock: ServerClock::told(UnixMillis(0)),
            // Each run looks at other days, so that runs do not use up each other's minutes.
            moments: AtomicI64::new(i64::try_from(text::number(20 * 24 * 60)).unwrap_or(0)),
            limits: Mutex::default(),
        };
        let body = json!({"data": [], "timestamp": 0, "protocol": 1, "device": text::device()}).to_string();
        let token = kit.options.token.clone();
        let answer = kit.post(SYNC_PATH, body.into(), token.as_deref()).await.map_err(|failure| failure.came)?;
        if answer.status == 401 {
            return Err("the server wants a token: --token".into());
        }
        let response: SyncResponse = answer.read(200).map_err(|failure| failure.to_string())?;
        *kit.limits.lock().unwrap_or_else(PoisonError::into_inner) = response.limits;
        Ok(Self { clock: ServerClock::told(response.server_time), ..kit })
    }

    /// The server's now.
    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// A moment in the past, ten minutes away from any other, so that cases do not crowd each other's minutes.
    pub(crate) fn moment(&self) -> UnixMillis {
        let number = self.moments.fetch_add(10, Relaxed) % (24 * 60 * 24);
        self.now().minus(DAY_MS + number * MINUTE_MS)
    }

    /// A new device of the account, or with one of its own.
    pub(crate) fn phone(&self) -> Phone<'_> {
        Phone::new(self, self.options.token.clone())
    }

    /// A new device of another account.
    pub(crate) fn stranger(&self) -> Phone<'_> {
        Phone::new(self, self.options.other_token.clone().or_else(|| self.options.token.clone()))
    }

    pub(crate) fn shares_accounts(&self) -> bool {
        self.options.token.is_some()
    }

    pub(crate) fn has_strangers(&self) -> bool {
        self.options.token.is_none() || self.options.other_token.is_some()
    }

    pub(crate) fn limits(&self) -> safescan_core::protocol::Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>, token: Option<&str>) -> Check<Answer> {
        self.send(Method::POST, path, &[], Some(body), token).await
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)], token: Option<&str>) -> Check<Answer> {
        self.send(Method::GET, path, query, None, token).await
    }

    /// Sends, and again after a while if it came too soon.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
        token: Option<&str>,
    ) -> Check<Answer> {
        for _ in 0..TRIES {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.options.base)).query(query);
            if let Some(body) = &body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let unreachable = |error: reqwest::Error| {
                let mut causes = format!("{error}");
                let mut cause = std::error::Error::source(&error);
                while let Some(deeper) = cause {
                    causes = format!("{causes}: {deeper}");
                    cause = deeper.source();
                }
                Failure::new("an answer", causes)
            };
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status().as_u16();
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let (content_type, retry_after) = (header(CONTENT_TYPE).unwrap_or_default(), header(RETRY_AFTER));
            let body = response.bytes().await.map_err(unreachable)?.to_vec();
            if status != 429 {
                return Ok(Answer { status, content_type, body });
            }
            let seconds = retry_after.and_then(|seconds| seconds.parse().ok());
            let Some(seconds) = seconds else {
                return Err(Failure::new("429 with Retry-After in seconds (§11)", "429 without"));
            };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        Err(Failure::new(format!("an answer within {TRIES} tries, each after Retry-After"), "429 each time"))
    }

    /// Where the socket is.
    pub(crate) fn socket_url(&self) -> String {
        let base = self.options.base.replacen("http", "ws", 1);
        format!("{base}{}", safescan_core::protocol::SOCKET_PATH)
    }
}

impl Answer {
    /// Reads a message out of an answer of this status.
    pub(crate) fn read<T: DeserializeOwned>(&self, status: u16) -> Check<T> {
        expect(self.status == status, format!("status {status}"), &self.shown())?;
        let json = self.content_type.starts_with("application/json");
        expect(json, "Content-Type application/json (§2.4)", &self.content_type)?;
        read(&self.body).map_err(|error| {
            Failure::new(format!("a {}", std::any::type_name::<T>()), format!("{error}: {}", self.shown()))
        })
    }

    /// Expects a refused request.
    pub(crate) fn refused(&self, status: u16, code: &str) -> Check {
        let expected = format!("status {status} with code {code}");
        expect(self.status == status, expected.as_str(), &self.shown())?;
        let problem: Problem =
            read(&self.body).map_err(|_| Failure::new("a problem (§11)", self.shown().to_string()))?;
        expect(problem.code == code, expected, &problem)?;
        expect(problem.status == status, format!("`status` {status} in the problem"), &problem)?;
        let kind = self.content_type.starts_with("application/problem+json");
        expect(kind, "Content-Type application/problem+json (§2.4)", &self.content_type)
    }

    /// For people.
    pub(crate) fn shown(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.into_owned()));
        json!({"status": self.status, "body": body})
    }
}

/// Serves as a message in failures.
impl From<&Answer> for String {
    fn from(answer: &Answer) -> Self {
        show(&answer.shown())
    }
}
