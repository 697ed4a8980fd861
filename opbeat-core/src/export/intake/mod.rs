//! Delivery to an Opbeat server: zlib JSON over HTTP/1.1.

mod chunks;
mod connection;
mod encode;
mod endpoint;
mod exporter;
mod request_error;
mod response;
mod transport;

pub use exporter::IntakeExporter;
