//! The report on an app's intake: refused bodies, changed values, dropped data.

use jiff::Timestamp;
use opbeat_protocol::read::Oddity;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, DroppedData, Query, QueryError, Range, from_seconds};
use crate::store::{LastNote, NoteRow};

/// The bodies that intake refused, the values that it changed, and the data that the agents dropped.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct IntakeReport {
    /// The refused bodies, by reason, the most frequent first.
    pub(crate) refused: Vec<IntakeNote>,
    /// The values that were replaced, clamped, cut or left out, by reason, the most frequent first.
    pub(crate) changed: Vec<IntakeNote>,
    /// The values that are counted under a name that many share, by reason, the most frequent first.
    pub(crate) folded: Vec<IntakeNote>,
    /// The data that the agents dropped before it reached the server.
    pub(crate) dropped: Vec<DroppedData>,
}

/// A reason with its count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IntakeNote {
    /// The reason, such as `too_large` or `lone_surrogate`.
    pub(crate) reason: String,
    /// The number of bodies or values.
    pub(crate) count: u64,
    /// An explanation of the reason, with the way to avoid it.
    pub(crate) explanation: &'static str,
}

/// The reasons of data that is accepted and not stored.
const NOT_STORED: [&str; 3] = ["log_below_error", "metric", "no_transaction"];

/// The last data of an app that was refused, or accepted and not stored.
#[derive(Clone, Debug)]
pub(crate) struct Unstored {
    /// Whether intake refused it.
    pub(crate) is_refused: bool,
    /// The minute in which it arrived.
    pub(crate) minute: Timestamp,
    /// An explanation of the reason, with the way to avoid it.
    pub(crate) explanation: &'static str,
}

impl Query {
    /// Returns the last data of an app that was not stored.
    pub(crate) async fn last_unstored(&self, app: &AppIdentity) -> Result<Option<Unstored>, QueryError> {
        let last = self.store.last_unstored(&app.id, &NOT_STORED).await?;
        Ok(last.map(|LastNote { action, reason, minute }| {
            let is_refused = action == "refused";
            let explanation = if is_refused { refusal(&reason) } else { change(&reason) };
            Unstored { is_refused, minute: from_seconds(minute), explanation }
        }))
    }

    /// Returns the report on an app's intake in a range.
    pub(crate) async fn intake(&self, app: &AppIdentity, range: &Range) -> Result<IntakeReport, QueryError> {
        let mut report = IntakeReport { dropped: self.drops(app, range).await?, ..IntakeReport::default() };
        for NoteRow { action, reason, count } in self.store.notes(&app.id, (range.from, range.to)).await? {
            let (notes, explanation) = match action.as_str() {
                "refused" => (&mut report.refused, refusal(&reason)),
                "folded" => (&mut report.folded, folding(&reason)),
                _ => (&mut report.changed, change(&reason)),
            };
            notes.push(IntakeNote { reason, count, explanation });
        }
        Ok(report)
    }

    /// Returns the number of bodies of an app that intake refused in a range. Those without its token are left out: anybody
    /// who knows the ids of the app can send them.
    pub(crate) async fn refused(&self, app: &AppIdentity, range: &Range) -> Result<u64, QueryError> {
        let notes = self.store.notes(&app.id, (range.from, range.to)).await?;
        let refused = notes.iter().filter(|note| note.action == "refused" && note.reason != "token");
        Ok(refused.fold(0, |sum, note| note.count.saturating_add(sum)))
    }
}

