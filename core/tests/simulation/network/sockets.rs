use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use futures_util::{Sink, Stream};
use safescan_core::net::{Failure, Frame, RealtimeConnector, Socket};
use tokio::{sync::mpsc, time};

use super::{
    Link,
    faults::{End, Opening, Weather},
};
use crate::{model::Outgoing, time::millis};

/// How long a socket may take to be opened, by the core's own limits.
const PATIENCE_MS: i64 = 10_000;

impl RealtimeConnector for Link {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>> {
        Box::pin(self.open())
    }
}

impl Link {
    async fn open(&self) -> Result<Socket, Failure> {
        let name = self.next_name();
        let weather = self.weather();
        let opening = weather.opening(&mut self.0.dice.lock().unwrap());
        self.note(format_args!("socket {name} {opening:?}"));
        self.0.traffic.lock().unwrap().connects += 1;
        let latency = self.latency();
        let failure = match opening {
            Opening::Pass => None,
            Opening::Offline => Some((latency.min(50), Failure::Offline)),
            Opening::Refused(status) => Some((2 * latency, Failure::Refused(Some(status)))),
            Opening::Silence => Some((PATIENCE_MS, Failure::TimedOut)),
        };
        if let Some((after, failure)) = failure {
            time::sleep(millis(after)).await;
            self.note(format_args!("socket {name} {failure:?}"));
            return Err(failure);
        }
        time::sleep(millis(2 * latency)).await;
        let life = weather.life(&mut self.0.dice.lock().unwrap());
        let now = self.0.grid.timeline.ms();
        let end = life.map(|(ms, end)| (now + ms, end)).filter(|(at, _)| *at < self.0.forecast.clears_up());
        Ok(self.wire(name, end))
    }

    /// Lays the two directions of a socket.
    fn wire(&self, name: u64, end: Option<(i64, End)>) -> Socket {
        let grid = &self.0.grid;
        let held = {
            let mut held = self.0.held.lock().unwrap();
            held.insert(name);
            held.len()
        };
        self.note(format_args!("socket {name} open, {end:?}"));
        if held > 1 {
            grid.offend(format_args!("phone {} holds {held} sockets", self.0.phone));
        }
        let (server_says, from_server) = mpsc::unbounded_channel();
        let (to_phone, phone_hears) = mpsc::unbounded_channel();
        let (phone_says, from_phone) = mpsc::unbounded_channel();
        grid.sockets.lock().unwrap().insert(name, server_says);
        grid.server(|server| server.sockets.opened(name));
        let dead = Arc::new(AtomicBool::new(false));
        tokio::spawn(self.clone().down(name, from_server, to_phone, end, Arc::clone(&dead)));
        tokio::spawn(self.clone().up(name, from_phone, end, dead));
        let incoming = Incoming { frames: phone_hears, name, link: self.clone() };
        Socket { incoming: Box::pin(incoming), outgoing: Box::pin(Speaking(phone_says)) }
    }

    /// Whether a socket leads nowhere any more: it was used while there was no network.
    fn is_cut(&self, dead: &AtomicBool) -> bool {
        let cut = matches!(self.weather(), Weather::Offline | Weather::Portal);
        dead.fetch_or(cut, SeqCst) || cut
    }

    /// Carries what the server says, in order.
    async fn down(
        self,
        name: u64,
        mut from_server: mpsc::UnboundedReceiver<Outgoing>,
        to_phone: mpsc::UnboundedSender<Result<Frame, Failure>>,
        end: Option<(i64, End)>,
        dead: Arc<AtomicBool>,
    ) {
        let timeline = self.0.grid.timeline;
        loop {
            let said = tokio::select! {
                biased;
                () = to_phone.closed() => break,
                () = over(&self, end) => {
                    match end {
                        Some((_, End::Silence)) => {
                            self.note(format_args!("socket {name} falls silent"));
                            // Nobody is told; the phone hears nothing until it gives up.
                            to_phone.closed().await;
                        }
                        _ => {
                            self.note(format_args!("socket {name} breaks"));
                            drop(to_phone.send(Err(Failure::Interrupted)));
                            self.0.grid.server(|server| server.sockets.closed(name, timeline.server()));
                        }
                    }
                    break;
                }
                said = from_server.recv() => said,
            };
            let Some(said) = said else { break };
            time::sleep(millis(self.latency())).await;
            if end.is_some_and(|(at, _)| at <= timeline.ms()) || self.is_cut(&dead) {
                continue;
            }
            let (frame, last) = match said {
                Outgoing::Text(text) => {
                    let lost = self.weather().lost_frames();
                    if self.0.dice.lock().unwrap().chance(lost) {
                        self.note(format_args!("socket {name} loses {text}"));
                        continue;
                    }
                    self.note(format_args!("socket {name} < {text}"));
                    (Ok(Frame::Text(text)), false)
                }
                Outgoing::Close(code) => (Ok(Frame::Close(Some(code))), true),
                Outgoing::Reset => (Err(Failure::Interrupted), true),
            };
            drop(to_phone.send(frame));
            if last {
                self.note(format_args!("socket {name} closed by the server"));
                break;
            }
        }
        self.0.grid.sockets.lock().unwrap().remove(&name);
    }

    /// Carries what the phone says, in order, until it lets go.
    async fn up(
        self,
        name: u64,
        mut from_phone: mpsc::UnboundedReceiver<String>,
        end: Option<(i64, End)>,
        dead: Arc<AtomicBool>,
    ) {
        let grid = &self.0.grid;
        while let Some(text) = from_phone.recv().await {
            self.0.traffic.lock().unwrap().frames += 1;
            time::sleep(millis(self.latency())).await;
            if end.is_some_and(|(at, _)| at <= grid.timeline.ms()) || self.is_cut(&dead) {
                continue;
            }
            self.note(format_args!("socket {name} > {text}"));
            grid.server(|server| server.frame(name, &text, grid.timeline.server()));
        }
        self.note(format_args!("socket {name} let go"));
        let silent = end.is_some_and(|(at, how)| how == End::Silence && at <= grid.timeline.ms());
        if !silent && !self.is_cut(&dead) {
            grid.server(|server| server.sockets.closed(name, grid.timeline.server()));
        }
    }
}

/// Waits for a socket's planned end.
async fn over(link: &Link, end: Option<(i64, End)>) {
    match end {
        Some((at, _)) => link.0.grid.timeline.until(at).await,
        None => std::future::pending().await,
    }
}

/// The phone holds the socket as long as it holds this.
struct Incoming {
    frames: mpsc::UnboundedReceiver<Result<Frame, Failure>>,
    name: u64,
    link: Link,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.link.0.held.lock().unwrap().remove(&self.name);
    }
}

impl Stream for Incoming {
    type Item = Result<Frame, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.frames.poll_recv(context)
    }
}

struct Speaking(mpsc::UnboundedSender<String>);

impl Sink<String> for Speaking {
    type Error = Failure;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(if self.0.is_closed() { Err(Failure::Interrupted) } else { Ok(()) })
    }

    fn start_send(self: Pin<&mut Self>, text: String) -> Result<(), Failure> {
        self.0.send(text).map_err(|_| Failure::Interrupted)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }
}
