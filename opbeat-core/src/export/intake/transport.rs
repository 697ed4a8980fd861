//! HTTP requests from a thread without an async runtime.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::http::request::Builder as RequestBuilder;
use hyper::{Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Runtime;

use super::connection::Connector;
use super::endpoint::Endpoint;
use super::request_error::RequestError;
use super::response::Response;
use crate::config::{Config, ConfigError};

/// The longest time of an exchange, from the connection to the end of the response body.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The same for a check, whose result is not needed for deliveries.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time after which an idle connection is closed. Servers usually keep them longer, so that few requests find
/// theirs closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest number of bytes that are read of a response body.
const MAX_RESPONSE: usize = 16 * 1024;

const USER_AGENT_VALUE: &str = concat!("opbeat-rust/", env!("CARGO_PKG_VERSION"));

/// An HTTP client with a runtime of its own. The calling thread drives it.
pub(super) struct Transport {
    exchanges: Exchanges,
    authorization: String,
    /// The calling thread makes it at its first request. The thread that starts the agent may be in a runtime already,
    /// which allows no second one.
    runtime: Option<Runtime>,
}

impl Transport {
    pub(super) fn new(config: &Config, endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let authorization = format!("Bearer {}", config.secret_token);
        if hyper::header::HeaderValue::from_str(&authorization).is_err() {
            return Err(ConfigError::Invalid {
                name: "OPBEAT_SECRET_TOKEN",
                value: "[REDACTED]".to_owned(),
                expected: "a token as `opbeat app create` prints it, without spaces and line breaks",
            });
        }
        let exchanges = Exchanges { client: HttpClient::new(endpoint)?, may_be_idle: false };
        Ok(Self { exchanges, authorization, runtime: None })
    }

    /// Posts a body and waits for the response.
    pub(super) fn post(&mut self, uri: &Uri, key: &str, body: Vec<u8>) -> Result<Response, RequestError> {
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("X-Opbeat-Platform", "platform=rust")
            .header("Idempotency-Key", key);
        self.send(request, body, TIMEOUT)
    }

    /// Sends a check and waits for the response, for a short time only because deliveries wait too.
    pub(super) fn get(&mut self, uri: &Uri) -> Result<Response, RequestError> {
        self.send(Request::get(uri), Vec::new(), PROBE_TIMEOUT)
    }

    fn send(&mut self, request: RequestBuilder, body: Vec<u8>, timeout: Duration) -> Result<Response, RequestError> {
        let request = request
            .header(AUTHORIZATION, &self.authorization)
            .header(USER_AGENT, USER_AGENT_VALUE)
            .body(Full::new(Bytes::from(body)))
            .map_err(RequestError::unsent)?;
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
        let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let location = header(LOCATION).map(str::to_owned);
        let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
        let body = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
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
    fn new(endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).pool_max_idle_per_host(1);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        if endpoint.is_https {
            Self::tls(&builder, connector, endpoint)
        } else {
            Ok(Self::Plain(builder.build(Connector(connector))))
        }
    }

    /// Makes a client with a cryptography provider of its own. The process's default panics if two libraries each
    /// provide one.
    #[cfg(feature = "tls")]
    fn tls(builder: &Builder, mut connector: HttpConnector, endpoint: &Endpoint) -> Result<Self, ConfigError> {
        connector.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| ConfigError::Tls {
                url: endpoint.server.clone(),
                reason: format!("{error}; install the system's certificates, often the package `ca-certificates`"),
            })?
            .https_only()
            .enable_http1()
            .wrap_connector(Connector(connector));
        Ok(Self::Tls(builder.build(connector)))
    }

    #[cfg(not(feature = "tls"))]
    fn tls(_: &Builder, _: HttpConnector, endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let reason = "opbeat-core is built without it; enable its feature `tls`".to_owned();
        Err(ConfigError::Tls { url: endpoint.server.clone(), reason })
    }

    fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            #[cfg(feature = "tls")]
            Self::Tls(client) => client.request(request),
        }
    }
}
