//! Who may see what.

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::Dashboard;
use super::problem::Problem;
use crate::query::{Query, Scope};

/// The cookie that holds a read token.
pub(super) const SESSION: &str = "opbeat_session";

/// A reader, and what they may see.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) query: Query,
    pub(super) scope: Scope,
    pub(super) is_signed_in: bool,
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
        Err(sign_in(&parts.uri))
    }
}

fn sign_in(uri: &Uri) -> Response {
    let next = uri.path_and_query().map_or("/", |target| target.as_str());
    Redirect::to(&format!("/sign-in?next={}", super::path::encode(next))).into_response()
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, value)| value)
}

/// Returns whether a request comes from this machine and means it: a page elsewhere that resolves its name to a
/// loopback address shows by its `Host`, and a proxy by what it adds.
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
