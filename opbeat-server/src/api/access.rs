//! Access control: every request carries a read token.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::notify::{AppChannels, Channels};
use crate::people::Refused;
use crate::query::{AppIdentity, Query, Rights};
use crate::site::Site;
use crate::triage::Triage;

/// The state that all routes share.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// The handle that answers read by.
    pub(crate) query: Query,
    /// The handle that changes errors.
    pub(crate) triage: Triage,
    /// The handle that changes channels.
    pub(crate) channels: Channels,
}

/// A program, with the rights of its token.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(super) query: Query,
    pub(super) triage: Triage,
    channels: Channels,
    /// The address of the client, for the audit log.
    address: IpAddr,
    /// The rights of the token.
    pub(crate) rights: Rights,
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let bearer = header.and_then(|header| header.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = bearer.map(|(_, token)| token).ok_or_else(|| {
            Problem::unauthorized(
                "The request has no read token. Send the header `Authorization: Bearer <read token>`; \
                 `opbeat token create ORG` prints a token.",
            )
        })?;
        let rights = api.query.rights_of(token.trim()).await?.ok_or_else(|| {
            Problem::unauthorized("The read token is unknown. `opbeat token create ORG` prints a new one.")
        })?;
        // Requests of assistants come from this process. They change nothing that is in the log.
        let site = parts.extensions.get::<Arc<Site>>();
        let address = site.map_or(Ipv4Addr::UNSPECIFIED.into(), |site| site.client);
        let (query, triage, channels) = (api.query.clone(), api.triage.clone(), api.channels.clone());
        Ok(Self { query, triage, channels, address, rights })
    }
}

impl Reader {
    /// Finds an app of the reader's organization.
    pub(super) async fn app(&self, organization: &str, app: &str) -> Result<AppIdentity, Problem> {
        self.query.find_app(&self.rights.scope, organization, app).await?.ok_or_else(|| Problem::not_found("app"))
    }

    /// Returns the changes that the reader may make to an app's channels as an admin.
    pub(super) fn app_channels<'a>(&'a self, app: &'a AppIdentity) -> Result<AppChannels<'a>, Problem> {
        self.channels.of((&self.rights, self.address), app).map_err(|refused| match refused {
            Refused::NoAdmin => Problem::forbidden(
                "This token may not change channels. One that `opbeat token create ORG --manage` prints may.",
            ),
            other => other.into(),
        })
    }
}
