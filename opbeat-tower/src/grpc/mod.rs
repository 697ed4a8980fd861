//! gRPC calls: what they are named after, how long they may take, and how they ended.

mod deadline;
mod method;
mod status;

pub(crate) use deadline::begin;
pub(crate) use method::Call;
pub use method::GrpcMethodName;
pub(crate) use status::note_status;
