//! OTLP: the protocol of OpenTelemetry, over HTTP and over gRPC.
//!
//! ```text
//! /v1/traces, /v1/logs, /v1/metrics ─► token ─► size ─► inflate ─► messages ─► the app of each service
//!      401                             413      400 415    400         refused: partial success
//!                                                                        ▼
//!           200 ◄─ queue ◄─ interpret ◄─ transactions, spans and errors (traces, logs)
//!                  503
//! ```
//!
//! Spans become transactions and their spans; exceptions and error logs become errors. The steps are those of `intake`,
//! so that all sources share its limits and its rules.

mod attributes;
mod exceptions;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod http;
mod limit;
mod logs;
mod messages;
mod metrics;
mod resource;
mod services;
mod spans;
mod sql;
mod stacks;
mod telemetry;
mod traces;
mod transactions;

pub(crate) use services::{FindService, ServiceDirectory, router};
