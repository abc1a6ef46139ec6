//! The live link's other end: what comes over it is kept, and what it hints at is fetched.

use std::sync::Arc;

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Signals, absorb};
use crate::{
    error::Result,
    features::{Cloud, Context, Ratings, escaped},
    model::{HealthCause, Service, ServiceState, UnixMillis},
    net::Failure,
    protocol::Rating,
    realtime::{Ended, LiveHost, LiveState, PollOutcome, Pull},
    remote::Trouble,
};

/// Where the live link brings everything.
pub(crate) struct Live {
    pub(crate) context: Arc<Context>,
    pub(crate) ratings: Ratings,
    pub(crate) signals: Arc<Signals>,
}

impl LiveHost for Live {
    fn ratings(&self, ratings: Vec<Rating>) -> BoxFuture<'_, ()> {
        async move {
            let now = self.context.time();
            let kept = match self.context.keep_said(ratings, now).await {
                Ok(news) => self.ratings.announce(&news).await,
                Err(error) => Err(error),
            };
            if kept.is_err() {
                // It comes again with a pull.
                self.signals.fetch_later();
            }
        }
        .boxed()
    }

    fn pull(&self, why: Pull) {
        if let (Pull::NewSession | Pull::Reset | Pull::Gap | Pull::Overflow | Pull::Unreadable, Some(cloud)) =
            (why, &self.context.cloud)
        {
            // What was not seen is in the pull: until that is here, what is known may be old.
            cloud.forget_live();
        }
        self.signals.fetch();
    }

    fn look_up(&self, topics: Vec<String>, over_socket: bool) {
        if let (true, Some(cloud)) = (over_socket, &self.context.cloud) {
            cloud.hold(&topics);
        }
        self.signals.look_up(topics);
    }

    fn server_time(&self, now: UnixMillis) {
        if let Some(cloud) = &self.context.cloud {
            cloud.heard_time(now, self.context.now());
        }
    }

    fn state(&self, state: LiveState) {
        let Some(cloud) = &self.context.cloud else { return };
        cloud.link_is(state);
        match health(state) {
            Some((state, cause)) => self.context.set_health(Service::Realtime, state, cause),
            None => self.context.show_no_link(),
        }
    }

    fn token_refused(&self, version: u64) {
        if let Some(cloud) = &self.context.cloud {
            cloud.client.note_refused(version);
        }
    }

    fn long_poll(&self) -> BoxFuture<'_, PollOutcome> {
        async move {
            match &self.context.cloud {
                Some(cloud) => self.poll(cloud).await.unwrap_or(PollOutcome::Failed),
                None => PollOutcome::Failed,
            }
        }
        .boxed()
    }
}

impl Drop for Live {
    /// The link that told this is gone, with its socket; by a panic it says no word of it itself.
    fn drop(&mut self) {
        if let Some(cloud) = &self.context.cloud {
            cloud.link_is(LiveState::Off);
        }
    }
}

impl Live {
    async fn poll(&self, cloud: &Cloud) -> Result<PollOutcome> {
        let before = cloud.sync_state().cursor;
        let cursor = before.as_ref().map(|cursor| format!("&cursor={}", escaped(cursor))).unwrap_or_default();
        let topics = absorb::topics(&self.ratings).join(",");
        let device = self.context.store.installation().device.clone();
        let response = match cloud.client.await_changes(&format!("device={device}&topics={topics}{cursor}")).await {
            Ok(response) => response,
            Err(Trouble::Auth) => return Ok(PollOutcome::Unauthorized),
            Err(Trouble::Resync) => {
                absorb::forget(&self.context, cloud).await?;
                self.signals.fetch();
                return Ok(PollOutcome::Changed);
            }
            Err(_) => return Ok(PollOutcome::Failed),
        };
        if cloud.sync_state().cursor != before {
            // A run was quicker, and may know more.
            return Ok(PollOutcome::Changed);
        }
        let (anything, more) = (!response.changes.is_empty(), response.has_more);
        absorb::absorb(&self.context, cloud, &self.ratings, Vec::new(), response).await?;
        if more {
            self.signals.fetch();
        }
        Ok(if anything { PollOutcome::Changed } else { PollOutcome::Nothing })
    }
}

/// How the link's state is shown; `None` for one that passes by itself in a moment, and where it depends on why there is
/// no link.
fn health(state: LiveState) -> Option<(ServiceState, HealthCause)> {
    Some(match state {
        LiveState::Connecting | LiveState::Off => return None,
        LiveState::Live { .. } => (ServiceState::Healthy, HealthCause::None),
        LiveState::Polling => (ServiceState::Degraded, HealthCause::Polling),
        LiveState::Unauthorized => (ServiceState::Unavailable, HealthCause::Unauthorized),
        LiveState::Waiting { why, .. } => (ServiceState::Unavailable, cause(why)),
    })
}

fn cause(why: Ended) -> HealthCause {
    match why {
        Ended::Failed(Failure::Offline) => HealthCause::Offline,
        Ended::Failed(Failure::Untrusted) => HealthCause::Untrusted,
        Ended::Unauthorized => HealthCause::Unauthorized,
        _ => HealthCause::ServerFailing,
    }
}
