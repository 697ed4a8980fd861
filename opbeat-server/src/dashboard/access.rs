//! Access control: the organizations that a reader of the pages may see.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::problem::Problem;
use super::{cookies, path};
use crate::notify::{AppChannels, Channels};
use crate::openid_connect::Provider;
use crate::people::{Admin, People, Refused};
use crate::query::{AppIdentity, OrganizationName, Query, Rights};
use crate::sessions::{SessionSource, Sessions};
use crate::site::Site;
use crate::triage::Triage;

/// The state that all pages share.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// The handle that the pages read by.
    pub(crate) query: Query,
    /// The handle that changes errors.
    pub(crate) triage: Triage,
    /// The handle that changes people.
    pub(crate) people: People,
    /// The handle that changes the channels of notifications.
    pub(crate) channels: Channels,
    /// The browsers that may see the pages.
    pub(crate) sessions: Sessions,
    /// The ways by which people sign in.
    pub(crate) ways: Ways,
}

/// The ways by which people sign in.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// Whether they may use a password.
    pub(crate) passwords: bool,
    /// The provider of OpenID Connect, if there is one.
    pub(crate) provider: Option<Provider>,
}

/// A reader of a page, with the organizations that they may see.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) query: Query,
    pub(super) triage: Triage,
    pub(super) people: People,
    pub(super) channels: Channels,
    pub(super) rights: Rights,
    pub(super) is_signed_in: bool,
}

impl Reader {
    /// Returns whether the reader may change errors of an app.
    pub(super) fn may_write(&self, app: &AppIdentity) -> bool {
        self.rights.may_write(&app.organization_id)
    }

    /// Finds an organization that the reader may see.
    pub(super) async fn organization(&self, name: &str) -> Result<OrganizationName, Problem> {
        let organization = self.query.find_organization(&self.rights.scope, name).await?;
        organization.ok_or(Problem::NotFound("organization"))
    }

    /// Returns the changes that the reader may make as an admin of an organization.
    pub(super) fn admin<'a>(
        &'a self,
        browser: &Browser,
        organization: &'a OrganizationName,
    ) -> Result<Admin<'a>, Refused> {
        self.people.admin((&self.rights, browser.site.client), &organization.id)
    }

    /// Returns the changes that the reader may make to an app's channels as an admin.
    pub(super) fn app_channels<'a>(
        &'a self,
        browser: &Browser,
        app: &'a AppIdentity,
    ) -> Result<AppChannels<'a>, Refused> {
        self.channels.of((&self.rights, browser.site.client), app)
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
        let (people, channels) = (dashboard.people.clone(), dashboard.channels.clone());
        rights
            .map(|rights| Self { query, triage, people, channels, rights, is_signed_in: true })
            .ok_or_else(|| redirect_to_sign_in(&parts.uri))
    }
}

/// Returns the rights of the session in the cookie.
async fn rights(sessions: &Sessions, site: &Site, headers: &HeaderMap) -> Result<Option<Rights>, Problem> {
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

/// A browser that signs in or out, or sends a form.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    pub(super) sessions: Sessions,
    pub(super) people: People,
    pub(super) query: Query,
    pub(super) ways: Ways,
    pub(super) headers: HeaderMap,
    /// The address at which the browser reaches this server, and the browser's own.
    pub(super) site: Arc<Site>,
}

impl Browser {
    /// Returns the browser as the one that opens a session.
    pub(super) fn source(&self) -> SessionSource<'_> {
        let browser = self.headers.get(USER_AGENT).and_then(|browser| browser.to_str().ok()).unwrap_or_default();
        SessionSource { address: self.site.client, browser, before: cookies::session(&self.site, &self.headers) }
    }

    /// Returns the rights of the session in the cookie, or `None` if the browser is not signed in.
    pub(super) async fn rights(&self) -> Result<Option<Rights>, Problem> {
        rights(&self.sessions, &self.site, &self.headers).await
    }

    /// Opens a session of a person who has just got an account or joined, and returns its id.
    pub(super) async fn open_for(&self, person_id: &str) -> Result<String, Problem> {
        let session = self.sessions.open_for_person(self.source(), person_id).await?;
        session.ok_or(Problem::NotFound("person"))
    }

    /// Returns the response that sets the cookie of a new session, and leads to a page.
    pub(super) fn continue_with(&self, session: &str, next: &str) -> Response {
        ([(SET_COOKIE, cookies::set_session(&self.site, session))], Redirect::to(next)).into_response()
    }
}

impl FromRequestParts<Dashboard> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Self::Rejection> {
        let Dashboard { query, people, sessions, ways, .. } = dashboard.clone();
        Ok(Self { sessions, people, query, ways, headers: parts.headers.clone(), site: site(parts) })
    }
}

fn site(parts: &Parts) -> Arc<Site> {
    Arc::clone(parts.extensions.get().expect("the server identifies the site of each request"))
}
