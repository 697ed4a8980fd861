//! Access control: the organizations that a reader of the pages may see.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::problem::Problem;
use super::{cookies, path};
use crate::query::{AppIdentity, Query, Scope};
use crate::sessions::Sessions;

/// The state that all pages share.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// The handle that the pages read by.
    pub(crate) query: Query,
    /// The browsers that may see the pages.
    pub(crate) sessions: Sessions,
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

    /// Finds the session of a request. The address of the connection decides nothing: behind a proxy on this machine,
    /// all requests come from here.
    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        let scope = scope(&dashboard.sessions, &parts.headers).await.map_err(IntoResponse::into_response)?;
        let query = dashboard.query.clone();
        scope.map(|scope| Self { query, scope, is_signed_in: true }).ok_or_else(|| redirect_to_sign_in(&parts.uri))
    }
}

/// Returns the data that the session in the cookie may read.
pub(super) async fn scope(sessions: &Sessions, headers: &HeaderMap) -> Result<Option<Scope>, Problem> {
    match cookies::session(headers) {
        Some(session) => Ok(sessions.scope_of(session).await?),
        None => Ok(None),
    }
}

fn redirect_to_sign_in(uri: &Uri) -> Response {
    let target = match path::after_sign_in(uri.path_and_query().map(|target| target.as_str())) {
        next if next == "/" => "/sign-in".to_owned(),
        next => format!("/sign-in?next={}", path::encode(&next)),
    };
    Redirect::to(&target).into_response()
}

/// A browser that signs in or out.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    pub(super) sessions: Sessions,
    pub(super) headers: HeaderMap,
    /// The address, as a proxy on this machine reports it.
    pub(super) address: IpAddr,
}

impl FromRequestParts<Dashboard> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0; 4]), |ConnectInfo(peer)| peer.ip());
        // A proxy appends the address that it knows to those that the client claims.
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let address = forwarded.filter(|_| peer.is_loopback()).unwrap_or(peer);
        Ok(Self { sessions: dashboard.sessions.clone(), headers: parts.headers.clone(), address })
    }
}
