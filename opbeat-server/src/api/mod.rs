//! The JSON API: the data of the pages, for programs.

mod access;
mod apps;
mod channels;
mod crons;
mod errors;
mod intake;
mod jobs;
mod problem;
mod query_parameters;
mod releases;
mod rounded;
mod spans;
mod transactions;

use std::sync::Arc;

use axum::routing::{get, patch, post};
use axum::{Extension, Json, Router};
use utoipa::openapi::Server;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

pub(crate) use access::{Api, Reader};

use crate::site::Site;

/// Makes the routes below `/api/v2/`.
pub(crate) fn router(api: Api) -> Router {
    let routes = Router::new()
        .route("/organizations/{organization}/apps/", get(apps::list))
        .route("/organizations/{organization}/apps/{app}/transactions/", get(transactions::list))
        .route("/organizations/{organization}/apps/{app}/transactions/{transaction}/", get(transactions::one))
        .route("/organizations/{organization}/apps/{app}/transactions/{transaction}/series/", get(transactions::series))
        .route(
            "/organizations/{organization}/apps/{app}/transactions/{transaction}/breakdown/",
            get(transactions::breakdown),
        )
        .route(
            "/organizations/{organization}/apps/{app}/transactions/{transaction}/samples/",
            get(transactions::samples),
        )
        .route(
            "/organizations/{organization}/apps/{app}/transactions/{transaction}/samples/{sample}/",
            get(transactions::sample),
        )
        .route("/organizations/{organization}/apps/{app}/series/", get(transactions::app_series))
        .route("/organizations/{organization}/apps/{app}/breakdown/", get(transactions::app_breakdown))
        .route("/organizations/{organization}/apps/{app}/intake/", get(intake::one))
        .route("/organizations/{organization}/apps/{app}/queries/", get(spans::queries))
        .route("/organizations/{organization}/apps/{app}/queries/{span}/", get(spans::query))
        .route("/organizations/{organization}/apps/{app}/calls/", get(spans::calls))
        .route("/organizations/{organization}/apps/{app}/calls/{span}/", get(spans::call))
        .route("/organizations/{organization}/apps/{app}/jobs/", get(jobs::list))
        .route("/organizations/{organization}/apps/{app}/crons/", get(crons::list))
        .route("/organizations/{organization}/apps/{app}/errors/", get(errors::list))
        .route("/organizations/{organization}/apps/{app}/errors/by-id/{id}/", get(errors::by_id))
        .route("/organizations/{organization}/apps/{app}/errors/{number}/", get(errors::one).patch(errors::change))
        .route("/organizations/{organization}/apps/{app}/errors/{number}/comments/", post(errors::comment))
        .route("/organizations/{organization}/apps/{app}/errors/{number}/merge/", post(errors::merge))
        .route("/organizations/{organization}/apps/{app}/errors/{number}/split/", post(errors::split))
        .route(
            "/organizations/{organization}/apps/{app}/errors/{number}/occurrences/{occurrence}/",
            get(errors::occurrence),
        )
        .route("/organizations/{organization}/apps/{app}/channels/", get(channels::list).post(channels::add))
        .route(
            "/organizations/{organization}/apps/{app}/channels/{channel}/",
            patch(channels::change).delete(channels::remove),
        )
        .route("/organizations/{organization}/apps/{app}/channels/{channel}/test/", post(channels::test))
        .route("/organizations/{organization}/apps/{app}/findings/", get(releases::findings))
        .route("/organizations/{organization}/apps/{app}/releases/", get(releases::list))
        .route("/organizations/{organization}/apps/{app}/releases/{release}/", get(releases::one))
        .route("/organizations/{organization}/apps/{app}/releases/{release}/errors/", get(releases::errors))
        .route("/organizations/{organization}/apps/{app}/deployments/", get(releases::deployments))
        .route("/organizations/{organization}/apps/{app}/deployments/{machine}/", get(releases::deployment))
        .layer(axum::middleware::map_response(problem::format_rejection))
        .with_state(api);
    Router::new().route("/api/v2/openapi.json", get(openapi)).nest("/api/v2", routes.fallback(problem::no_route))
}

/// Returns the API's description: OpenAPI 3.1. Its paths are below the path at which the client reaches this server.
async fn openapi(site: Option<Extension<Arc<Site>>>) -> Json<utoipa::openapi::OpenApi> {
    let mut description = description();
    if let Some(Extension(site)) = site.filter(|site| !site.base.is_empty()) {
        description.servers = Some(vec![Server::new(&*site.base)]);
    }
    Json(description)
}

/// Returns the API's description, for those who derive something from it.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Opbeat", description = "Performance and errors of web applications."),
    paths(
        apps::list,
        intake::one,
        transactions::list,
        transactions::one,
        transactions::series,
        transactions::breakdown,
        transactions::samples,
        transactions::sample,
        transactions::app_series,
        transactions::app_breakdown,
        spans::queries,
        spans::query,
        spans::calls,
        spans::call,
        jobs::list,
        crons::list,
        errors::list,
        errors::one,
        errors::occurrence,
        errors::by_id,
        errors::change,
        errors::comment,
        errors::merge,
        errors::split,
        channels::list,
        channels::add,
        channels::change,
        channels::remove,
        channels::test,
        releases::list,
        releases::one,
        releases::errors,
        releases::findings,
        releases::deployments,
        releases::deployment,
    ),
    modifiers(&Bearer),
    security(("read_token" = [])),
)]
struct Description;

/// Adds to the description that every request carries a token.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of the organization, from `opbeat token create ORG`. Changes of errors need one that was created with `--write`, and changes of channels one with `--manage`."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("read_token", SecurityScheme::Http(scheme));
    }
}
