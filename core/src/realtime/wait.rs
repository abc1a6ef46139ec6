//! What the link does while it has no socket. Whatever it is, a change of what is wanted ends it at once.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    select,
    time::{sleep, sleep_until},
};

use super::{
    Ended, LiveState, PollOutcome,
    link::{Heed, LiveLink},
    retry::{Next, SLOW_MS, between},
};
use crate::protocol::LONG_POLL_MS;

/// How soon a long poll may follow one that brought something: as often as the reference server wants to be asked.
const AFTER_CHANGES: Duration = Duration::from_secs(2);
/// How soon after one that brought nothing: as long as a server that holds requests would have held it. From one that
/// does not, nothing is to be had by asking more often.
const AFTER_NOTHING: Duration = Duration::from_millis(LONG_POLL_MS as u64);

impl LiveLink {
    /// Until it is wanted: no timer, no socket.
    pub(super) async fn rest(&mut self) -> Next {
        loop {
            let live = {
                let wanted = self.wanted.borrow_and_update();
                self.memory.forget_all_but(&wanted.topics);
                wanted.live
            };
            if live {
                return Next::Connect;
            }
            self.voice.tell(LiveState::Off);
            if self.wanted.changed().await.is_err() {
                return Next::Stop;
            }
        }
    }

    /// Until the time has come, or the network.
    pub(super) async fn wait(&mut self, why: Ended, ms: u32, until_network: bool) -> Next {
        self.voice.tell(LiveState::Waiting { why, ms });
        let heed = if until_network { Heed::All } else { Heed::Nothing };
        match self.attend(sleep(Duration::from_millis(ms.into())), heed).await {
            Ok(()) => Next::Connect,
            Err(ended) => self.next_after(ended),
        }
    }

    /// Until there is another token.
    pub(super) async fn await_token(&mut self) -> Next {
        self.voice.tell(LiveState::Unauthorized);
        match self.attend(std::future::pending::<std::convert::Infallible>(), Heed::TokenOnly).await {
            Ok(never) => match never {},
            Err(Ended::Outdated) => {
                let random = self.random();
                self.retry.with_new_token(random)
            }
            Err(ended) => self.next_after(ended),
        }
    }

    /// Asks for changes until it is time to try a socket again. Worth it only while it works: if nobody answers polls
    /// either, it is not the socket that is to blame, and the usual tries go on.
    pub(super) async fn poll(&mut self) -> Next {
        self.voice.tell(LiveState::Polling);
        let slow = between(SLOW_MS, self.random());
        let mut probe = pin!(sleep(Duration::from_millis(slow.into())));
        let host = Arc::clone(&self.voice.host);
        loop {
            self.look_up_new_topics();
            // Moments only: what is waited for is known when the answer is there.
            let (soon, later) = (sleep(AFTER_CHANGES).deadline(), sleep(AFTER_NOTHING).deadline());
            let pause = match self.attend(host.long_poll(), Heed::All).await {
                Ok(PollOutcome::Changed) => soon,
                Ok(PollOutcome::Nothing) => later,
                Ok(PollOutcome::Failed) => return self.next_after(Ended::NoAnswer),
                Ok(PollOutcome::Unauthorized) => return self.next_after(Ended::Unauthorized),
                Err(ended) => return self.next_after(ended),
            };
            self.retry.start_over();
            let due = async {
                select! { biased;
                    () = &mut probe => true,
                    () = sleep_until(pause) => false,
                }
            };
            match self.attend(due, Heed::All).await {
                Ok(true) => return Next::Connect,
                Ok(false) => {}
                Err(ended) => return self.next_after(ended),
            }
        }
    }

    /// Does some work, unless something comes that makes it pointless.
    pub(super) async fn attend<F: Future>(&mut self, work: F, heed: Heed) -> Result<F::Output, Ended> {
        let mut work = pin!(work);
        loop {
            select! { biased;
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        return Err(Ended::Abandoned);
                    }
                    let wanted = self.wanted.borrow_and_update();
                    self.memory.forget_all_but(&wanted.topics);
                    if let Some(ended) = self.terms.broken_by(&wanted, heed) {
                        return Err(ended);
                    }
                }
                done = &mut work => return Ok(done),
            }
        }
    }

    /// Over a socket a topic is looked up once it is held. Here the cursor is older than the look-up: no gap either.
    fn look_up_new_topics(&mut self) {
        let topics = self.wanted.borrow().topics.clone();
        let new: Vec<String> = topics.difference(&self.memory.known).cloned().collect();
        self.memory.known = topics;
        if !new.is_empty() {
            self.voice.host.look_up(new, false);
        }
    }
}
