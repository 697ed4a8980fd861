//! The applications, the changes that add the layer, and the requests.

mod actix;
mod axum;

use crate::application::Application;

/// Returns all applications.
pub fn all() -> impl Iterator<Item = &'static Application> {
    let axum = [axum::ROUTES, axum::BODIES, axum::STATE, axum::STREAMS];
    let actix = [actix::ROUTES, actix::BODIES, actix::MIDDLEWARE, actix::STREAMS];
    axum.into_iter().chain(actix).flatten()
}
