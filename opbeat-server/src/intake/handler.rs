//! One handler an endpoint.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;
use opbeat_protocol::Timestamp;
use serde_json::json;

use super::{Intake, Rejection, authenticate, body, inflate, parse_errors, parse_transactions};
use crate::intake::InflateError;
use crate::queue::{AppendError, Endpoint, Envelope, Message};

/// Headers are kept up to this length.
const MAX_HEADER: usize = 256;

/// Tells an agent at its start whether its token is accepted.
pub(super) async fn app(
    State(intake): State<Intake>,
    Path((organization, app)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, Rejection> {
    let owner = authenticate::authenticate(&*intake.tokens, &headers, &organization, &app).await?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({"organization": owner.organization, "app": owner.app, "server": format!("opbeat/{version}")})))
}

pub(super) async fn errors(
    State(intake): State<Intake>,
    Path((organization, app)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Rejection> {
    intake.accept(Endpoint::Errors, &organization, &app, &headers, body).await
}

pub(super) async fn transactions(
    State(intake): State<Intake>,
    Path((organization, app)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Rejection> {
    intake.accept(Endpoint::Transactions, &organization, &app, &headers, body).await
}

pub(super) async fn method_not_allowed(method: Method) -> Rejection {
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not understood here. Use POST."))
}

pub(super) async fn app_method_not_allowed(method: Method) -> Rejection {
    let message = format!("{method} is not understood here. Post to …/errors/ or …/transactions/.");
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

pub(super) async fn not_found(uri: Uri) -> Rejection {
    let message = format!(
        "There is nothing at {}. Post to /api/v1/organizations/<organization id>/apps/<app id>/errors/ or …/transactions/.",
        uri.path()
    );
    Rejection::new(StatusCode::NOT_FOUND, message)
}

impl Intake {
    async fn accept(
        &self,
        endpoint: Endpoint,
        organization: &str,
        app: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<StatusCode, Rejection> {
        let owner = authenticate::authenticate(&*self.tokens, headers, organization, app).await?;
        let body = body::read(headers, body, &self.limits).await?;
        self.check(endpoint, body.clone()).await?;
        let envelope = Envelope {
            app_id: owner.app_id,
            endpoint,
            received_at: Timestamp::from(SystemTime::now()).micros(),
            platform: header(headers, "x-opbeat-platform"),
            idempotency_key: header(headers, "idempotency-key"),
        };
        self.queue.append(&Message { envelope, body: body.to_vec() }).await.map_err(|error| unavailable(&error))?;
        Ok(StatusCode::ACCEPTED)
    }

    /// Inflates and parses on threads that may block, a few at once, so that memory stays bounded.
    async fn check(&self, endpoint: Endpoint, body: Bytes) -> Result<(), Rejection> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| stopping())?;
        let limit = self.limits.inflated;
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            check(endpoint, &body, limit)
        });
        checked.await.unwrap_or_else(|error| Err(if error.is_panic() { unreadable() } else { stopping() }))
    }
}

fn check(endpoint: Endpoint, body: &[u8], limit: usize) -> Result<(), Rejection> {
    let json = inflate(body, limit).map_err(|error| match error {
        InflateError::TooLarge(limit) => body::too_large(limit),
        InflateError::Damaged(..) => Rejection::field("body", error.to_string()),
    })?;
    match endpoint {
        Endpoint::Errors => parse_errors(&json).map(drop),
        Endpoint::Transactions => parse_transactions(&json).map(drop),
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.chars().take(MAX_HEADER).collect()
}

fn unavailable(error: &AppendError) -> Rejection {
    let message = format!("The body was not stored: {error}. Nothing is lost if you send the same again later.");
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn unreadable() -> Rejection {
    Rejection::new(StatusCode::BAD_REQUEST, "The body cannot be read: the server stumbled over it. Please report this.")
}

fn stopping() -> Rejection {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "The server stops. Send the same again later.")
}
