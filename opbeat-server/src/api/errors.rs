//! Error groups.

use axum::Json;
use axum::extract::{Path, Query as Params};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::PageParameters;
use crate::assignment::AssigneeFilter;
use crate::error_status::{MuteEnds, Status, StatusChange, StatusFilter};
use crate::query::{ErrorDetail, ErrorFilter, ErrorList, ErrorOrder};

/// The order of errors.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Order {
    /// `last_seen` (the default), `times_seen` or `users`; the greatest first.
    order: Option<String>,
}

/// The error groups that a list contains.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// `open`, `regressed` (open again after they were resolved), `resolved` or `muted`; without it, all.
    status: Option<String>,
    /// A part of the type, the message, the culprit or the level, in any case.
    search: Option<String>,
    /// The id of a person, `team-` and the number of a team, or `nobody`; without it, errors of all.
    assignee: Option<String>,
}

/// A person or a team that an error is assigned to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AssigneeChange {
    /// The assignment is removed.
    Nobody,
    /// A member of the organization, by the e-mail address or the id.
    Person(String),
    /// A team of the organization, by its name.
    Team(String),
}

/// A change of an error's status, of its assignee, or of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorChange {
    /// The new status.
    status: Option<Status>,
    /// The new assignee: `"nobody"`, `{"person": "ana@acme.example"}` or `{"team": "backend"}`.
    assignee: Option<AssigneeChange>,
    /// With `resolved`: whether it is mended in the next release only. Errors of the current one do not open it.
    #[serde(default)]
    in_next_release: bool,
    /// With `muted`: the time at which it ends, RFC 3339.
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// With `muted`: the number of further errors after which it ends.
    further_errors: Option<i64>,
    /// With `muted`: whether it ends with the first error of the next release.
    #[serde(default)]
    until_next_release: bool,
}

/// Errors that are merged or split.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherErrors {
    /// Their numbers, at most 200.
    errors: Vec<i64>,
}

/// A comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Comment {
    /// The text, of at most 10,000 characters.
    text: String,
}

/// Lists error groups, open ones first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/",
    operation_id = "list_errors",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), PageParameters, Order, Filter),
    responses((status = 200, body = ErrorList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(page): Params<PageParameters>,
    Params(Order { order }): Params<Order>,
    Params(filter): Params<Filter>,
) -> Result<Json<ErrorList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    let order = match order.as_deref() {
        None | Some("last_seen") => ErrorOrder::LastSeen,
        Some("times_seen") => ErrorOrder::TimesSeen,
        Some("users") => ErrorOrder::Users,
        Some(other) => {
            let reason = format!("{other:?} is no order; use `last_seen`, `times_seen` or `users`");
            return Err(Problem::invalid("order", reason));
        }
    };
    let status = filter.status.as_deref().map(|status| {
        let unknown = || Problem::invalid("status", "use `open`, `regressed`, `resolved` or `muted`");
        StatusFilter::of(status).ok_or_else(unknown)
    });
    let assignee = filter.assignee.as_deref().map(|text| {
        let unknown = || Problem::invalid("assignee", "use the id of a person, `team-` and a number, or `nobody`");
        AssigneeFilter::of(text).ok_or_else(unknown)
    });
    let (status, assignee) = (status.transpose()?, assignee.transpose()?);
    let filter = ErrorFilter { status, search: filter.search.as_deref(), assignee: assignee.as_ref() };
    Ok(Json(reader.query.errors(&app, filter, order, (limit.into(), offset.into()), Timestamp::now()).await?))
}

/// Returns an error group with its newest occurrence.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/",
    operation_id = "get_error",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn one(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
) -> Result<Json<ErrorDetail>, Problem> {
    detail(&reader, &organization, &app, number, None).await
}

