//! Bringing what happened on this device to the server, and what happened elsewhere to this device.
//!
//! # The life of a change
//!
//! ```text
//!            commit                    take_due                  result
//!  use-case ────────► pending ───────────────────► in flight ─────────────► gone
//!                        ▲                            │  │
//!                        └──── no answer, a kill ─────┘  └──► parked (auth, schema, rejected, poison)
//!                                                                 │ retry, a new token, a new version
//!                        ▲────────────────────────────────────────┘
//! ```
//!
//! A change gets its id and place with the transaction that makes it, and keeps both however often it is sent: the
//! server knows it again. Before it is first sent that is written down, so that a change which may be on its way is
//! never merged with a later one.
//!
//! # A run
//!
//! One run (`run`) at a time: release what an earlier one left in flight; send what is due in batches and fetch
//! changes with each; go on until nothing is due and nothing is left to fetch. What an answer brings is kept in an order
//! that a kill cannot hurt: ratings into the cache, then results and the account's changes into the main database in one
//! transaction, then the cursor into the cache. Each step can be done twice.
//!
//! # When
//!
//! The pump (`pump`) sleeps until it is told of something: a commit that queued a change, the network, the app coming
//! to the front, a token, a hint from the socket, somebody who asks. A timer runs only while something is due later.
//! What to do is decided by `plan`, a function of the situation.

mod absorb;
mod back_fill;
mod batch;
mod live;
mod plan;
mod pump;
mod run;
mod settle;
mod signals;

use std::{sync::Arc, time::Duration};

pub(crate) use self::{live::Live, pump::Pump, signals::Signals};
use crate::{
    error::{Error, Problem, Result},
    features::Context,
    model::{BackgroundRun, HealthCause, NetworkState, Service, ServiceState, SyncReport, Token},
    remote::Trouble,
};

/// Synchronisation with the server.
pub struct Sync {
    pub(crate) context: Arc<Context>,
    pub(crate) signals: Arc<Signals>,
}

impl Sync {
    /// Sends and fetches now, and tells how it went. Callers at the same time share one run that began after the call.
    ///
    /// # Errors
    /// No server is configured, it cannot be reached, or it wants another token. Nothing is lost.
    pub async fn now(&self) -> Result<SyncReport> {
        self.configured()?;
        self.signals.run().await
    }

    /// The same within a deadline, for the short time that the system gives an app in the background.
    ///
    /// # Errors
    /// As [`now`](Self::now), but for a run that did not come to its end in time.
    pub async fn run_once(&self, deadline: Duration) -> Result<BackgroundRun> {
        self.configured()?;
        let under_way = self.context.cloud.as_ref().map(|cloud| cloud.client.under_way());
        if let Ok(result) = tokio::time::timeout(deadline, self.signals.run()).await {
            return result.map(|report| BackgroundRun { finished: true, report });
        }
        drop(under_way);
        self.signals.give_up_in_background();
        let report = SyncReport { waiting: self.waiting().await?, ..SyncReport::default() };
        Ok(BackgroundRun { finished: false, report })
    }

    /// What the system says of the network.
    pub fn set_network(&self, network: NetworkState) {
        if let Some(cloud) = &self.context.cloud {
            if network == NetworkState::Online {
                cloud.client.forgive();
            }
            cloud.set_network(network);
            self.context.show_no_link();
            if network == NetworkState::Offline {
                self.context.set_health(Service::CloudSync, ServiceState::Unavailable, HealthCause::Offline);
            }
        }
        self.signals.set_network(network);
    }

    /// Gives the token that requests are made with, or none. What waited for one goes on.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn set_token(&self, token: Option<Token>) -> Result<()> {
        self.configured()?;
        if let Some(cloud) = &self.context.cloud {
            cloud.set_token(token);
        }
        settle::unpark(&self.context, crate::model::ParkedReason::Auth).await?;
        self.signals.new_token();
        Ok(())
    }

    async fn waiting(&self) -> Result<u32> {
        self.context.read(crate::storage::dispatch::unsettled).await
    }

    fn configured(&self) -> Result<()> {
        match self.context.cloud {
            Some(_) => Ok(()),
            None => Err(Error::invalid("sync", Problem::Is("is not part of the configuration"))),
        }
    }
}

/// What a caller is told of a run that did not come to its end.
fn told(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Auth => Error::Unauthorized,
        Trouble::RateLimited { retry_after_ms } => Error::RateLimited { retry_after_ms: retry_after_ms.unwrap_or(0) },
        Trouble::SetUp { status } | Trouble::Shape { status } => {
            Error::NoServer { what: trouble.text(), status: Some(status) }
        }
        _ => Error::NoServer { what: trouble.text(), status: None },
    }
}
