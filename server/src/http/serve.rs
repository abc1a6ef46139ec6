//! Connections: accepted within bounds, served, and closed in the end.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::ServiceExt;

use super::stream::Patient;
use crate::{
    app::App,
    drain::{Busy, Stage},
    error::Result,
    faults,
};

/// Connections that the system may hold ready.
const BACKLOG: u32 = 1024;
/// What the system keeps for a client that does not read. Its default grows to megabytes for each.
const SEND_BUFFER: u32 = 256 * 1024;
/// Bytes in the headers: a token of 8 KiB and the rest.
const HEADER_BYTES: usize = 16 * 1024;
/// Lines in the headers.
const HEADERS: usize = 64;
/// How long to wait when the system has no more file descriptors.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);
/// How long the last answers may take to leave.
const LAST_BYTES: Duration = Duration::from_secs(5);
/// How often sessions that nobody came back to are forgotten.
const SWEEP: Duration = Duration::from_secs(5);

/// A place among the connections. Sockets keep it after their request has ended.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
    _open: Arc<Open>,
}

struct Open(Arc<App>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.connections.fetch_sub(1, Relaxed);
    }
}

/// Listens on an address.
///
/// # Errors
/// The address is taken, or not one of this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted sockets take it over.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` is done; then finishes what was begun, says goodbye on sockets, and closes the storage.
///
/// # Errors
/// The storage cannot be closed.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<()> {
    let routes = super::routes(&app);
    let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
    tokio::select! {
        () = accept(&app, &listener, &routes) => {}
        () = stop => {}
    }
    drop(listener);
    tracing::info!("draining");
    app.drain.reach(Stage::Draining);
    let time = Duration::from_secs(app.config.requests.drain_seconds.into());
    if tokio::time::timeout(time, app.drain.finished()).await.is_err() {
        tracing::warn!("not everything was finished in time");
    }
    app.drain.reach(Stage::Closing);
    drop(tokio::time::timeout(LAST_BYTES, app.drain.closed()).await);
    sweeper.abort();
    app.storage.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

async fn accept(app: &Arc<App>, listener: &TcpListener, routes: &Router) {
    let places = Arc::new(Semaphore::new(app.config.requests.max_connections as usize));
    loop {
        // Without a free place nobody is accepted: the system's queue is bounded, and so is a client's patience.
        let Ok(permit) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, peer)) => {
                app.metrics.connections.fetch_add(1, Relaxed);
                let place = Place { _permit: Arc::new(permit), _open: Arc::new(Open(Arc::clone(app))) };
                let open = app.drain.open();
                tokio::spawn(connection(Arc::clone(app), routes.clone(), socket, peer.ip(), place, open));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => tokio::time::sleep(OUT_OF_DESCRIPTORS).await,
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(app: Arc<App>, routes: Router, socket: TcpStream, peer: IpAddr, place: Place, _open: Busy) {
    // Answers are written whole: waiting for more to put into a packet only delays them.
    drop(socket.set_nodelay(true));
    let headers = Duration::from_secs(app.config.requests.header_seconds.into());
    let service = service_fn(|request: Request<Incoming>| {
        let (app, routes, place) = (Arc::clone(&app), routes.clone(), place.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(place);
            let answer =
                async move |request| routes.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
            match &app.faults {
                None => Ok(answer(request).await),
                Some(faults) => faults::before(faults, request, answer).await,
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Patient::new(socket)), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.drain.reached(Stage::Closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if ended.is_err() {
        tracing::debug!("a connection broke off");
    }
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        app.hub.sweep();
    }
}
