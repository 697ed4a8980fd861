//! Delivery to an Opbeat server: zlib JSON over HTTP/1.1.

mod answer;
mod connection;
mod encode;
mod endpoint;
mod exporter;
mod failure;
mod pieces;
mod transport;

pub use exporter::IntakeExporter;
