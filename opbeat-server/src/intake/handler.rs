//! The handlers of the intake's endpoints.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use opbeat_protocol::Timestamp;
use opbeat_secrets::Secrets;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::authenticate::{TokenDirectory, authenticate};
use super::body;
use super::gate::{self, Gate};
use super::lanes::Lanes;
use super::limits::IntakeLimits;
use super::location::location;
use super::origins::OriginDirectory;
use super::rate::{Rate, Rates};
use super::refusals::Refusals;
use super::rejection::Rejection;
use super::sender::Sender;
use crate::changes::{self, BodyChanges};
use crate::decode::{Decoded, Endpoint, decode};
use crate::interpret::{Origin, interpret};
use crate::queue::{AppendError, Queue};
use crate::random::{hex, random_hex};
use crate::text::start_of;

/// The maximum length of a header value that is interpreted, in characters. Longer values are cut.
const MAX_HEADER: usize = 256;

/// The maximum length of an idempotency key, in bytes. A cut key could equal another one, so that longer ones are
/// rejected.
const MAX_KEY: usize = 255;

/// The state that the handlers share.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(super) queue: Queue,
    pub(super) tokens: Arc<dyn TokenDirectory>,
    pub(super) origins: Arc<dyn OriginDirectory>,
    pub(super) limits: IntakeLimits,
    pub(super) lanes: Lanes,
    pub(super) refusals: Refusals,
    pub(super) gate: Gate,
    /// The requests of the browsers of each app.
    pub(super) browsers: Rates,
}

/// A request whose body is to be accepted.
pub(super) struct Delivery<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) sender: Sender,
    pub(super) headers: &'a HeaderMap,
}

/// The answer to a body whose changes are in the queue: 202, and the address of an error.
pub(super) struct Accepted(Response);

impl Accepted {
    fn new(location: Option<String>) -> Self {
        let mut response = StatusCode::ACCEPTED.into_response();
        let location = location.and_then(|location| HeaderValue::from_str(&location).ok());
        response.headers_mut().extend(location.map(|location| (LOCATION, location)));
        Self(response)
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        self.0
    }
}

/// Answers the request that an agent sends at its start, to find out whether its token is accepted.
pub(super) async fn app(
    State(intake): State<Intake>,
    Path((organization, app)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, Rejection> {
    let owner = authenticate(&*intake.tokens, &headers, &organization, &app).await;
    let owner = owner.inspect_err(|rejection| intake.refusals.count(&rejection.app_id, rejection))?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({"organization": owner.organization, "app": owner.app, "server": format!("opbeat/{version}")})))
}

