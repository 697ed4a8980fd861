//! The acceptance of a request, which both transports share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::HeaderMap;
use opbeat_protocol::Timestamp;

use super::body::{Coding, unframed};
use super::directory::{FindService, ServiceDirectory};
use crate::changes;
use crate::decode::Undecodable;
use crate::intake::{Accepted, DirectoryUnavailable, Intake, Received, RefusedApp, Rejection, TokenOwner};
use crate::otlp::messages::{Encoding, ExportAnswer, PartialSuccess, decode};
use crate::otlp::resource::Source;
use crate::otlp::telemetry::{Request, Telemetry};

/// The largest number of services in one request. Collectors send a few.
const MAX_SERVICES: usize = 50;

/// The parts that the services share.
#[derive(Clone)]
pub(super) struct Otlp {
    pub(super) intake: Intake,
    pub(super) services: Arc<dyn ServiceDirectory>,
}

/// The form of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// The encoding of the message.
    pub(super) encoding: Encoding,
    /// The coding of the message.
    pub(super) coding: Coding,
    /// Whether the message is in a frame of gRPC.
    pub(super) is_framed: bool,
}

/// A decoded request.
struct Decoded<T> {
    export: T,
    /// The size of the inflated message, in bytes.
    size: usize,
}

/// An interpreted request.
struct Interpreted {
    /// The encoded changes, if there are any.
    record: Option<Vec<u8>>,
    /// The events of the apps within their limits.
    accepted: Vec<Accepted>,
    /// The apps whose data is left out.
    refused: Vec<RefusedApp>,
    /// The number of rejected items.
    rejected: i64,
    /// The reasons, and what to do.
    reasons: Vec<String>,
}

impl Otlp {
    /// Accepts a request, and counts it if it is refused.
    pub(super) async fn accept<T: Telemetry>(
        &self,
        headers: &HeaderMap,
        body: Body,
        form: Result<Form, Rejection>,
    ) -> Result<ExportAnswer, Rejection> {
        let owner = self.intake.owner(headers).await?;
        let accepted = match form {
            Ok(form) => self.accept_of::<T>(&owner, headers, body, form).await,
            Err(rejection) => Err(rejection),
        };
        accepted.inspect_err(|rejection| {
            let app_id = if rejection.app_id.is_empty() { &owner.app_id } else { &rejection.app_id };
            self.intake.count_refusal(app_id, rejection);
        })
    }

    async fn accept_of<T: Telemetry>(
        &self,
        owner: &TokenOwner,
        headers: &HeaderMap,
        body: Body,
        form: Form,
    ) -> Result<ExportAnswer, Rejection> {
        let received = self.intake.receive(owner, headers, body).await?;
        let Form { encoding, coding, is_framed } = form;
        let decoded = self.intake.work(&received, move |body, limit| {
            let (coding, message) = if is_framed { unframed(body, coding)? } else { (coding, body) };
            let message = coding.inflate(message, limit)?;
            Ok(Decoded { export: decode::<T>(&message, encoding)?, size: message.len() })
        });
        let decoded = decoded.await?;
        let destinations = self.destinations(owner, decoded.export.sources()).await?;
        let request = Request {
            app_id: owner.app_id.clone(),
            size: decoded.size,
            received: Timestamp::from(SystemTime::now()),
            destinations,
        };
        self.store(&received, decoded, request).await
    }

    /// Interprets a request, stores its changes, and returns the answer.
    async fn store<T: Telemetry>(
        &self,
        received: &Received,
        decoded: Decoded<T>,
        request: Request,
    ) -> Result<ExportAnswer, Rejection> {
        let app_id = request.app_id.clone();
        let (gate, size) = (self.intake.gate(), received.body.len() as u64);
        let work = self.intake.work(received, move |_, limit| {
            if decoded.size > limit {
                return Err(Undecodable::TooLarge(limit));
            }
            let mut outcome = decoded.export.outcome(&request);
            let (accepted, refused) = gate.take_each(&mut outcome.bodies);
            if let Some(first) = outcome.bodies.first_mut() {
                first.usage.bytes = size;
            }
            let record = (!outcome.bodies.is_empty()).then(|| changes::encode(&outcome.bodies));
            Ok(Interpreted { record, accepted, refused, rejected: outcome.rejected, reasons: outcome.reasons })
        });
        let Interpreted { record, accepted, mut refused, mut rejected, mut reasons } = work.await?;
        // The caller counts it.
        let whole = if accepted.is_empty() { refused.pop() } else { None };
        for RefusedApp { rejection, .. } in &refused {
            self.intake.count_refusal(&rejection.app_id, rejection);
        }
        if let Some(RefusedApp { rejection, .. }) = whole {
            return Err(rejection);
        }
        if let Some(record) = record {
            self.intake.store(&app_id, &record, &accepted).await?;
        }
        // The exporter does not send the rest again, since it would send the accepted part again too.
        for RefusedApp { events, rejection } in refused {
            rejected = rejected.saturating_add(i64::try_from(events).unwrap_or(i64::MAX));
            reasons.push(rejection.message);
        }
        let partial = PartialSuccess { rejected, error_message: reasons.join("; ") };
        Ok(ExportAnswer { partial_success: (rejected > 0 || !partial.error_message.is_empty()).then_some(partial) })
    }

    /// Finds the app of each source.
    async fn destinations(
        &self,
        owner: &TokenOwner,
        sources: Vec<Source>,
    ) -> Result<Vec<(Source, Result<String, String>)>, Rejection> {
        let mut known: HashMap<String, Result<String, String>> = HashMap::new();
        let mut destinations = Vec::with_capacity(sources.len());
        for source in sources {
            let app = match known.get(&source.service) {
                Some(app) => app.clone(),
                None if known.len() >= MAX_SERVICES => {
                    Err(format!("a request has more than {MAX_SERVICES} services; send smaller batches"))
                }
                None => {
                    let app = self.destination(owner, &source.service).await?;
                    known.insert(source.service.clone(), app.clone());
                    app
                }
            };
            destinations.push((source, app));
        }
        Ok(destinations)
    }

    /// Returns the id of a service's app, or the reason why it has none.
    async fn destination(&self, owner: &TokenOwner, service: &str) -> Result<Result<String, String>, Rejection> {
        if service.is_empty() || service == owner.app || service == owner.app_id {
            return Ok(Ok(owner.app_id.clone()));
        }
        let TokenOwner { organization, app, .. } = owner;
        let found = self.services.find(owner, service).await.map_err(|DirectoryUnavailable| unavailable())?;
        Ok(match found {
            FindService::App(app_id) => Ok(app_id),
            FindService::Refused => Err(format!(
                "the token belongs to the app {app:?} of {organization:?}, and not to the service {service:?}; set \
                 OTEL_SERVICE_NAME={app}, or use the token that `opbeat app create {organization}/APP` prints, or let \
                 services create their apps with `opbeat org services {organization} --create`"
            )),
            FindService::InvalidName => {
                Err(format!("the service name {service:?} has no letters or digits; set OTEL_SERVICE_NAME={app}"))
            }
            FindService::TooManyApps => Err(format!(
                "no app is created for the service {service:?}, since {organization:?} has too many apps; \
                 `opbeat app create` still creates apps"
            )),
        })
    }
}

fn unavailable() -> Rejection {
    Rejection::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "The app of the service cannot be found at the moment, because the database does not answer. \
         Send the request again later.",
    )
}
