//! HTTP, from a thread without anybody's runtime.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::http::request::Builder as RequestBuilder;
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Runtime;

use super::endpoint::Endpoint;
use crate::config::{Config, ConfigError};

/// From the connection's start to the answer's last byte.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The same for a question whose answer nobody needs.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Connecting alone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections are not kept longer than servers usually keep them, so that we don't send into a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// What an error's body may say.
const MAX_ANSWER: usize = 16 * 1024;

const AGENT: &str = concat!("opbeat-rust/", env!("CARGO_PKG_VERSION"));

/// An HTTP client with a runtime of its own, driven by the thread that calls it.
pub(super) struct Transport {
    runtime: Runtime,
    client: HttpClient,
    authorization: String,
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
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
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ConfigError::Thread)?;
        Ok(Self { runtime, client: HttpClient::new(endpoint)?, authorization })
    }

    /// Posts a body and waits for the answer.
    pub(super) fn post(&self, uri: &Uri, key: &str, body: Vec<u8>) -> Result<Answer, String> {
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("X-Opbeat-Platform", "platform=rust")
            .header("Idempotency-Key", key);
        self.send(request, body, TIMEOUT)
    }

    /// Asks, and waits for the answer for a short time only: what is to be delivered waits too.
    pub(super) fn get(&self, uri: &Uri) -> Result<Answer, String> {
        self.send(Request::get(uri), Vec::new(), PROBE_TIMEOUT)
    }

    fn send(&self, request: RequestBuilder, body: Vec<u8>, timeout: Duration) -> Result<Answer, String> {
        let request = request
            .header(AUTHORIZATION, &self.authorization)
            .header(USER_AGENT, AGENT)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        self.runtime.block_on(async {
            tokio::time::timeout(timeout, self.exchange(request))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", timeout.as_secs())))
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let response = self.client.request(request).await.map_err(|error| innermost(&error))?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        Ok(Answer { status, retry_after: retry_after.map(Duration::from_secs), body })
    }
}

/// With TLS or without: certificates are only read where they are needed.
enum HttpClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    #[cfg(feature = "tls")]
    Tls(Client<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl HttpClient {
    fn new(endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        if endpoint.is_https {
            Self::tls(&builder, connector, endpoint)
        } else {
            Ok(Self::Plain(builder.build(connector)))
        }
    }

    /// Brings the cryptography along, since asking for the process's default panics where two libraries bring one each.
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
            .wrap_connector(connector);
        Ok(Self::Tls(builder.build(connector)))
    }

    #[cfg(not(feature = "tls"))]
    fn tls(_: &Builder, _: HttpConnector, endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let reason = "opbeat-core is built without it; turn its feature `tls` on".to_owned();
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

/// The last error of the chain says what happened; those before it only that something did.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
