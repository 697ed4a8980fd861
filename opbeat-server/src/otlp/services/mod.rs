//! The services of OTLP: three endpoints of HTTP, and three methods of gRPC.

mod accept;
mod body;
mod directory;
mod grpc;
mod http;
mod router;
mod status;

#[cfg(any(fuzzing, test))]
pub(super) use body::{Coding, unframed};
pub(crate) use directory::{FindService, ServiceDirectory};
pub(crate) use router::router;
