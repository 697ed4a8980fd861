//! Access control: every request carries a read token.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::query::{AppIdentity, Query, Rights};
use crate::triage::Triage;

/// The state that all routes share.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// The handle that answers read by.
    pub(crate) query: Query,
    /// The handle that changes errors.
    pub(crate) triage: Triage,
}

/// A program, with the rights of its token.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(super) query: Query,
    pub(super) triage: Triage,
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
        Ok(Self { query: api.query.clone(), triage: api.triage.clone(), rights })
    }
}

impl Reader {
    /// Finds an app of the reader's organization.
    pub(super) async fn app(&self, organization: &str, app: &str) -> Result<AppIdentity, Problem> {
        self.query.find_app(&self.rights.scope, organization, app).await?.ok_or_else(|| Problem::not_found("app"))
    }
}
