//! The HTTP client of channels. People choose the addresses, so it goes to no private one, unless the operator allows it.
//!
//! A name is resolved once, and the connection goes to an address that was checked. No redirect is followed and no proxy is
//! used. A request with its answer has a time, and the answer a size.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::header::{HOST, LOCATION, USER_AGENT};
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opbeat_repository::is_public;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use crate::site::Network;
use crate::text::start_of;
use crate::trust::{self, Verification};

/// The time of a request with its answer.
const TIME: Duration = Duration::from_secs(5);

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 16 << 10;

/// The part of an answer that a reason quotes, in characters.
const MAX_QUOTED: usize = 200;

/// A client that goes to public addresses only, and to those of some networks.
#[derive(Debug)]
pub(super) struct Outgoing {
    allowed: Vec<Network>,
    /// The settings of TLS, read at the first HTTPS request: a server without channels needs no authorities.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Outgoing {
    /// Makes a client that also goes to the private addresses of some networks.
    pub(super) const fn new(allowed: Vec<Network>) -> Self {
        Self { allowed, tls: OnceLock::new() }
    }

    /// Posts a body. Succeeds if the answer has a status from 200 to 299.
    pub(super) async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<(), Failure> {
        let exchange = self.exchange(url, headers, body);
        match tokio::time::timeout(TIME, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Failure::passing(format!("it did not answer within {} s", TIME.as_secs()))),
        }
    }

    async fn exchange(&self, url: &str, headers: HeaderMap, body: String) -> Result<(), Failure> {
        let Destination { host, port, is_https, path } = Destination::parse(url).map_err(Failure::lasting)?;
        let addresses = self.resolve(&host, port).await?;
        let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = Request::builder().method(Method::POST).uri(path).body(Full::new(Bytes::from(body)));
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
            let host =
                HeaderValue::from_str(&authority).map_err(|_| Failure::lasting("the URL has an invalid host"))?;
            request.headers_mut().insert(HOST, host);
            let agent = concat!("opbeat/", env!("CARGO_PKG_VERSION"));
            request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        }
        let request = request.map_err(|_| Failure::lasting("the URL is invalid"))?;
        let stream = connect(&addresses).await?;
        if !is_https {
            return exchange(stream, request).await;
        }
        let config = self.tls.get_or_init(|| {
            trust::client_config(Verification::Full, None).map(Arc::new).map_err(|error| error.to_string())
        });
        let config = config.as_ref().map_err(Failure::passing)?;
        let name = ServerName::try_from(host).map_err(|_| Failure::lasting("the URL has an invalid host"))?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        exchange(stream.map_err(|error| Failure::passing(format!("TLS failed: {error}")))?, request).await
    }

    /// Resolves a host, and fails if one of its addresses may not be contacted.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|error| Failure::passing(format!("the host {host} cannot be found: {error}")))?;
        let addresses: Vec<SocketAddr> = found.collect();
        match addresses.iter().map(SocketAddr::ip).find(|address| !self.may_contact(*address)) {
            Some(address) => Err(Failure::lasting(format!(
                "the host {host} has the private address {address}; the operator of this server can allow it by \
                 notifications.allowed_networks"
            ))),
            None if addresses.is_empty() => Err(Failure::passing(format!("the host {host} has no address"))),
            None => Ok(addresses),
        }
    }

    fn may_contact(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }
}

/// The parts of a URL.
pub(super) struct Destination {
    host: String,
    port: u16,
    is_https: bool,
    /// The path and the query string.
    path: String,
}

impl Destination {
    /// Parses a URL, or returns the reason why it cannot be used.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        const FORM: &str = "The URL must start with https:// or http:// and a host.";
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_https && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(FORM);
        }
        let authority = uri.authority().ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("The URL must not contain a user or a password.");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(FORM);
        }
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self { host: host.to_owned(), port, is_https, path: path.to_owned() })
    }
}

/// Connects to the first of some addresses that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(addresses).await;
    let stream = stream.map_err(|error| Failure::passing(format!("it cannot be reached: {error}")))?;
    // A small request is not worth a wait for more.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Sends a request on a new connection, and reads the answer.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Failure::passing(format!("the connection failed: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async move {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("another address");
            let to = start_of(to, MAX_QUOTED);
            return Err(Failure::lasting(format!(
                "it answered {} and redirects to {to}; redirects are not followed, so set the final URL",
                status.as_u16()
            )));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_QUOTED).collect();
        let text = text.trim();
        let colon = if text.is_empty() { "" } else { ": " };
        Err(Failure::passing(format!("it answered {}{colon}{text}", status.as_u16())))
    };
    tokio::pin!(answer, connection);
    // The connection ends when the answer is read, since the sender is dropped then.
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(broken(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(outgoing: &Outgoing, url: &str) -> Failure {
        outgoing.post(url, HeaderMap::new(), String::new()).await.unwrap_err()
    }

    #[tokio::test]
    async fn private_addresses_are_refused_in_all_forms() {
        let outgoing = Outgoing::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for host in [
            "127.0.0.1",
            "localhost",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "[fd00::1]",
            "[64:ff9b::7f00:1]",
        ] {
            let failure = refusal(&outgoing, &format!("http://{host}:9/")).await;
            assert!(failure.is_final && failure.reason.contains("private address"), "{host}: {failure:?}");
        }
        assert!(outgoing.may_contact("10.1.2.3".parse().unwrap()) && outgoing.may_contact("1.1.1.1".parse().unwrap()));
    }

    #[test]
    fn a_url_has_a_scheme_a_host_and_no_user() {
        for url in ["", "hooks.example", "ftp://hooks.example/", "https:///a", "https://a:b@hooks.example/", "/a"] {
            assert!(Destination::parse(url).is_err(), "{url}");
        }
        let url = Destination::parse("https://hooks.example/a?b=c").unwrap();
        assert_eq!((&*url.host, url.port, &*url.path), ("hooks.example", 443, "/a?b=c"));
    }
}
