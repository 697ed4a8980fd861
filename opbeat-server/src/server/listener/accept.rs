//! Accepts connections on all addresses of the server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{self, Shared};
use super::limits::ConnectionLimits;
use super::refuse::Refuser;
use super::registry::Registry;
use crate::occasional::Occasional;
use crate::server::tls::Tls;
use crate::site::Sites;

/// The pauses after a connection could not be accepted: the first one, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// The parts of a listener.
pub(in crate::server) struct Listener {
    pub(in crate::server) sockets: Vec<TcpListener>,
    pub(in crate::server) limits: ConnectionLimits,
    pub(in crate::server) sites: Arc<Sites>,
    pub(in crate::server) tls: Option<Tls>,
}

/// Serves until `stopped` is true. Then it accepts no more connections, and finishes the running requests.
pub(in crate::server) async fn serve(listener: Listener, router: Router, stopped: watch::Receiver<bool>) {
    let Listener { sockets, limits, sites, tls } = listener;
    let registry = Arc::new(Registry::new(&limits, sites));
    let refuser = Refuser::new(tls.is_some());
    let errors = Arc::new(Occasional::new());
    let shared = Arc::new(Shared { router, limits, tls, builder: connection::builder(), stopped: stopped.clone() });
    let mut tasks = JoinSet::new();
    for socket in sockets {
        let accept = Accept {
            registry: Arc::clone(&registry),
            refuser: refuser.clone(),
            errors: Arc::clone(&errors),
            shared: Arc::clone(&shared),
        };
        tasks.spawn(accept.run(socket, stopped.clone()));
    }
    tasks.join_all().await;
    registry.empty().await;
}

/// Accepts connections on one address.
struct Accept {
    registry: Arc<Registry>,
    refuser: Refuser,
    errors: Arc<Occasional>,
    shared: Arc<Shared>,
}

impl Accept {
    async fn run(self, socket: TcpListener, mut stopped: watch::Receiver<bool>) {
        let mut pause = PAUSES.0;
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = PAUSES.0;
                    self.open(stream, peer).await;
                }
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    self.report(&error);
                    self.registry.free_descriptors();
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stopped.wait_for(|stopped| *stopped) => return,
                    }
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn open(&self, stream: TcpStream, peer: SocketAddr) {
        // A socket for both versions of IP shows addresses of IPv4 as addresses of IPv6.
        let ip: IpAddr = peer.ip().to_canonical();
        match self.registry.admit(ip).await {
            Some(place) => {
                let peer = SocketAddr::new(ip, peer.port());
                tokio::spawn(connection::serve(Arc::clone(&self.shared), stream, peer, place));
            }
            None => self.refuser.refuse(stream),
        }
    }

    fn report(&self, error: &io::Error) {
        if let Some(times) = self.errors.count() {
            tracing::error!(
                %error,
                times,
                "cannot accept connections; the server tries again, and closes connections that wait; if too many files \
                 are open, allow more with `ulimit -n` or LimitNOFILE=, or fewer connections with --limits-connections"
            );
        }
    }
}

/// Returns whether a connection ended before it was accepted, which says nothing about the next one.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
