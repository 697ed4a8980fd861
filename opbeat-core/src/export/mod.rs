//! Delivery to an Opbeat server: zlib JSON over HTTP/1.1.

mod encode;
mod endpoint;
mod intake;
mod transport;

pub use intake::IntakeExporter;
