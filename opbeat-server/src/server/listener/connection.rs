//! Serves one connection, until its client leaves, it waits too long, it makes room, or the server stops.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::limits::ConnectionLimits;
use super::registry::{Entry, Place};
use super::requests::Requests;
use super::stream::Watched;
use crate::server::tls::Tls;
use crate::site::Connection;

/// The largest head of a request in HTTP/1, in bytes. It is also the size of what is read of a body at once.
const MAX_HEAD: usize = 128 << 10;

/// The time between two questions whether a client of HTTP/2 is still there, and the time it has to answer.
const PING: std::time::Duration = std::time::Duration::from_secs(20);

/// The most requests at a time on one connection of HTTP/2.
const MAX_STREAMS: u32 = 100;

/// The parts that all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) limits: ConnectionLimits,
    pub(super) tls: Option<Tls>,
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Returns the settings of HTTP/1.1 and HTTP/2.
pub(super) fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // `supervise` measures the time of heads, since hyper's own limit is also one for the time between requests.
    // A head that does not end is kept in memory until its time is over.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(MAX_STREAMS);
    builder
}

/// Serves a connection.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, place: Place) {
    // Answers are written at once. An error means that the client disconnected.
    let _ = stream.set_nodelay(true);
    let entry = &place.entry;
    let Some(tls) = &shared.tls else {
        let connection = Connection { peer, is_tls: false };
        return supervise(&shared, Watched::new(stream, Arc::clone(&entry.activity)), connection, entry).await;
    };
    let mut stopped = shared.stopped.clone();
    let stream = tokio::select! {
        accepted = tokio::time::timeout(shared.limits.head_timeout, tls.accept(stream)) => match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, %peer, "a client did not complete the handshake of TLS"),
            Err(_) => return tracing::debug!(%peer, "the handshake of TLS took too long"),
        },
        () = entry.leave.notified() => return,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    let connection = Connection { peer, is_tls: true };
    supervise(&shared, Watched::new(stream, Arc::clone(&entry.activity)), connection, entry).await;
}

/// Runs a connection. Each wake of its task, by the client or by a handler, looks at its deadline again.
async fn supervise<S>(shared: &Shared, stream: Watched<S>, connection: Connection, entry: &Entry)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::clone(&entry.activity);
    let requests = Requests { router: shared.router.clone(), connection, activity };
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(stream), requests));
    let mut receiver = shared.stopped.clone();
    let mut stopping = pin!(receiver.wait_for(|stopped| *stopped));
    let mut stopped = None;
    let mut leave = pin!(entry.leave.notified());
    let mut timer = pin!(sleep_until(entry.activity.deadline(&shared.limits)));
    std::future::poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        // An error means that the server was dropped without being shut down: stop as well.
        if stopped.is_none() && stopping.as_mut().poll(context).is_ready() {
            stopped = Some(Instant::now());
            connection.as_mut().graceful_shutdown();
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
        }
        let mut has_to_leave = false;
        while leave.as_mut().poll(context).is_ready() {
            leave.set(entry.leave.notified());
            has_to_leave = entry.activity.waits_since().is_some();
            if !has_to_leave {
                entry.stays();
            }
        }
        loop {
            let deadline = match stopped {
                Some(stopped) => entry.activity.stop_deadline(stopped),
                None => entry.activity.deadline(&shared.limits),
            };
            if has_to_leave || deadline <= Instant::now() {
                // A client of HTTP/2 gets the notice that the connection ends, if it can be sent at once.
                connection.as_mut().graceful_shutdown();
                let _ = connection.as_mut().poll(context);
                return Poll::Ready(());
            }
            // A timer that ends too early is set again then. That costs less than to set it at each wake.
            if deadline < timer.deadline() || timer.is_elapsed() {
                Pin::as_mut(&mut timer).reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}
