//! The names of requests, after the patterns of their resources.

mod pattern;
mod pending_name;
mod route_name;

pub(crate) use pending_name::PendingName;
pub(crate) use route_name::matched;
