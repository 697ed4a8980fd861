//! The wire format of the Opbeat intake, in both directions.
//!
//! The same structs write what this agent sends and read what any Opbeat agent sends, so that the two cannot drift
//! apart. Reading is lenient where the agents differ: unknown keys are ignored, `null` stands for a missing optional
//! key, and each type says which shapes it takes. Keys that only this agent sends are marked *extension*; the original
//! service ignored keys that it did not know.
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

mod errors;
mod lenient;
mod timestamp;
mod transactions;

pub use errors::{ErrorBody, Exception, Frame, ParamMessage, Stacktrace, TransactionReference};
pub use timestamp::Timestamp;
pub use transactions::{
    BreakdownGroup, DROP_REASONS, RawSpan, RawTransaction, SampleContext, TraceGroup, Traces, TransactionGroup,
    TransactionsBody,
};

use serde::{Deserialize, Serialize};

/// Names the machine that a body comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The machine's host name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub hostname: String,
}
