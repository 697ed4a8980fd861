//! Access control: the organizations that a reader of the pages may see.

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::Cookie;

use super::path;
use super::problem::Problem;
use crate::query::{AppIdentity, Query, Scope};

/// The name of the cookie that holds a read token.
pub(super) const SESSION: &str = "opbeat_session";

/// The state that all pages share.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// The handle that the pages read by.
    pub(crate) query: Query,
    /// Whether browsers on the server's own machine see all organizations without signing in.
    pub(crate) open_to_loopback: bool,
}

/// A reader of a page, with the organizations that they may see.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) query: Query,
    pub(super) scope: Scope,
    pub(super) is_signed_in: bool,
}

impl Reader {
    /// Finds an app that the reader may see.
    pub(super) async fn app(&self, organization: &str, app: &str) -> Result<AppIdentity, Problem> {
        let app = self.query.find_app(&self.scope, organization, app).await?;
        app.ok_or(Problem::NotFound("app"))
    }
}

impl FromRequestParts<Dashboard> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        let query = dashboard.query.clone();
        if let Some(token) = session(&parts.headers) {
            let scope = query.scope_of(token).await.map_err(|error| Problem::from(error).into_response())?;
            if let Some(scope) = scope {
                return Ok(Self { query, scope, is_signed_in: true });
            }
        }
        if dashboard.open_to_loopback && is_local(&parts.headers) {
            return Ok(Self { query, scope: Scope::Everything, is_signed_in: false });
        }
        Err(redirect_to_sign_in(&parts.uri))
    }
}

fn redirect_to_sign_in(uri: &Uri) -> Response {
    let next = uri.path_and_query().map_or("/", |target| target.as_str());
    Redirect::to(&format!("/sign-in?next={}", path::encode(next))).into_response()
}

/// Returns the read token in the session cookie.
fn session(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == SESSION).and_then(|cookie| cookie.value_raw())
}

/// Returns whether a request comes from a browser on this machine, for a page of this server.
///
/// The address of the connection is not enough. A foreign page can point its own name at a loopback address, but its
/// `Host` header contains that name. A proxy on this machine connects from here, but adds a header such as
/// `X-Forwarded-For`.
fn is_local(headers: &HeaderMap) -> bool {
    const PROXY: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    is_loopback && !PROXY.iter().any(|header| headers.contains_key(*header))
}
