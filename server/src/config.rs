//! What an operator may set: a TOML file, every line of which has a default.
//! `safescan-server.example.toml` shows them all.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::rules::VoteLimits;

/// The configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who may ask.
    pub auth: AuthConfig,
    /// What a request may cost.
    pub requests: RequestConfig,
    /// How many votes are too many.
    pub votes: VoteLimits,
    /// Sockets.
    pub realtime: RealtimeConfig,
}

/// Who may ask.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// How requests are told apart.
    pub mode: AuthMode,
    /// For `tokens`: who has which.
    pub tokens: Vec<TokenConfig>,
    /// For `tokens`: a file with more of them, `TOKEN ACCOUNT` in each line.
    pub tokens_file: Option<PathBuf>,
    /// For `jwt`: the issuer's public key in PEM.
    pub jwt_public_key_file: Option<PathBuf>,
    /// For `jwt`: which algorithms are accepted.
    pub jwt_algorithms: Vec<String>,
    /// For `jwt`: `iss` must be this, if given.
    pub jwt_issuer: Option<String>,
    /// For `jwt`: `aud` must hold this, if given.
    pub jwt_audience: Option<String>,
}

/// Hides the tokens.
impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthConfig({:?})", self.mode)
    }
}

/// How requests are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Each device is an account of its own, and whoever names it is it.
    #[default]
    None,
    /// By a list of tokens.
    Tokens,
    /// By signed tokens whose subject is the account.
    Jwt,
}

/// A token and whose it is.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The token.
    pub token: String,
    /// The account.
    pub account: String,
}

/// What a request may cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestConfig {
    /// Operations in a request.
    pub max_ops: u32,
    /// Bytes in a request's body.
    pub max_bytes: u32,
    /// What devices are asked to wait between runs, in milliseconds.
    pub min_interval_ms: u32,
    /// Connections at a time; more wait in the system's queue.
    pub max_connections: u32,
    /// How long the headers of a request may take, and how long a connection may idle, in seconds.
    pub header_seconds: u32,
    /// How long a body may take, in seconds.
    pub body_seconds: u32,
    /// How long requests are finished for after a signal to stop, in seconds.
    pub drain_seconds: u32,
    /// Requests from one address: so many a second, and so many at once.
    pub address: RateConfig,
    /// Requests of one account.
    pub account: RateConfig,
    /// Requests that bring operations of one voter.
    pub voter: RateConfig,
    /// Whether the address is the last one in `X-Forwarded-For`: only behind a proxy that sets it.
    pub trust_forwarded_for: bool,
}

/// So many a second in the long run, and so many at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// In the long run.
    pub per_second: u32,
    /// After a rest.
    pub burst: u32,
}

impl Default for RequestConfig {
    fn default() -> Self {
        Self {
            // Some forty kilobytes of votes: an offline week in one request.
            max_ops: 200,
            max_bytes: 256 * 1024,
            // A device that syncs on every change must not do so with every key stroke.
            min_interval_ms: 2_000,
            max_connections: 10_000,
            header_seconds: 10,
            body_seconds: 30,
            // Less than the thirty seconds that orchestrators wait before they kill.
            drain_seconds: 20,
            // A school or a mobile carrier shares one address.
            address: RateConfig { per_second: 100, burst: 500 },
            // A few devices of one person, each catching up page by page.
            account: RateConfig { per_second: 20, burst: 120 },
            voter: RateConfig { per_second: 10, burst: 60 },
            trust_forwarded_for: false,
        }
    }
}

/// Sockets.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RealtimeConfig {
    /// How often devices ping, in milliseconds. Two and a half times this without a word close a socket.
    pub heartbeat_ms: u32,
    /// Topics of one session.
    pub max_topics: u32,
    /// How long a session waits for its device, in seconds.
    pub resume_seconds: u32,
    /// How long a new socket may be silent, in seconds.
    pub hello_seconds: u32,
    /// Sessions at a time, waiting ones as well.
    pub max_sessions: u32,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self {
            // Mobile carriers forget a silent connection after thirty seconds at the earliest.
            heartbeat_ms: 25_000,
            max_topics: 256,
            // A tunnel, a lift, an app in the background for a moment.
            resume_seconds: 300,
            hello_seconds: 10,
            max_sessions: 50_000,
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// In a line: what is wrong, and where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the configuration file {} cannot be read: {error}", path.display()))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            format!("{}:{line}: {}", path.display(), error.message().replace('\n', " "))
        })?;
        config.check().map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let AuthConfig { mode, tokens, tokens_file, jwt_public_key_file, .. } = &self.auth;
        if *mode == AuthMode::Tokens && tokens.is_empty() && tokens_file.is_none() {
            return Err("auth.mode is \"tokens\", and there are neither [[auth.tokens]] nor auth.tokens_file".into());
        }
        if *mode == AuthMode::Jwt && jwt_public_key_file.is_none() {
            return Err("auth.mode is \"jwt\", and auth.jwt_public_key_file is missing".into());
        }
        if tokens.iter().any(|token| token.token.is_empty() || token.account.is_empty()) {
            return Err("auth.tokens: token and account must not be empty".into());
        }
        let requests = &self.requests;
        for (name, number, least) in [
            ("requests.max_ops", requests.max_ops, 1),
            ("requests.max_bytes", requests.max_bytes, 1024),
            ("requests.max_connections", requests.max_connections, 1),
            ("requests.header_seconds", requests.header_seconds, 1),
            ("requests.body_seconds", requests.body_seconds, 1),
            ("realtime.heartbeat_ms", self.realtime.heartbeat_ms, 100),
            ("realtime.hello_seconds", self.realtime.hello_seconds, 1),
            ("realtime.max_sessions", self.realtime.max_sessions, 1),
        ] {
            if number < least {
                return Err(format!("{name} must be at least {least}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_shows_the_defaults() {
        let text = include_str!("../safescan-server.example.toml");
        let shown: Config = toml::from_str(text).expect("the example can be read");
        assert_eq!(format!("{shown:?}"), format!("{:?}", Config::default()));
        for name in ["max_ops", "trust_forwarded_for", "jwt_public_key_file", "account_per_day", "max_sessions"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
