//! The sockets that the server listens on.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// The most connections that wait to be accepted. The operating system may allow fewer.
const BACKLOG: u32 = 1_024;

/// Listens on an address. `[::]` includes all addresses of IPv4, unless `all` has the same port of `0.0.0.0` too.
pub(in crate::server) fn bind(address: SocketAddr, all: &[SocketAddr]) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port is free again at once after a stop. On Windows, the option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    if address.is_ipv6() {
        let is_other =
            |other: &SocketAddr| other.is_ipv4() && other.ip().is_unspecified() && other.port() == address.port();
        let is_only_ipv6 = !address.ip().is_unspecified() || all.iter().any(is_other);
        rustix::net::sockopt::set_ipv6_v6only(&socket, is_only_ipv6)?;
    }
    #[cfg(not(unix))]
    let _ = all;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
