//! The HTTP client that asks the provider.
//!
//! The operator chooses the provider, so that it may have a private address. No redirect is followed and no proxy is used.
//! Each request has a time, and each answer a size. Without HTTPS only this machine is asked.

use std::error::Error;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Request, Response, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::RootCertStore;

use crate::trust::{self, Verification};

/// The time of a request with its answer.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

type Http = HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// It is made at the first request: a server that nobody signs in to needs no certificates of authorities.
    http: OnceLock<Http>,
}

/// A request without a useful answer. The message contains the address, which is no secret, and no content.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unanswered(pub(super) String);

impl Client {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let (mut parts, body) = request.into_parts();
        let uri = parts.uri.clone();
        if !is_allowed(&uri) {
            return Err(Unanswered(format!("the address {uri} of the provider does not start with https://")));
        }
        parts.headers.insert(USER_AGENT, HeaderValue::from_static(concat!("opbeat/", env!("CARGO_PKG_VERSION"))));
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let http = self.http.get_or_init(make);
        let exchange = async {
            let response = http.request(request).await.map_err(|error| deepest(&error))?;
            let (parts, body) = response.into_parts();
            if parts.status.is_redirection() {
                return Err(format!("it answered {} with a redirect, which is not followed", parts.status.as_u16()));
            }
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|error| deepest(&*error))?.to_bytes();
            Ok(Response::from_parts(parts, body.to_vec()))
        };
        match tokio::time::timeout(TIME, exchange).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(reason)) => Err(Unanswered(format!("{} cannot be read: {reason}", without_query(&uri)))),
            Err(_) => Err(Unanswered(format!("{} did not answer within {} s", without_query(&uri), TIME.as_secs()))),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Makes the client. Without certificates of authorities, it still asks a provider on this machine.
fn make() -> Http {
    let tls = trust::client_config(Verification::Full, None).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot check the certificate of the provider of OpenID Connect");
        trust::client().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    });
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    HttpClient::builder(TokioExecutor::new()).build(connector)
}

/// Returns whether an address may be asked: others on the way could read the code, or replace the keys.
pub(crate) fn is_allowed(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let is_https = uri.scheme() == Some(&Scheme::HTTPS);
    let is_here = uri.scheme() == Some(&Scheme::HTTP) && matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    !host.is_empty() && (is_https || is_here)
}

fn without_query(uri: &Uri) -> String {
    format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |a| a.as_str()), uri.path())
}

/// Returns the last error of a chain: the reason of those before.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |&error| error.source()).last();
    last.map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for (uri, allowed) in [
            ("https://login.acme.example/", true),
            ("http://127.0.0.1:9/token", true),
            ("http://localhost/token", true),
            ("http://login.acme.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("ftp://login.acme.example/", false),
            ("/token", false),
        ] {
            assert_eq!(is_allowed(&uri.parse().unwrap()), allowed, "{uri}");
        }
    }
}
