//! Examples of axum.

mod bodies;
mod routes;
mod state;
mod streams;

pub use bodies::BODIES;
pub use routes::ROUTES;
pub use state::STATE;
pub use streams::STREAMS;
