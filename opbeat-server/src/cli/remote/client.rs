//! The HTTP client of these commands.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use serde_json::Value;

use crate::trust::{self, Verification};

/// The time for a request and its response.
const TIME: Duration = Duration::from_secs(60);

/// The largest response, in bytes.
const MAX_RESPONSE: usize = 64 * 1_024 * 1_024;

/// The server.
#[derive(Debug, Args)]
pub(super) struct ServerOption {
    /// The URL of the server.
    #[arg(long, env = "OPBEAT_SERVER_URL", default_value = "http://127.0.0.1:8200")]
    url: String,
}

/// The server, and a token to read its data.
#[derive(Debug, Args)]
pub(super) struct Reader {
    #[command(flatten)]
    server: ServerOption,
    /// A token of `opbeat token create ORG`.
    #[arg(long, env = "OPBEAT_READ_TOKEN", hide_env_values = true)]
    token: String,
    /// Prints the response of the API as JSON, for programs.
    #[arg(long)]
    pub(super) json: bool,
}

/// A client of one server.
pub(super) struct Client {
    url: String,
    token: String,
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Reader {
    /// Asks the API.
    ///
    /// # Errors
    ///
    /// Returns an error with the server's own message if the server refuses the request.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        Client::new(&self.server, &self.token)?.get(path).await
    }
}

impl Client {
    /// Makes a client that sends a token.
    pub(super) fn new(server: &ServerOption, token: &str) -> Result<Self, Box<dyn Error>> {
        // Without HTTPS, a machine without certificates of authorities reads a server too.
        let is_https = server.url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
        let tls = if is_https {
            trust::client_config(Verification::Full, None)?
        } else {
            trust::client().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        };
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        Ok(Self { url: server.url.trim_end_matches('/').to_owned(), token: token.trim().to_owned(), http })
    }

    async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        self.send(Method::GET, path, None).await
    }

    /// Posts JSON.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Box<dyn Error>> {
        let address = format!("{}{path}", self.url);
        let uri: Uri = address.parse().map_err(|_| {
            format!("`{}` is no URL of a server; `--url http://127.0.0.1:8200` is an example", self.url)
        })?;
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(USER_AGENT, concat!("opbeat/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body.map_or_else(String::new, Value::to_string)))
            .map_err(|_| "the token has characters that no token has; copy it again")?;
        let exchange = async {
            let response = self.http.request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await?.to_bytes();
            Ok::<_, Box<dyn Error + Send + Sync>>((status, body))
        };
        let (status, body) = match tokio::time::timeout(TIME, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let reason = deepest(&*error);
                return Err(format!("cannot reach {}: {reason}; is `opbeat serve` running there?", self.url).into());
            }
            Err(_) => return Err(format!("{} did not answer within {} s", self.url, TIME.as_secs()).into()),
        };
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        if status.is_success() {
            return match value {
                Some(value) => Ok(value),
                None if body.is_empty() => Ok(Value::Null),
                None => Err(format!("{} answered {status} without JSON; is it an Opbeat server?", self.url).into()),
            };
        }
        let message = value.as_ref().and_then(|value| value["error_message"].as_str());
        Err(match message {
            Some(message) => super::table::plain(message).into(),
            None => format!("{} answered {status}; is it an Opbeat server?", self.url).into(),
        })
    }
}

/// Returns the last error of a chain: the reason of those before.
fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error)
}

/// Returns a text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
