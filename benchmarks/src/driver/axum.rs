//! Calls a router in the same way as hyper.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{Application, HEADERS};

pub struct Axum(Router);

impl Axum {
    /// Gives the router its state, as `axum::serve` does once per connection. Without it, the router applies its layers
    /// in every request.
    pub fn new(router: Router) -> Self {
        Self(router.with_state(()))
    }
}

impl Application for Axum {
    type Request = Request<Body>;

    fn request(path: &str) -> Self::Request {
        let request = HEADERS.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).expect("a request")
    }

    async fn exchange(&self, request: Self::Request) -> usize {
        let Ok(response) = self.0.clone().oneshot(request).await;
        let body = response.into_body().collect().await.expect("a body");
        body.to_bytes().len()
    }
}
