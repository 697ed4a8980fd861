//! Delivery to an Opbeat server: zlib JSON over HTTP/1.1.

mod chunks;
mod encode;
mod endpoint;
mod exporter;
mod response;

pub use exporter::IntakeExporter;
