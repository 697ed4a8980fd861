//! The body for `errors/`.

use serde_json::{Map, Value as Json, json};

use super::AgentIdentity;
use super::values::{frame, http, result, round, user, values};
use crate::record::{ErrorRecord, LogLine, Stack};
use opbeat_protocol::{ErrorBody, Exception, Stacktrace};

impl AgentIdentity {
    /// Makes the body for `errors/`.
    pub(in crate::export::intake) fn error(&self, record: &ErrorRecord) -> ErrorBody {
        let Stack::Frames(frames) = &record.stack else {
            return ErrorBody::default();
        };
        let exception = record.type_name.as_ref().map(|type_name| Exception {
            type_name: type_name.clone(),
            value: record.message.clone(),
            module: record.module.clone(),
            causes: record.causes.iter().map(cause).collect(),
        });
        ErrorBody {
            message: message(record),
            timestamp: Some(record.happened_at.into()),
            level: Some(record.level.as_str().to_owned()),
            culprit: record.culprit.clone(),
            machine: self.machine(),
            client_supplied_id: Some(record.id.to_string()),
            exception,
            stacktrace: (!frames.is_empty()).then(|| Stacktrace { frames: frames.iter().map(frame).collect() }),
            http: record.request.as_ref().map(|request| http(request, &record.response_headers)),
            user: record.user.as_ref().map(user),
            extra: extra(record),
            tags: values(&record.tags),
            transaction: record.transaction.as_ref().map(|transaction| opbeat_protocol::TransactionReference {
                id: Some(transaction.id.to_string()),
                name: transaction.name.clone(),
                kind: Some(transaction.kind.clone().into_owned()),
                result: transaction.result.as_ref().map(result),
            }),
            rev: self.release.clone(),
            occurrences: (record.occurrences > 1).then_some(record.occurrences),
            ..ErrorBody::default()
        }
    }
}

/// Returns the type and the message in one line.
fn message(record: &ErrorRecord) -> String {
    match &record.type_name {
        Some(type_name) if record.message.is_empty() => type_name.clone(),
        Some(type_name) => format!("{type_name}: {}", record.message),
        None => record.message.clone(),
    }
}

fn cause(cause: &crate::record::Cause) -> Exception {
    Exception { type_name: cause.type_name.clone(), value: cause.message.clone(), ..Exception::default() }
}

/// Encodes a log line, with the seconds from it to the error.
fn log_line(line: &LogLine) -> Json {
    json!({
        "level": line.level.as_str(),
        "before": round(line.before.as_secs_f64()),
        "target": line.target,
        "message": line.message,
    })
}

/// Returns the application's values, the log lines and the location, which is known even without a stack.
fn extra(record: &ErrorRecord) -> Option<Map<String, Json>> {
    let mut extra = values(&record.extra).unwrap_or_default();
    if let Some(location) = &record.location {
        extra.insert("location".to_owned(), json!(format!("{}:{}:{}", location.file, location.line, location.column)));
    }
    if !record.log.is_empty() {
        extra.insert("log_lines".to_owned(), record.log.iter().map(log_line).collect());
    }
    (!extra.is_empty()).then_some(extra)
}