/// Explains a reason of `intake::Rejection`.
fn refusal(reason: &str) -> &'static str {
    match reason {
        "damaged" => "The compressed body is damaged or incomplete. A proxy may have cut or changed it.",
        "not_json" => "The body is not JSON. Check that nothing between the agent and this server rewrites bodies.",
        "truncated" => "The JSON ends too early. A proxy or a time limit may have cut the body.",
        "not_an_object" => "The body is JSON, but not an object. Agents send one object for each request.",
        "no_content" => {
            "The body contains nothing to store. An error needs a message or an exception, a release its revision."
        }
        "too_large" => "The body is larger than the limit of this server. Send less data at once.",
        "too_slow" => "The body did not arrive in time. The network between the agent and this server is slow.",
        "token" => {
            "The secret token is missing, unknown or revoked. `opbeat app create ORG/APP` prints a new one. Agents read it \
             from `OPBEAT_SECRET_TOKEN`."
        }
        "other_app" => {
            "The token belongs to this app, but the address names another one. Check the ids in the agent's settings."
        }
        "unknown_service" => {
            "OpenTelemetry names a service that is not the app of the token. Set OTEL_SERVICE_NAME to the app's name, \
             or see `opbeat org services --help`."
        }
        "too_many_exceptions" => "A span of OpenTelemetry has more than 100 exceptions. The others are left out.",
        "invalid_id" => "The id of a trace or of a span is missing or invalid.",
        "origin" => {
            "A browser sent data from an origin that is not allowed. `opbeat app origins` shows and changes the list."
        }
        "event_rate" => {
            "The app sent more events in a second than its limit. Record fewer samples, or let an administrator raise \
             the limit. Agents that send again later lose nothing."
        }
        "byte_rate" => {
            "The app sent more bytes in a second than its limit. Send less with each event, or let an administrator \
             raise the limit. Agents that send again later lose nothing."
        }
        "quota" => {
            "The app has used up the events of its quota. All further data is refused, and none is stored, until older \
             days no longer count. Record fewer samples, or let an administrator raise the quota."
        }
        "too_many" => {
            "The browsers of this app sent more requests in a second than the limit. `opbeat serve --client-side-rate` \
             raises it."
        }
        "busy" => "Too many bodies of the organization arrived at the same time. Send smaller bodies, more often.",
        "disk_space" => {
            "The disk of this server was almost full. Free or add space, or shorten how long data is kept. Agents that \
             send again later lose nothing."
        }
        "not_written" => {
            "This server could not write to its disk. Check the space and the permissions of the data folder."
        }
        "queue_full" => {
            "Too much data of all apps waited to be stored. `/healthz` shows whether the server still stores data."
        }
        "app_queue_full" => {
            "Too much data of this app waited to be stored: one app may have a quarter of the queue. Send less data, or \
             more evenly."
        }
        "unavailable" => {
            "This server was busy or stopping, or its database did not answer. `/healthz` shows the present state."
        }
        "content_type" => "The content type is not supported by this address.",
        "interrupted" => "The connection ended before the body was complete.",
        _ => "The request is not valid. The server's log contains the exact message.",
    }
}

/// Explains a reason for which values are counted under one name.
fn folding(reason: &str) -> &'static str {
    match reason {
        "other_names" => {
            "The app has too many transaction names. Further ones are counted as `(other names)`. Use the routes as \
             names, without ids."
        }
        "other_errors" => {
            "The app has too many different errors. Further ones are counted as `(other errors)`. Leave ids out of \
             messages, or send a template."
        }
        "other_results" => {
            "A transaction has more than 100 different results. Further ones are counted as `(other results)`. Use a few \
             fixed results, and put details into extra values."
        }
        "other_kinds" => {
            "The spans of a transaction have more than 50 different kinds. The time of further ones is counted as `(other \
             kinds)`. Put details into the signature."
        }
        "other_spans" => {
            "The app has more than 2,000 different queries and calls. Further ones are counted as `(others)`. Use \
             signatures without values, such as `SELECT FROM books`, and routes instead of URLs with ids."
        }
        "span_stacks" => {
            "The spans of the app start at more than 50,000 places. The code lines of further ones are not stored. Use \
             routes as names of transactions, and signatures without values."
        }
        _ => "The app has too many different values. Further ones are counted under one name.",
    }
}

/// Explains a reason for which a value was changed.
fn change(reason: &str) -> &'static str {
    match reason {
        "other_time" => {
            "The time is too old to be shown or in the future; the event is counted at its receipt. Check the clock."
        }
        "log_below_error" => "Log records of OpenTelemetry below ERROR are accepted and not stored.",
        "no_transaction" => {
            "Spans of OpenTelemetry without a parent that are requests to others or sent messages are not stored: no \
             transaction contains them. Start a span of the kind SERVER, CONSUMER or INTERNAL around them."
        }
        "no_span_time" => {
            "A span of OpenTelemetry has no start or no end, or ends before it starts. Its duration counts as 0."
        }
        "damaged_distribution" => {
            "A stored distribution of durations was damaged, which a failing disk can cause. Counts and averages are \
             exact; percentiles leave its durations out."
        }
        "metric" => "Metrics of OpenTelemetry are accepted and not stored. Figures come from spans.",
        _ => Oddity::from_name(reason).map_or("A value was changed.", Oddity::explanation),
    }
}