pub(super) async fn errors(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, Rejection> {
    intake.accept_with_token(Endpoint::Errors, &app, &headers, body).await
}

pub(super) async fn transactions(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, Rejection> {
    intake.accept_with_token(Endpoint::Transactions, &app, &headers, body).await
}

pub(super) async fn method_not_allowed(method: Method) -> Rejection {
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not allowed here. Use POST."))
}

pub(super) async fn app_method_not_allowed(method: Method) -> Rejection {
    let message =
        format!("{method} is not allowed here. Post to …/errors/, …/transactions/, …/releases/ or …/deployments/.");
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

pub(super) async fn not_found(uri: Uri) -> Rejection {
    let message = format!(
        "There is nothing at {}. Post to /api/v1/organizations/<organization id>/apps/<app id>/errors/, \
         …/transactions/, …/releases/ or …/deployments/.",
        uri.path()
    );
    Rejection::new(StatusCode::NOT_FOUND, message)
}

impl Intake {
    /// Makes the state from the parts that intake needs.
    pub(crate) fn new(
        queue: Queue,
        tokens: Arc<dyn TokenDirectory>,
        origins: Arc<dyn OriginDirectory>,
        limits: IntakeLimits,
        refusals: Refusals,
        gate: Gate,
    ) -> Self {
        let (lanes, browsers) = (Lanes::new(&limits), Rates::default());
        Self { queue, tokens, origins, limits, lanes, refusals, gate, browsers }
    }

    /// Returns the rate at which the browsers of one app may send requests.
    pub(super) fn rate_of_browsers(&self) -> Rate {
        Rate::new(self.limits.client_side_rate, self.limits.client_side_burst)
    }

    /// Accepts the body of a request with a secret token.
    pub(super) async fn accept_with_token(
        &self,
        endpoint: Endpoint,
        (organization, app): &(String, String),
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Accepted, Rejection> {
        let owner = authenticate(&*self.tokens, headers, organization, app).await;
        let owner = owner.inspect_err(|rejection| self.refusals.count(&rejection.app_id, rejection))?;
        self.accept(Delivery { endpoint, sender: owner.into(), headers }, body).await
    }

    /// Accepts a body of an app. Counts it if it is refused.
    pub(super) async fn accept(&self, delivery: Delivery<'_>, body: Body) -> Result<Accepted, Rejection> {
        let app_id = delivery.sender.app_id.clone();
        self.accept_uncounted(delivery, body).await.inspect_err(|rejection| self.refusals.count(&app_id, rejection))
    }

    /// Decodes and interprets a body, and appends its changes to the queue.
    async fn accept_uncounted(&self, delivery: Delivery<'_>, body: Body) -> Result<Accepted, Rejection> {
        let Delivery { endpoint, sender, headers } = delivery;
        let limits = if sender.is_browser { self.limits.of_browsers() } else { self.limits };
        self.gate.check(&sender.app_id)?;
        let idempotency_key = idempotency_key(endpoint, headers)?;
        let size = body::declared_size(headers, &limits)?;
        let room = self.lanes.room(&sender, size).await?;
        let body = body::read(body, &limits).await?;
        self.gate.take_bytes(&sender.app_id, body.len())?;
        let size = body.len();
        let origin = Origin {
            app_id: sender.app_id.clone(),
            received: Timestamp::from(SystemTime::now()),
            platform: header(headers, "x-opbeat-platform"),
            user_agent: header(headers, "user-agent"),
            browser_agent: sender.is_browser.then(|| header(headers, "x-opbeat-client")),
        };
        let recorded = self.lanes.run(&room, body, move |body, limit| {
            let decoded = decode(endpoint, body, limit.min(limits.inflated))?;
            Ok(record(&origin, idempotency_key.clone(), decoded, size))
        });
        let Record { bytes, error_id, events } = recorded.await?;
        let accepted = self.gate.take_events(&sender.app_id, events)?;
        self.append(&sender.app_id, &bytes, &[accepted]).await?;
        Ok(Accepted::new(error_id.map(|id| location(&sender, &id, headers))))
    }

    /// Appends a record to the queue on disk. Gives the events back to their apps if that fails.
    pub(super) async fn append(
        &self,
        app_id: &str,
        record: &[u8],
        accepted: &[gate::Accepted],
    ) -> Result<(), Rejection> {
        self.queue.append(app_id, record).await.map_err(|error| {
            accepted.iter().for_each(|accepted| self.gate.give_back(accepted));
            not_stored(&error)
        })
    }
}

/// A report as the queue holds it.
struct Record {
    bytes: Vec<u8>,
    /// The id by which the reported error can be found.
    error_id: Option<String>,
    events: u64,
}

/// Returns the record of the queue for a report of a size in bytes. An error without an id gets one.
fn record(origin: &Origin, idempotency_key: String, decoded: Decoded, size: usize) -> Record {
    let mut changes = interpret(origin, decoded);
    for error in changes.errors.iter_mut().filter(|error| error.external_id.is_empty()) {
        error.external_id = new_id(&origin.app_id, &idempotency_key);
    }
    let error_id = changes.errors.first().map(|error| error.external_id.clone());
    let received_at = origin.received.micros();
    let mut body = BodyChanges::new(origin.app_id.clone(), idempotency_key, received_at, changes);
    body.usage.bytes = size as u64;
    let events = body.usage.events;
    Record { bytes: changes::encode(&[body]), error_id, events }
}

/// Returns an id for an error: a random one, or that of the first delivery if this one may be a repetition.
fn new_id(app_id: &str, idempotency_key: &str) -> String {
    if idempotency_key.is_empty() {
        return random_hex::<16>();
    }
    let hash = Sha256::new().chain_update(app_id).chain_update([0]).chain_update(idempotency_key).finalize();
    hex(&hash[..16])
}

/// Returns the idempotency key of a request, or an empty string. A key belongs to one endpoint.
fn idempotency_key(endpoint: Endpoint, headers: &HeaderMap) -> Result<String, Rejection> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(String::new()) };
    match key.to_str() {
        Ok(key) if key.len() <= MAX_KEY => Ok(endpoint.own_key(&without_secret(key))),
        _ => Err(Rejection::new(
            StatusCode::BAD_REQUEST,
            format!("The header Idempotency-Key is longer than {MAX_KEY} bytes, or not ASCII. Send a shorter key."),
        )),
    }
}

/// Returns a key, or its hash if it contains a secret. Keys are stored, and different keys must stay different.
fn without_secret(key: &str) -> Cow<'_, str> {
    match Secrets::default().scrub(key) {
        Cow::Borrowed(key) => Cow::Borrowed(key),
        Cow::Owned(_) => Cow::Owned(hex(&Sha256::digest(key))),
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    start_of(value, MAX_HEADER).to_owned()
}

/// Returns the rejection of a body that the queue did not take.
fn not_stored(error: &AppendError) -> Rejection {
    let (status, reason) = match error {
        AppendError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        AppendError::Full(_) => (StatusCode::SERVICE_UNAVAILABLE, "queue_full"),
        AppendError::AppFull(_) => (StatusCode::SERVICE_UNAVAILABLE, "app_queue_full"),
        AppendError::Disk(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_written"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let remedy = match status {
        StatusCode::SERVICE_UNAVAILABLE => " Send it again later, so that no data is lost.",
        _ => "",
    };
    Rejection { reason, ..Rejection::new(status, format!("The body was not stored: {error}.{remedy}")) }
}
