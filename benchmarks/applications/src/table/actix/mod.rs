//! Examples of actix-web.

mod bodies;
mod middleware;
mod routes;
mod streams;

pub use bodies::BODIES;
pub use middleware::MIDDLEWARE;
pub use routes::ROUTES;
pub use streams::STREAMS;