/// Returns an error group with one of its occurrences.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/occurrences/{occurrence}/",
    operation_id = "get_occurrence",
    tag = "errors",
    params(
        ("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path), ("occurrence" = i64, Path)
    ),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn occurrence(
    reader: Reader,
    Path((organization, app, number, occurrence)): Path<(String, String, i64, i64)>,
) -> Result<Json<ErrorDetail>, Problem> {
    detail(&reader, &organization, &app, number, Some(occurrence)).await
}

/// Returns the newest error with an id that the application shows to its users, with its group.
///
/// The id is that of the Python agent's `X-Opbeat-ID`, of the Node.js agent's `extra.uuid`, or that which the server
/// returned when it accepted the error. The 50 newest occurrences of a group can be found, at
/// most 5 of one second.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/by-id/{id}/",
    operation_id = "find_error",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn by_id(
    reader: Reader,
    Path((organization, app, id)): Path<(String, String, String)>,
) -> Result<Json<ErrorDetail>, Problem> {
    let identity = reader.app(&organization, &app).await?;
    let found = reader.query.find_error(&identity, &id).await?.ok_or_else(|| Problem::not_found("error"))?;
    detail(&reader, &organization, &app, found.number, Some(found.occurrence)).await
}

/// Resolves, mutes, opens or assigns an error.
#[utoipa::path(
    patch,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/",
    operation_id = "change_error",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    request_body = ErrorChange,
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn change(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
    Json(change): Json<ErrorChange>,
) -> Result<Json<ErrorDetail>, Problem> {
    let identity = reader.app(&organization, &app).await?;
    let (triage, rights) = (&reader.triage, &reader.rights);
    let status = change.status_change()?;
    if status.is_none() && change.assignee.is_none() {
        return Err(Problem::invalid("status", "send a `status`, an `assignee`, or both"));
    }
    if let Some(assignee) = change.assignee {
        let assignee = match assignee {
            AssigneeChange::Nobody => None,
            AssigneeChange::Person(text) => Some(triage.member(rights, &identity, &text).await?),
            AssigneeChange::Team(name) => Some(triage.team(rights, &identity, &name).await?),
        };
        if triage.assign(rights, &identity, vec![number], assignee).await?.is_empty() {
            return Err(Problem::not_found("error"));
        }
    }
    if let Some(status) = status
        && triage.change(rights, &identity, vec![number], status).await?.is_empty()
    {
        return Err(Problem::not_found("error"));
    }
    detail(&reader, &organization, &app, number, None).await
}

/// Adds a comment to an error.
#[utoipa::path(
    post,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/comments/",
    operation_id = "comment_on_error",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    request_body = Comment,
    responses((status = 201, description = "The comment was added.")),
)]
pub(super) async fn comment(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
    Json(comment): Json<Comment>,
) -> Result<StatusCode, Problem> {
    let app = reader.app(&organization, &app).await?;
    reader.triage.comment(&reader.rights, &app, number, &comment.text).await?;
    Ok(StatusCode::CREATED)
}

/// Merges other errors into an error, which has the occurrences of all from then on.
#[utoipa::path(
    post,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/merge/",
    operation_id = "merge_errors",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    request_body = OtherErrors,
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn merge(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
    Json(others): Json<OtherErrors>,
) -> Result<Json<ErrorDetail>, Problem> {
    let identity = reader.app(&organization, &app).await?;
    let shown = reader.triage.merge(&reader.rights, &identity, number, others.errors).await?;
    detail(&reader, &organization, &app, shown, None).await
}

/// Splits merged errors from an error. Each has its own occurrences and counts again.
#[utoipa::path(
    post,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/split/",
    operation_id = "split_errors",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    request_body = OtherErrors,
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn split(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
    Json(others): Json<OtherErrors>,
) -> Result<Json<ErrorDetail>, Problem> {
    let identity = reader.app(&organization, &app).await?;
    let shown = reader.triage.split(&reader.rights, &identity, number, others.errors).await?;
    detail(&reader, &organization, &app, shown, None).await
}

impl ErrorChange {
    /// Returns the change, unless it has values of another status.
    fn status_change(&self) -> Result<Option<StatusChange>, Problem> {
        let has_ends = self.until.is_some() || self.further_errors.is_some() || self.until_next_release;
        if has_ends && self.status != Some(Status::Muted) {
            let reason = "`until`, `further_errors` and `until_next_release` are for the status `muted`";
            return Err(Problem::invalid("status", reason));
        }
        if self.in_next_release && self.status != Some(Status::Resolved) {
            return Err(Problem::invalid("in_next_release", "it is for the status `resolved`"));
        }
        Ok(self.status.map(|status| match status {
            Status::Open => StatusChange::Open,
            Status::Resolved => StatusChange::Resolve { in_next_release: self.in_next_release },
            Status::Muted => StatusChange::Mute(MuteEnds {
                time: self.until.map(Timestamp::as_microsecond),
                further_errors: self.further_errors,
                next_release: self.until_next_release,
            }),
        }))
    }
}

async fn detail(
    reader: &Reader,
    organization: &str,
    app: &str,
    number: i64,
    occurrence: Option<i64>,
) -> Result<Json<ErrorDetail>, Problem> {
    let app = reader.app(organization, app).await?;
    let detail = reader.query.error(&app, number, occurrence, Timestamp::now()).await?;
    detail.map(Json).ok_or_else(|| Problem::not_found("error"))
}
