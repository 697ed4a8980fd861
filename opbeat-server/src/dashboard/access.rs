//! Access control: the organizations that a reader of the pages may see.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::problem::Problem;
use super::{cookies, path};
use crate::query::{Access, AppIdentity, Query, Rights};
use crate::sessions::Sessions;
use crate::site::Site;
use crate::triage::Triage;

/// The state that all pages share.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// The handle that the pages read by.
    pub(crate) query: Query,
    /// The handle that changes errors.
    pub(crate) triage: Triage,
    /// The browsers that may see the pages.
    pub(crate) sessions: Sessions,
}

/// A reader of a page, with the organizations that they may see.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) query: Query,
    pub(super) triage: Triage,
    pub(super) rights: Rights,
    pub(super) is_signed_in: bool,
}

impl Reader {
    /// Returns whether the reader may change errors.
    pub(super) fn may_write(&self) -> bool {
        self.rights.access == Access::Write
    }

    /// Finds an app that the reader may see.
    pub(super) async fn app(&self, organization: &str, app: &str) -> Result<AppIdentity, Problem> {
        let app = self.query.find_app(&self.rights.scope, organization, app).await?;
        app.ok_or(Problem::NotFound("app"))
    }
}

impl FromRequestParts<Dashboard> for Reader {
    type Rejection = Response;

    /// Finds the session of a request. The address of the connection decides nothing: behind a proxy on this machine,
    /// all requests come from here.
    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        let site = site(parts);
        let rights = rights(&dashboard.sessions, &site, &parts.headers).await.map_err(IntoResponse::into_response)?;
        let (query, triage) = (dashboard.query.clone(), dashboard.triage.clone());
        rights
            .map(|rights| Self { query, triage, rights, is_signed_in: true })
            .ok_or_else(|| redirect_to_sign_in(&parts.uri))
    }
}

/// Returns the rights of the session in the cookie.
pub(super) async fn rights(sessions: &Sessions, site: &Site, headers: &HeaderMap) -> Result<Option<Rights>, Problem> {
    match cookies::session(site, headers) {
        Some(session) => Ok(sessions.rights_of(session).await?),
        None => Ok(None),
    }
}

fn redirect_to_sign_in(uri: &Uri) -> Response {
    let target = match path::page(uri.path_and_query().map(|target| target.as_str())) {
        next if next == path::apps() => path::sign_in(),
        next => format!("{}?next={}", path::sign_in(), path::encode(&next)),
    };
    Redirect::to(&target).into_response()
}

/// A browser that signs in or out.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    pub(super) sessions: Sessions,
    pub(super) headers: HeaderMap,
    /// The address at which the browser reaches this server, and the browser's own.
    pub(super) site: Arc<Site>,
}

impl FromRequestParts<Dashboard> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Self::Rejection> {
        Ok(Self { sessions: dashboard.sessions.clone(), headers: parts.headers.clone(), site: site(parts) })
    }
}

fn site(parts: &Parts) -> Arc<Site> {
    Arc::clone(parts.extensions.get().expect("the server identifies the site of each request"))
}
