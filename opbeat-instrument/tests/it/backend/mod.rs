//! Servers that the tests start from Debian's packages, each on its own port and in its own directory.

#[cfg(feature = "tracing")]
pub(crate) mod mariadb;
#[cfg(any(feature = "diesel-async", feature = "tokio-postgres", feature = "tracing"))]
pub(crate) mod postgres;
#[cfg(feature = "lapin")]
pub(crate) mod rabbitmq;
#[cfg(any(feature = "redis", feature = "tracing"))]
pub(crate) mod redis;
mod server;

#[test]
fn each_server_accepts_connections() {
    for url in [
        #[cfg(feature = "tracing")]
        mariadb::url(),
        #[cfg(any(feature = "diesel-async", feature = "tokio-postgres", feature = "tracing"))]
        postgres::url(),
        #[cfg(feature = "lapin")]
        rabbitmq::url(),
        #[cfg(any(feature = "redis", feature = "tracing"))]
        redis::url(),
    ] {
        let (_, address) = url.split_once("://").expect("a URL");
        let address = address.split_once('@').map_or(address, |(_, address)| address);
        let address = address.split_once('/').map_or(address, |(address, _)| address);
        std::net::TcpStream::connect(address).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}
