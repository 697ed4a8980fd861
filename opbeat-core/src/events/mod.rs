//! Errors that an application logs, by the crate `log` or `tracing`.
//!
//! Lines of the level `INFO` and above are kept with their transaction, and shown with its error reports: see
//! [`Config::log_lines`](crate::Config::log_lines).

#[cfg(feature = "tracing")]
mod format;
mod lines;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "tracing")]
pub mod tracing;

use crate::agent::report_latest;
use crate::capture::{LogField, event_record};
use crate::notice::is_logging;
use crate::record::{ErrorId, ErrorRecord, Location};

/// The target of the agent's own messages, which must not be reported.
const OWN_TARGET: &str = "opbeat";

/// The target of tower-http's messages about failed responses. The adapters report these responses, with their cause if
/// it is known.
const STATUS_TARGET: &str = "tower_http::trace::on_failure";

/// One log event.
struct Event<'a> {
    target: &'a str,
    message: String,
    error: Option<ErrorRecord>,
    fields: Vec<LogField>,
    location: Option<Location>,
}

impl Event<'_> {
    /// Returns whether events of a target are ignored, because they are reported already or are the agent's own. The
    /// bridge from `log` to `tracing` gives all events the target `log`, also the agent's own.
    fn is_ignored(target: &str) -> bool {
        is_logging()
            || target == STATUS_TARGET
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

/// Returns the location of an event, if the log knows it. No log knows the column.
fn location(file: Option<&str>, line: Option<u32>) -> Option<Location> {
    Some(Location { file: file?.to_owned().into(), line: line?, column: 1 })
}
