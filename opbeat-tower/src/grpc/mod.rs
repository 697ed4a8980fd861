//! gRPC calls: their names, their deadlines and their statuses.

mod calls;
mod content_type;
mod deadline;
mod method;
mod status;

pub(crate) use calls::GrpcCalls;
pub(crate) use deadline::configure;
pub(crate) use method::GrpcCall;
pub use method::GrpcMethodName;
pub(crate) use status::record_status;
