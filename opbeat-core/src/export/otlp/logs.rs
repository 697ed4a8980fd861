//! Log records: the errors without a sampled transaction, and reports below `Level::Error`.

use prost::Message;

use super::attributes::Attributes;
use super::error_attributes;
use super::messages::{ExportLogs, LogRecord, ResourceLogs, ScopeLogs};
use super::source::{SCHEMA_URL, Source};
use super::time::nanos;
use super::trace_ids::TraceIds;
use super::traces::is_event;
use crate::pipeline::Batch;
use crate::record::{Drops, ErrorId, ErrorRecord, Level, TraceParent};

/// The size in bytes at which a request takes no further record.
const FULL: usize = 1 << 20;

/// One request, and the errors that it contains.
pub(super) struct LogChunk {
    pub(super) message: ExportLogs,
    errors: Vec<ErrorId>,
}

/// Makes the next request. Returns `None` if no errors are left but those that are events of spans.
pub(super) fn next(batch: &Batch, source: &Source) -> Option<LogChunk> {
    let (mut log_records, mut size, mut errors) = (Vec::new(), 0, Vec::new());
    for error in batch.errors.iter().filter(|error| !is_event(error, batch)) {
        let record = log_record(error);
        size += record.encoded_len();
        if size > FULL && !errors.is_empty() {
            break;
        }
        log_records.push(record);
        errors.push(error.id);
    }
    let scope = ScopeLogs { scope: Some(source.scope.clone()), log_records };
    let resource = ResourceLogs {
        resource: Some(source.resource.clone()),
        scope_logs: vec![scope],
        schema_url: SCHEMA_URL.to_owned(),
    };
    (!errors.is_empty()).then(|| LogChunk { message: ExportLogs { resource_logs: vec![resource] }, errors })
}

impl LogChunk {
    /// Removes the errors from the batch. Returns their number.
    pub(super) fn remove_from(&self, batch: &mut Batch) -> Drops {
        let mut errors = 0;
        batch.errors.retain(|error| {
            let is_removed = self.errors.contains(&error.id);
            errors += if is_removed { error.occurrences } else { 0 };
            !is_removed
        });
        Drops { errors, rejected: 1, ..Drops::default() }
    }
}

fn log_record(error: &ErrorRecord) -> LogRecord {
    let mut attributes = Attributes::default();
    if error.level.is_failure() {
        error_attributes::set(error, &mut attributes);
    } else {
        error_attributes::set_context(error, &mut attributes);
    }
    if let Some(transaction) = &error.transaction {
        attributes.set("opbeat.transaction", transaction.name.as_str());
        attributes.set("opbeat.kind", transaction.kind.as_ref());
    }
    let ids = error.transaction.as_ref().map(|transaction| TraceIds::new(transaction.id, trace(error)));
    LogRecord {
        time_unix_nano: nanos(error.happened_at),
        observed_time_unix_nano: nanos(error.happened_at),
        severity_number: severity(error.level),
        severity_text: error.level.as_str().to_ascii_uppercase(),
        body: Some(line(error).into()),
        attributes: attributes.into_list(),
        trace_id: ids.map(TraceIds::trace).unwrap_or_default(),
        span_id: ids.map(TraceIds::transaction).unwrap_or_default(),
    }
}

/// Returns the trace in the headers of an error's request.
fn trace(error: &ErrorRecord) -> Option<TraceParent> {
    let mut headers = error.request.as_ref()?.header_values("traceparent");
    TraceParent::parse(headers.next()?).filter(|_| headers.next().is_none())
}

/// Returns the type and the message in one line.
fn line(error: &ErrorRecord) -> String {
    match &error.type_name {
        Some(type_name) if error.message.is_empty() => type_name.clone(),
        Some(type_name) => format!("{type_name}: {}", error.message),
        None => error.message.clone(),
    }
}

/// Returns the number of a severity, as OTLP defines it.
fn severity(level: Level) -> i32 {
    match level {
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warning => 13,
        Level::Error => 17,
        Level::Fatal => 21,
    }
}
