//! The services of OTLP: three endpoints of HTTP, and three methods of gRPC.

mod accept;
mod body;
mod directory;
mod grpc;
mod http;
mod router;
mod status;

pub(crate) use directory::{FindService, ServiceDirectory};
pub(crate) use router::router;
