use std::{future::Future, pin::Pin, time::Duration};

use safescan_core::{
    net::{Answer, Failure, Request, SyncTransport},
    protocol::codes,
};
use tokio::{sync::oneshot, time};

use super::{Link, Moment, faults::Fate};
use crate::{
    model::{Reply, problem},
    time::millis,
};

impl SyncTransport for Link {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + '_>> {
        Box::pin(self.carry(request))
    }
}

impl Link {
    async fn carry(&self, request: Request) -> Result<Answer, Failure> {
        let number = self.next_name();
        let fate = self.weather().fate(&self.0.statuses, &mut self.0.dice.lock().unwrap());
        self.note(format_args!(
            "request {number} {:?} {} {fate:?} {}",
            request.method,
            request.path,
            String::from_utf8_lossy(&request.body)
        ));
        if !self.count(fate != Fate::Pass, &request) {
            // A loop without a pause would keep virtual time from passing.
            std::future::pending::<()>().await;
        }
        let result = self.meet(number, request, fate).await;
        match &result {
            Ok(answer) => self.note(format_args!(
                "answer {number} {} {:?} {}",
                answer.status,
                answer.retry_after_ms,
                String::from_utf8_lossy(&answer.body)
            )),
            Err(failure) => self.note(format_args!("answer {number} {failure:?}")),
        }
        self.pass(Moment::Answered);
        result
    }

    async fn meet(&self, number: u64, request: Request, fate: Fate) -> Result<Answer, Failure> {
        let (there, back) = (self.latency(), self.latency());
        let patience = request.patience;
        match fate {
            Fate::Offline => {
                wait(there.min(50)).await;
                Err(Failure::Offline)
            }
            Fate::Untrusted => {
                wait(there).await;
                Err(Failure::Untrusted)
            }
            Fate::LostRequest => {
                wait(there).await;
                Err(Failure::Interrupted)
            }
            Fate::Silence => {
                time::sleep(patience).await;
                Err(Failure::TimedOut)
            }
            Fate::SilenceAfter => {
                drop(self.deliver(number, request, there));
                time::sleep(patience).await;
                Err(Failure::TimedOut)
            }
            Fate::Portal => {
                wait(there + back).await;
                let body = b"<!doctype html><title>Welcome to our Wi-Fi</title>".to_vec();
                Ok(Answer { status: 200, retry_after_ms: None, is_json: false, body })
            }
            Fate::Status(status) => {
                wait(there + back).await;
                Ok(refusal(status))
            }
            Fate::SlowDown(after) => {
                wait(there + back).await;
                let answer = problem(429, codes::RATE_LIMITED, true);
                Ok(Answer { retry_after_ms: Some(after), ..answer })
            }
            Fate::TooLarge => {
                drop(self.deliver(number, request, there));
                wait(there + back).await;
                Err(Failure::TooLarge)
            }
            Fate::LostAnswer => {
                let answer = self.deliver(number, request, there);
                drop(in_time(answer, patience).await?);
                Err(Failure::Interrupted)
            }
            Fate::Twice(later) => {
                let again = self.deliver(number, request.clone(), there + later);
                drop(again);
                let answer = in_time(self.deliver(number, request, there), patience).await?;
                wait(back).await;
                Ok(answer)
            }
            Fate::Pass | Fate::Late(_) | Fate::Truncated | Fate::WrongType | Fate::WrongShape => {
                let back = if let Fate::Late(more) = fate { back + more } else { back };
                let coming = self.deliver(number, request, there);
                let whole = async {
                    let answer = coming.await;
                    wait(back).await;
                    answer
                };
                let answer = in_time(whole, patience).await?;
                Ok(spoil(answer, fate))
            }
        }
    }

    /// Brings a request to the server, whoever still waits for the answer: what was sent is on its way.
    fn deliver(&self, number: u64, request: Request, after: i64) -> oneshot::Receiver<Answer> {
        let (mut answer, coming) = oneshot::channel();
        let link = self.clone();
        tokio::spawn(async move {
            wait(after).await;
            let grid = &link.0.grid;
            let mut request = request;
            let ask = |request: &Request| grid.server(|server| server.handle(request, grid.timeline.server()));
            let done = loop {
                match ask(&request) {
                    Reply::Now(done) => break done,
                    Reply::Hold(ms) => {
                        let limit = time::sleep(Duration::from_millis(ms.into()));
                        tokio::pin!(limit);
                        let over = loop {
                            tokio::select! {
                                biased;
                                () = answer.closed() => return,
                                () = &mut limit => break true,
                                () = grid.revised.notified() => match ask(&request) {
                                    Reply::Now(_) => break false,
                                    Reply::Hold(_) => {}
                                },
                            }
                        };
                        if over {
                            request.path = request.path.replace("live=1", "live=0");
                        }
                    }
                }
            };
            link.note(format_args!("arrived {number}"));
            link.pass(Moment::Arrived);
            drop(answer.send(done));
        });
        coming
    }
}

async fn wait(ms: i64) {
    time::sleep(millis(ms)).await;
}

async fn in_time(
    answer: impl Future<Output = Result<Answer, oneshot::error::RecvError>>,
    patience: Duration,
) -> Result<Answer, Failure> {
    match time::timeout(patience, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Failure::Interrupted),
        Err(_) => Err(Failure::TimedOut),
    }
}

fn spoil(mut answer: Answer, fate: Fate) -> Answer {
    match fate {
        Fate::Truncated => answer.body.truncate(answer.body.len() / 2),
        Fate::WrongType => answer.is_json = false,
        Fate::WrongShape => answer.body = br#"{"status":"ok"}"#.to_vec(),
        _ => {}
    }
    answer
}

/// An answer of something that is not the server, or is not well.
fn refusal(status: u16) -> Answer {
    match status {
        401 => problem(401, codes::AUTH, false),
        409 | 410 => problem(status, codes::CURSOR_INVALID, false),
        413 => problem(413, codes::TOO_LARGE, false),
        426 => problem(426, codes::UPGRADE_REQUIRED, false),
        400 | 422 => problem(status, codes::MALFORMED, false),
        status => {
            let body = format!("<html><h1>{status}</h1></html>").into_bytes();
            Answer { status, retry_after_ms: None, is_json: false, body }
        }
    }
}
