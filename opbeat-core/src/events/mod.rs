//! Errors that an application logs, by its own means.

#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "tracing")]
pub mod tracing;

use crate::agent::report_latest;
use crate::capture::{LogField, event_record};
use crate::record::{ErrorId, Location};

/// What the core itself logs must not come back to it.
const OWN_TARGET: &str = "opbeat";

/// What tower-http says of each failed response by itself. The adapters report those, with their cause if there is one.
const STATUS_TARGET: &str = "tower_http::trace::on_failure";

/// One event of a log.
struct Event<'a> {
    target: &'a str,
    message: String,
    error: Option<&'a (dyn std::error::Error + 'static)>,
    fields: Vec<LogField>,
    location: Option<Location>,
}

impl Event<'_> {
    /// Returns whether an event tells nothing that is not reported anyway.
    fn is_known(target: &str) -> bool {
        target == STATUS_TARGET
            || target == OWN_TARGET
            || target.starts_with("opbeat_")
            || target.starts_with("opbeat::")
    }

    /// Reports the event, with the current transaction if there is one.
    fn report(self) -> Option<ErrorId> {
        let mut record = event_record(self.message, self.error, self.fields);
        record.location = self.location;
        record.extra.push(("target".into(), self.target.to_owned().into()));
        report_latest(record)
    }
}

/// Returns where in the source an event is, where the log knows it. No log knows the column.
fn location(file: Option<&str>, line: Option<u32>) -> Option<Location> {
    Some(Location { file: file?.to_owned().into(), line: line?, column: 1 })
}
