//! The one server of a core, and the line to it. Nothing is set up before the first request: a core that is opened to
//! record a scan pays for no network.
//!
//! Requests and sockets go through the same client, so that one set of rules holds for both. It follows no redirect, uses
//! no proxy, keeps no cookie and reads nothing from the process's environment.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Client, redirect, retry};
use rustls::ClientConfig;

use super::{
    Failure, Limits,
    address::Address,
    lines::{Line, Lines},
    tls::Trust,
};
use crate::{clock::Clock, config::SyncConfig, error::Result};

/// Idle connections kept: one for the sync, one for a look-up beside it.
const IDLE_CONNECTIONS: usize = 2;
/// How long they are kept: over the pages of a run, and not so long that a phone's radio is woken to close them.
const KEPT_IDLE: Duration = Duration::from_secs(15);

pub(super) struct Server {
    pub(super) address: Address,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    trust: Trust,
    /// Kept when connections are dropped: it holds the sessions that make the next handshake quicker.
    tls: OnceLock<Option<ClientConfig>>,
    pub(super) lines: Lines,
}

impl Server {
    pub(super) fn of(config: &SyncConfig, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self> {
        Ok(Self {
            address: Address::of(config)?,
            trust: Trust::of(config)?,
            limits,
            clock,
            tls: OnceLock::new(),
            lines: Lines::default(),
        })
    }

    /// What requests are made with, set up when it is first needed.
    pub(super) fn line(&self) -> Result<Line, Failure> {
        self.lines.line(|| self.make_client())
    }

    fn make_client(&self) -> Result<Client, Failure> {
        let tls = self.tls.get_or_init(|| self.trust.client_config(self.clock.clone()).ok());
        // Without any way to check whom it speaks to, the core speaks to nobody.
        let tls = tls.clone().ok_or(Failure::Untrusted)?;
        Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(!self.address.is_plain())
            .http1_only()
            .http1_max_headers(self.limits.headers)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Whether something is sent again is decided where operations are known.
            .retry(retry::never())
            .connect_timeout(self.limits.connect)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(KEPT_IDLE)
            // Sockets have a heartbeat of their own; another one would only wake the radio.
            .tcp_keepalive(None)
            .user_agent(concat!("safescan-core/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| Failure::Untrusted)
    }
}
