//! Delivery to an Opbeat server: zlib JSON over HTTP/1.1.

mod answer;
mod connection;
mod encode;
mod endpoint;
mod failure;
mod intake;
mod pieces;
mod transport;

pub use intake::IntakeExporter;
