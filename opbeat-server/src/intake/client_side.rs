//! The endpoints for the browsers of an application's users, which have no token.
//!
//! The app must allow the origin of the web page, and requests are limited to a rate for each app.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, ORIGIN,
    REFERER, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;

use super::authenticate::{DirectoryUnavailable, directory_unavailable};
use super::gate::too_many;
use super::handler::{Accepted, Delivery, Intake};
use super::origins::{AllowedOrigin, WebOrigin};
use super::rejection::Rejection;
use super::sender::Sender;
use crate::decode::Endpoint;

/// The headers that browser agents add to their requests.
const AGENT_HEADERS: HeaderValue = HeaderValue::from_static("content-type, x-opbeat-client, x-opbeat-platform");

/// The time for which a browser may remember the answer to a preflight, in seconds. No browser keeps it longer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The headers of answers that scripts may read.
const READABLE_HEADERS: HeaderValue = HeaderValue::from_static("location, retry-after");

/// The reason why a request beyond the rate of its app is refused.
const TOO_MANY: &str =
    "The browsers of this app send more requests than `opbeat serve --client-side-rate` allows in a second.";

/// A transparent picture of one pixel.
const PIXEL: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The query of the image form.
#[derive(Deserialize)]
pub(super) struct ImageParameters {
    /// The body of `errors/`.
    data: Option<String>,
}

pub(super) async fn errors(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(&intake, Endpoint::Errors, &app, &headers, body).await
}

pub(super) async fn transactions(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(&intake, Endpoint::Transactions, &app, &headers, body).await
}

/// Answers the request by which a browser asks whether it may send a request with the agent's headers.
pub(super) async fn preflight(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let origin = origin(&headers);
    let answer = find(&intake, &app, origin.as_deref()).await.map(|_| {
        let allowed = [
            (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
            (ACCESS_CONTROL_ALLOW_HEADERS, AGENT_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    });
    let is_allowed = answer.is_ok();
    with_cors(answer.into_response(), origin.filter(|_| is_allowed))
}

/// Accepts an error from the address of a picture, and answers with a picture: browsers send such requests to all hosts.
pub(super) async fn image(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    Query(parameters): Query<ImageParameters>,
) -> Response {
    // A browser sends no `Origin` with the request of a picture.
    let referer = || WebOrigin::of_url(headers.get(REFERER)?.to_str().ok()?);
    let origin = origin(&headers).or_else(|| referer().map(|origin| origin.to_string()));
    let sender = match find(&intake, &app, origin.as_deref()).await {
        Ok(sender) => sender,
        Err(rejection) => return with_cors(rejection.into_response(), None),
    };
    let answer = match parameters.data {
        Some(data) => accept(&intake, Endpoint::Errors, sender, &headers, data.into()).await,
        None => {
            Err(Rejection::field("data", "it is missing; send the error as JSON in the query: `errors.gif?data=…`"))
        }
    };
    let answer = answer.map(|accepted| {
        let picture = [(CONTENT_TYPE, "image/gif"), (CACHE_CONTROL, "no-store")];
        let location = accepted.into_response().headers().get(LOCATION).cloned();
        let location = AppendHeaders(location.map(|location| (LOCATION, location)));
        (picture, location, PIXEL).into_response()
    });
    with_cors(answer.into_response(), origin)
}

pub(super) async fn method_not_allowed(method: Method) -> Response {
    let message = format!("{method} is not allowed here. Use POST, after the preflight of the browser.");
    other_method(message, HeaderValue::from_static("POST, OPTIONS"))
}

pub(super) async fn image_method_not_allowed(method: Method) -> Response {
    other_method(format!("{method} is not allowed here. Use GET."), HeaderValue::from_static("GET"))
}

fn other_method(message: String, allowed: HeaderValue) -> Response {
    let mut response = Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    response.headers_mut().insert(ALLOW, allowed);
    response
}

async fn receive(
    intake: &Intake,
    endpoint: Endpoint,
    app: &(String, String),
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let origin = origin(headers);
    match find(intake, app, origin.as_deref()).await {
        Ok(sender) => with_cors(accept(intake, endpoint, sender, headers, body).await.into_response(), origin),
        // A page of another origin cannot read the reason. The developer sees it in the browser's tools.
        Err(rejection) => with_cors(rejection.into_response(), None),
    }
}

/// Accepts a body within the app's rate.
async fn accept(
    intake: &Intake,
    endpoint: Endpoint,
    sender: Sender,
    headers: &HeaderMap,
    body: Body,
) -> Result<Accepted, Rejection> {
    if let Err(wait) = intake.browsers.take(&sender.app_id, intake.rate_of_browsers(), 1) {
        let rejection = too_many("too_many", TOO_MANY, wait);
        intake.refusals.count(&sender.app_id, &rejection);
        return Err(rejection);
    }
    intake.accept(Delivery { endpoint, sender, headers }, body).await
}

/// Finds the app that a page of an origin sends to. A refusal is only logged, since anybody can cause one.
async fn find(
    intake: &Intake,
    (organization, app): &(String, String),
    origin: Option<&str>,
) -> Result<Sender, Rejection> {
    let find = async {
        let origin = origin.ok_or_else(no_origin)?;
        let found = intake.origins.find_allowed(organization, app, origin).await;
        let found = found.map_err(|DirectoryUnavailable| directory_unavailable())?;
        found.map(|app| Sender::from(&*app)).ok_or_else(|| not_allowed(organization, app, origin))
    };
    find.await.inspect_err(|rejection| intake.refusals.count("", rejection))
}

/// Returns the header `Origin`.
fn origin(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(ORIGIN)?.to_str().ok()?.to_owned())
}

/// Adds the headers by which a browser lets the page of an allowed origin read the answer.
fn with_cors(mut response: Response, allowed: Option<String>) -> Response {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READABLE_HEADERS);
    }
    response
}

fn no_origin() -> Rejection {
    let message = "The request has no header Origin, which browsers add (Referer for a picture). Programs send to \
         …/errors/ and …/transactions/, with a secret token.";
    Rejection { reason: "origin", ..Rejection::new(StatusCode::FORBIDDEN, message) }
}

/// The answer is the same for an unknown app, so that nobody can find out which apps exist.
fn not_allowed(organization: &str, app: &str, origin: &str) -> Rejection {
    // The message is logged, and the path can contain any characters.
    let is_name =
        |name: &str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let app =
        if is_name(organization) && is_name(app) { format!("{organization}/{app}") } else { "ORG/APP".to_owned() };
    let message = match origin.parse::<AllowedOrigin>() {
        Ok(origin) => format!(
            "The app {app} accepts no data from pages of {origin}, or does not exist. \
             `opbeat app origins {app} --add {origin}` allows it."
        ),
        Err(error) => format!("The header Origin is invalid: {error}."),
    };
    Rejection { reason: "origin", ..Rejection::new(StatusCode::FORBIDDEN, message) }
}
