//! Delivery to receivers of OpenTelemetry: OTLP over HTTP, in protobuf or JSON.
//!
//! ```text
//! settings: OTEL_… variables ─► exporter ─┬─ traces: samples ─► spans, with errors as events
//!                                         ├─ logs: errors without a sample ─► log records
//!                                         └─ metrics: every duration ─► histograms
//!                                                  │ messages
//!                                                  ▼
//!                                          signal: encodes, posts, reads the answer
//! ```

mod answer;
mod attributes;
mod error_attributes;
mod exporter;
mod histograms;
mod logs;
mod messages;
mod request_attributes;
mod series;
mod settings;
mod signal;
mod source;
mod span_attributes;
mod spans;
mod stack_text;
mod time;
mod trace_ids;
mod traces;

pub use exporter::OtlpExporter;
