//! The wire format of the Opbeat intake, in both directions.
//!
//! The same structs write the bodies of this agent and hold the bodies of any Opbeat agent, so that both sides always
//! agree. A server reads what it receives with [`read`], which converts, lowers or leaves out odd values, and notes each.
//! `Deserialize` of the structs is for bodies that were written by `Serialize`: unknown keys are ignored, `null` stands
//! for a missing optional key, and any other type is an error. Keys that only this agent sends are marked *extension*;
//! the original service ignored keys that it did not know.
//!
//! # Examples
//!
//! ```
//! use opbeat_protocol::TransactionsBody;
//!
//! let body = r#"{"transactions": [
//!     {"transaction": "GET /books/{id}", "result": 200, "timestamp": "2016-05-04T10:15:00Z", "durations": [3.2, 1.9]}
//! ], "traces": []}"#;
//! let body: TransactionsBody = serde_json::from_str(body)?;
//! assert_eq!(body.transactions[0].durations.len(), 2);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod check_ins;
mod deployments;
mod errors;
mod fields;
pub mod read;
mod releases;
mod timestamp;
mod transactions;

pub use check_ins::CheckIn;
pub use deployments::{DeployedModule, DeploymentBody, Module, Vcs};
pub use errors::{ErrorBody, Exception, Frame, ParamMessage, Query, Stacktrace, Template, TransactionReference};
pub use fields::Machine;
pub use releases::ReleaseBody;
pub use timestamp::Timestamp;
pub use transactions::{
    BreakdownGroup, DROP_REASONS, DroppedSpans, RawSpan, RawTransaction, SampleContext, SpanDetails, TraceGroup,
    Traces, TransactionGroup, TransactionsBody,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
