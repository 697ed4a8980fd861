//! HTTP requests from a thread without an async runtime.

use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::http::request::Builder as RequestBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Runtime;

use super::connection::Connector;
use super::peer::Peer;
use super::request_error::RequestError;
use super::response::{Response, retry_after};
use crate::config::ConfigError;

/// The longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time after which an idle connection is closed. Servers usually keep them longer, so that few requests find
/// theirs closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest number of bytes that are read of a response body.
const MAX_RESPONSE: usize = 16 * 1024;

const USER_AGENT_VALUE: &str = concat!("opbeat-rust/", env!("CARGO_PKG_VERSION"));

/// An HTTP client with a runtime of its own. The calling thread drives it.
pub(in crate::export) struct Transport {
    exchanges: Exchanges,
    /// The calling thread makes it at its first request. The thread that starts the agent may be in a runtime already,
    /// which allows no second one.
    runtime: Option<Runtime>,
}

impl Transport {
    /// Makes a client for a peer. It connects at the first request.
    ///
    /// # Errors
    ///
    /// Returns an error if the peer needs TLS, which is not available.
    pub(in crate::export) fn new(peer: &Peer) -> Result<Self, ConfigError> {
        Ok(Self { exchanges: Exchanges { client: HttpClient::new(peer)?, may_be_idle: false }, runtime: None })
    }

    /// Sends a request and waits for the response: at most `timeout`, from the connection to the end of the response
    /// body.
    pub(in crate::export) fn send(
        &mut self,
        request: RequestBuilder,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let names_itself = request.headers_ref().is_some_and(|headers| headers.contains_key(USER_AGENT));
        let request = if names_itself { request } else { request.header(USER_AGENT, USER_AGENT_VALUE) };
        let request = request.body(Full::new(Bytes::from(body))).map_err(RequestError::unsent)?;
        let runtime = match &mut self.runtime {
            Some(runtime) => runtime,
            missing => missing.insert(runtime().map_err(RequestError::unsent)?),
        };
        runtime.block_on(async {
            let exchange = tokio::time::timeout(timeout, self.exchanges.exchange(request));
            exchange.await.unwrap_or(Err(RequestError::Timeout(timeout)))
        })
    }
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Does not wait for the runtime's threads, because resolving a host name may hang for long.
impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An HTTP client that makes one exchange at a time.
struct Exchanges {
    client: HttpClient,
    /// Whether the last exchange may have left an idle connection.
    may_be_idle: bool,
}

impl Exchanges {
    /// Sends a request and returns the response.
    ///
    /// A server may close an idle connection just when a request uses it. That is no failure of the server, so the
    /// request is sent once more, over a new connection. Its key prevents that it is counted twice.
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Response, RequestError> {
        let again = self.may_be_idle.then(|| request.clone());
        self.may_be_idle = false;
        let response = match (self.exchange_once(request).await, again) {
            (Err(RequestError::Disconnected), Some(again)) => self.exchange_once(again).await?,
            (response, _) => response?,
        };
        self.may_be_idle = true;
        Ok(response)
    }

    async fn exchange_once(&self, request: Request<Full<Bytes>>) -> Result<Response, RequestError> {
        let response = self.client.request(request).await.map_err(|error| RequestError::new(&error))?;
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now()));
        let location = header(LOCATION).map(str::to_owned);
        let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Ok(Response { status, retry_after, location, body })
    }
}

/// A client with or without TLS. Certificates are only read if they are needed.
enum HttpClient {
    Plain(Client<Connector, Full<Bytes>>),
    #[cfg(feature = "tls")]
    Tls(Client<hyper_rustls::HttpsConnector<Connector>, Full<Bytes>>),
}

impl HttpClient {
    fn new(peer: &Peer) -> Result<Self, ConfigError> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).pool_max_idle_per_host(1);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        if peer.is_https {
            Self::tls(&builder, connector, peer)
        } else {
            Ok(Self::Plain(builder.build(Connector(connector))))
        }
    }

    /// Makes a client with a cryptography provider of its own. The process's default panics if two libraries each
    /// provide one.
    #[cfg(feature = "tls")]
    fn tls(builder: &Builder, mut connector: HttpConnector, peer: &Peer) -> Result<Self, ConfigError> {
        connector.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| ConfigError::Tls {
                url: peer.url.clone(),
                reason: format!("{error}; install the system's certificates, often the package `ca-certificates`"),
            })?
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector(connector));
        Ok(Self::Tls(builder.build(connector)))
    }

    #[cfg(not(feature = "tls"))]
    fn tls(_: &Builder, _: HttpConnector, peer: &Peer) -> Result<Self, ConfigError> {
        let reason = "opbeat-core is built without it; enable its feature `tls`".to_owned();
        Err(ConfigError::Tls { url: peer.url.clone(), reason })
    }

    fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            #[cfg(feature = "tls")]
            Self::Tls(client) => client.request(request),
        }
    }
}
