//! The exporter to receivers of OpenTelemetry.

mod answers;
mod environment;
mod metrics;
mod receiver;
mod settings;
mod wire;
