//! The handlers of the intake's endpoints.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use opbeat_protocol::Timestamp;
use serde_json::json;

use super::authenticate::{TokenDirectory, authenticate};
use super::body;
use super::lanes::Lanes;
use super::limits::IntakeLimits;
use super::refusals::Refusals;
use super::rejection::Rejection;
use crate::changes::{self, BodyChanges};
use crate::decode::{Decoded, Endpoint, decode};
use crate::interpret::{Origin, interpret};
use crate::queue::{AppendError, Queue};
use crate::text::start_of;

/// The maximum length of a header value that is interpreted, in characters. Longer values are cut.
const MAX_HEADER: usize = 256;

/// The maximum length of an idempotency key, in bytes. A cut key could equal another one, so that longer ones are
/// rejected.
const MAX_KEY: usize = 255;

/// The state that the handlers share.
#[derive(Clone)]
pub(super) struct Intake {
    queue: Queue,
    tokens: Arc<dyn TokenDirectory>,
    limits: IntakeLimits,
    lanes: Lanes,
    refusals: Refusals,
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
    pub(super) fn new(queue: Queue, tokens: Arc<dyn TokenDirectory>, limits: IntakeLimits, refusals: Refusals) -> Self {
        Self { queue, tokens, limits, lanes: Lanes::new(&limits), refusals }
    }

    /// Authenticates a request, and accepts its body. Counts it if it is refused.
    async fn accept(
        &self,
        endpoint: Endpoint,
        organization: &str,
        app: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<StatusCode, Rejection> {
        let owner = authenticate(&*self.tokens, headers, organization, app).await;
        let owner = owner.inspect_err(|rejection| self.refusals.count("", rejection))?;
        let accepted = self.accept_of(&owner.app_id, endpoint, headers, body).await;
        accepted.inspect_err(|rejection| self.refusals.count(&owner.app_id, rejection))
    }

    /// Decodes and interprets a body of an app, and appends its changes to the queue.
    async fn accept_of(
        &self,
        app_id: &str,
        endpoint: Endpoint,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<StatusCode, Rejection> {
        let idempotency_key = idempotency_key(endpoint, headers)?;
        let size = body::declared_size(headers, &self.limits)?;
        let room = self.lanes.room(app_id, size).await?;
        let body = body::read(body, &self.limits).await?;
        let origin = Origin {
            app_id: app_id.to_owned(),
            received: Timestamp::from(SystemTime::now()),
            platform: header(headers, "x-opbeat-platform"),
            user_agent: header(headers, "user-agent"),
        };
        let record = self.lanes.run(&room, body, move |body, limit| {
            let decoded = decode(endpoint, body, limit)?;
            Ok(record(&origin, idempotency_key.clone(), decoded))
        });
        self.queue.append(&record.await?).await.map_err(|error| not_stored(&error))?;
        Ok(StatusCode::ACCEPTED)
    }
}

/// Returns the record of the queue for a report.
fn record(origin: &Origin, idempotency_key: String, decoded: Decoded) -> Vec<u8> {
    let changes = interpret(origin, decoded);
    let received_at = origin.received.micros();
    changes::encode(&[BodyChanges { app_id: origin.app_id.clone(), idempotency_key, received_at, changes }])
}

/// Returns the idempotency key of a request, or an empty string. A key belongs to one endpoint.
fn idempotency_key(endpoint: Endpoint, headers: &HeaderMap) -> Result<String, Rejection> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(String::new()) };
    match key.to_str() {
        Ok(key) if key.len() <= MAX_KEY => Ok(format!("{}:{key}", endpoint.name())),
        _ => Err(Rejection::new(
            StatusCode::BAD_REQUEST,
            format!("The header Idempotency-Key is longer than {MAX_KEY} bytes, or not ASCII. Send a shorter key."),
        )),
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
