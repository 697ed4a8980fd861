//! Log records: those that report an error become errors. The others are counted and not stored.

use std::collections::HashMap;

use opbeat_protocol::{ErrorBody, Frame, Stacktrace};
use prost::Message;
use sha2::{Digest, Sha256};

use super::attributes::{Attributes, MAX_READ, to_text};
use super::exceptions::{Thrown, error_of};
use super::limit;
use super::messages::{ExportLogs, LogRecord, ResourceLogs};
use super::resource::Source;
use super::telemetry::{Outcome, Request, Telemetry};
use super::traces::micros;
use super::transactions::user;
use crate::changes::{Changes, ErrorSpan, NoteAction, SpanId, TraceId, id_text};
use crate::decode::Report;
use crate::interpret::{Origin, interpret};
use crate::text::start_of;

const FUNCTION: [&str; 2] = ["code.function.name", "code.function"];
const FILE: [&str; 2] = ["code.file.path", "code.filepath"];
const LINE: [&str; 2] = ["code.line.number", "code.lineno"];

impl Telemetry for ExportLogs {
    fn sources(&self) -> Vec<Source> {
        self.resource_logs.iter().map(|resource| Source::of(resource.resource.as_ref())).collect()
    }

    fn outcome(&self, request: &Request) -> Outcome {
        let mut outcome = Outcome::new(request);
        let (mut surplus, mut not_stored) = (0, 0);
        let mut keys = Keys::default();
        for (resource, (source, app)) in self.resource_logs.iter().zip(&request.destinations) {
            let app_id = match app {
                Ok(app_id) => app_id,
                Err(reason) => {
                    outcome.reject(request, count(resource), "unknown_service", reason);
                    continue;
                }
            };
            let origin = Origin { app_id: app_id.clone(), received: request.received, ..Origin::default() };
            let of_resource = resource.resource.as_ref().map(Message::encode_to_vec).unwrap_or_default();
            let of_resource = Sha256::new().chain_update(Sha256::digest(of_resource));
            for scope in &resource.scope_logs {
                let logger = scope.scope.as_ref().map(|scope| scope.name.as_str()).unwrap_or_default();
                let of_scope = of_resource.clone().chain_update(Sha256::digest(logger));
                let logger = start_of(logger, MAX_READ);
                for record in &scope.log_records {
                    if !is_error(record) && !Thrown::is_in(Attributes(&record.attributes)) {
                        not_stored += 1;
                        continue;
                    }
                    let changes = outcome.takes_item().then(|| changes(record, logger, source, &origin));
                    match changes.filter(|changes| outcome.takes_changes(changes)) {
                        Some(changes) => {
                            let key = keys.key(&of_scope, record);
                            outcome.add(&origin.app_id, origin.received, key, changes);
                        }
                        None => surplus += 1,
                    }
                }
            }
        }
        let reason = outcome.surplus_reason();
        outcome.reject(request, surplus, "too_large", &reason);
        outcome.note(request, NoteAction::Changed, not_stored, "log_below_error");
        outcome
    }
}

fn count(resource: &ResourceLogs) -> usize {
    resource.scope_logs.iter().map(|scope| scope.log_records.len()).sum()
}

/// Returns whether the severity is an error, by its number or, if it has none, by its name.
fn is_error(record: &LogRecord) -> bool {
    record.severity_number >= 17 || record.severity_number == 0 && matches!(level(record), "error" | "fatal")
}

fn level(record: &LogRecord) -> &'static str {
    match record.severity_number {
        1..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warning",
        17..=20 => "error",
        21.. => "fatal",
        _ => match record.severity_text.to_ascii_lowercase().as_str() {
            "error" | "err" | "severe" => "error",
            "fatal" | "critical" | "emergency" | "alert" | "panic" => "fatal",
            "warn" | "warning" => "warning",
            _ => "info",
        },
    }
}

/// Returns the changes of a record that reports an error.
fn changes(record: &LogRecord, logger: &str, source: &Source, origin: &Origin) -> Changes {
    let thrown = Thrown::of(Attributes(&record.attributes), source.language);
    let exception = thrown.as_ref().map(Thrown::hash);
    let body = error(record, thrown, logger, source);
    let mut changes = interpret(origin, Report::Error(Box::new(body)).into());
    let (trace_id, span_id) = (TraceId::try_from(&*record.trace_id), SpanId::try_from(&*record.span_id));
    if let (Ok(trace_id), Ok(span_id)) = (trace_id, span_id)
        && span_id != SpanId::default()
    {
        let received_at = origin.received.micros();
        for error in &mut changes.errors {
            error.span = Some(ErrorSpan { trace_id, span_id, received_at, exception, is_log: true });
        }
    }
    changes
}

/// The keys under which the records of a request are stored once.
#[derive(Default)]
struct Keys {
    /// The number of equal records so far, by the hash of their resource, scope and content.
    equal: HashMap<[u8; 32], u64>,
}

impl Keys {
    /// Returns the key of a record of a scope, or an empty string if the record has no time.
    ///
    /// Only its time distinguishes a record from other records with the same text, and clocks of milliseconds give many
    /// records the same time. Equal records are therefore counted: an exporter that sends again sends the same batch.
    fn key(&mut self, scope: &Sha256, record: &LogRecord) -> String {
        if record.time_unix_nano == 0 && record.observed_time_unix_nano == 0 {
            return String::new();
        }
        let content: [u8; 32] = scope.clone().chain_update(record.encode_to_vec()).finalize().into();
        let ordinal = self.equal.entry(content).or_default();
        let hash = Sha256::new().chain_update(content).chain_update(ordinal.to_be_bytes()).finalize();
        *ordinal += 1;
        format!("otlp:log:{}", id_text(hash.get(..16).unwrap_or_default()))
    }
}

fn error(record: &LogRecord, thrown: Option<Thrown>, logger: &str, source: &Source) -> ErrorBody {
    let attributes = Attributes(&record.attributes);
    let mut body = error_of(source);
    let at = [record.time_unix_nano, record.observed_time_unix_nano].into_iter().find(|time| *time > 0);
    body.timestamp = at.map(micros);
    body.level = Some(level(record).to_owned());
    body.message = record.body.as_ref().map(to_text).unwrap_or_default();
    body.logger = Some(logger.to_owned()).filter(|logger| !logger.is_empty());
    body.user = user(attributes);
    body.stacktrace = location(attributes).map(|frame| Stacktrace { frames: vec![frame] });
    let extra = attributes.rest(|name| name.starts_with("exception.") || name.starts_with("code."));
    body.extra = Some(extra).filter(|extra| !extra.is_empty());
    if let Some(thrown) = thrown {
        thrown.put_into(&mut body);
    }
    if body.message.is_empty() {
        body.message = Some(start_of(&record.severity_text, MAX_READ).to_owned())
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "error".to_owned());
    }
    if body.stacktrace.is_none() {
        body.culprit.clone_from(&body.logger);
    }
    limit::error(&mut body);
    body
}

/// Returns the place in the source that logged the record.
fn location(attributes: Attributes<'_>) -> Option<Frame> {
    let path = attributes.text(&FILE)?;
    let line = attributes.number(&LINE).and_then(|line| u32::try_from(line).ok());
    Some(Frame {
        filename: path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(),
        abs_path: Some(path.to_owned()),
        lineno: line.unwrap_or(0),
        function: attributes.text(&FUNCTION).map(str::to_owned),
        ..Frame::default()
    })
}
