//! One function for each fuzz target: it decodes bytes that anybody can send or that a disk can damage.
//!
//! The functions panic if a decoder panics, loses a value, returns much more than it got, or keeps a secret. The targets
//! of `fuzz/` call them with the inputs of libFuzzer, and the tests with the kept corpora.

mod checks;
mod intake;
mod otlp;
mod secrets;
mod segment;
mod stored;
#[cfg(test)]
mod tests;
mod texts;

pub use intake::{intake_errors, intake_releases_deployments, intake_transactions};
pub use otlp::{otlp_frame, otlp_logs_json, otlp_logs_protobuf, otlp_metrics, otlp_traces_json, otlp_traces_protobuf};
pub use segment::queue_segment;
pub use stored::{changes_decode, sample_document, sketch_decode};
pub use texts::{normalise, scrub, sql_statement, stack_trace};
