//! The handlers of the intake's endpoints.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;
use opbeat_protocol::Timestamp;
use serde_json::json;
use tokio::sync::Semaphore;

use super::authenticate::{TokenDirectory, authenticate};
use super::body;
use super::inflate::{InflateError, inflate};
use super::limits::IntakeLimits;
use super::rejection::Rejection;
use super::validate::{parse_errors, parse_transactions};
use crate::queue::{AppendError, Endpoint, Envelope, Message, Queue};
use crate::text::start_of;

/// The maximum length of a header value in the queue, in characters. Longer values are cut.
const MAX_HEADER: usize = 256;

/// The state that the handlers share.
#[derive(Clone)]
pub(super) struct Intake {
    queue: Queue,
    tokens: Arc<dyn TokenDirectory>,
    limits: IntakeLimits,
    /// Limits the number of bodies that are inflated and checked at the same time.
    checks: Arc<Semaphore>,
}

/// Answers the request that an agent sends at its start, to find out whether its token is accepted.
pub(super) async fn app(
    State(intake): State<Intake>,
    Path((organization, app)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, Rejection> {
    let owner = authenticate(&*intake.tokens, &headers, &organization, &app).await?;
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
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not allowed here. Use POST."))
}

pub(super) async fn app_method_not_allowed(method: Method) -> Rejection {
    let message = format!("{method} is not allowed here. Post to …/errors/ or …/transactions/.");
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

pub(super) async fn not_found(uri: Uri) -> Rejection {
    let message = format!(
        "There is nothing at {}. Post to /api/v1/organizations/<organization id>/apps/<app id>/errors/ \
         or …/transactions/.",
        uri.path()
    );
    Rejection::new(StatusCode::NOT_FOUND, message)
}

impl Intake {
    pub(super) fn new(queue: Queue, tokens: Arc<dyn TokenDirectory>, limits: IntakeLimits) -> Self {
        Self { queue, tokens, limits, checks: Arc::new(Semaphore::new(limits.at_once)) }
    }

    /// Checks a request and appends its body to the queue.
    async fn accept(
        &self,
        endpoint: Endpoint,
        organization: &str,
        app: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<StatusCode, Rejection> {
        let owner = authenticate(&*self.tokens, headers, organization, app).await?;
        let body = body::read(headers, body, &self.limits).await?;
        self.check(endpoint, body.clone()).await?;
        let envelope = Envelope {
            app_id: owner.app_id,
            endpoint,
            received_at: Timestamp::from(SystemTime::now()).micros(),
            platform: header(headers, "x-opbeat-platform"),
            idempotency_key: header(headers, "idempotency-key"),
        };
        self.queue.append(&Message { envelope, body: body.to_vec() }).await.map_err(|error| not_stored(&error))?;
        Ok(StatusCode::ACCEPTED)
    }

    /// Inflates and parses a body on a blocking thread. Only a few bodies are checked at once, which bounds memory.
    async fn check(&self, endpoint: Endpoint, body: Bytes) -> Result<(), Rejection> {
        let permit = Arc::clone(&self.checks).acquire_owned().await.map_err(|_| shutting_down())?;
        let limit = self.limits.inflated;
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            check(endpoint, &body, limit)
        });
        checked.await.unwrap_or_else(|error| Err(if error.is_panic() { panicked() } else { shutting_down() }))
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
    start_of(value, MAX_HEADER).to_owned()
}

fn not_stored(error: &AppendError) -> Rejection {
    let message = format!("The body was not stored: {error}. Send it again later, so that no data is lost.");
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn panicked() -> Rejection {
    Rejection::new(
        StatusCode::BAD_REQUEST,
        "The body cannot be read: the server panicked while it parsed the body. Please report this.",
    )
}

fn shutting_down() -> Rejection {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down. Send the request again later.")
}
