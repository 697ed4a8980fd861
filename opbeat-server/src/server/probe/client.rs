//! The client that sends a probe to an intake.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{Request, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::trust::{self, Verification};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 << 10;

/// An error of any kind.
type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The intake that gets the probes.
#[derive(Clone)]
pub(in crate::server) struct Target {
    host: String,
    port: u16,
    /// The path before those of the API, without a slash at its end.
    base: String,
    tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Returns the intake of this process, by an address that it listens on.
    pub(in crate::server) fn own(address: SocketAddr, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { host: address.ip().to_string(), port: address.port(), base: String::new(), tls }
    }

    /// Returns the intake at a URL. Its certificate must be of an authority that the system trusts.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no URL of HTTP, or if the system trusts no authority.
    pub(in crate::server) fn at(url: &str) -> Result<Self, AnyError> {
        let uri: Uri = url.parse()?;
        let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
        let (tls, port) = match uri.scheme_str() {
            Some("https") => (Some(Arc::new(trust::client_config(Verification::Full, None)?)), 443),
            _ => (None, 80),
        };
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(port), base, tls })
    }

    /// Posts a body with a token to a path. Returns the status and the text of the answer.
    pub(super) async fn post(&self, path: &str, token: &str, body: String) -> Result<(StatusCode, String), AnyError> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let request = Request::post(format!("{}{path}", self.base))
            .header(HOST, format!("{host}:{}", self.port))
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("opbeat-probe/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(body)))?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone())?;
                exchange(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?, request).await
            }
        }
    }
}

/// Sends a request on a new connection, and reads the answer.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, String), AnyError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection ends when the answer is read, since the sender is dropped then.
    let (answer, _) = tokio::join!(answer, connection);
    answer
}
