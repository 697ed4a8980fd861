//! Limits outside the adapter, as a server may have them.

use std::convert::Infallible;
use std::pin::Pin;

use adapter_hyper::{Body, Monitored, Opbeat};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response, StatusCode};
use opbeat_core::http::HttpTransaction;

use crate::app::LIMIT;

/// Limits the time of `/late`, and rejects every request to `/full`.
#[derive(Clone)]
pub(crate) struct Limits(pub(crate) Opbeat);

impl Service<Request<Incoming>> for Limits {
    type Response = Response<Monitored<Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let Self(opbeat) = self.clone();
        Box::pin(async move {
            match request.uri().path() {
                "/late" => {
                    let answer = opbeat.outer_time_limit(LIMIT).call(request);
                    tokio::time::timeout(LIMIT, answer).await.unwrap_or_else(|_| refuse(StatusCode::GATEWAY_TIMEOUT))
                }
                "/full" => refuse(StatusCode::SERVICE_UNAVAILABLE),
                _ => opbeat.call(request).await,
            }
        })
    }
}

fn refuse(status: StatusCode) -> Result<Response<Monitored<Body>>, Infallible> {
    let mut response = Response::new(Monitored::new(Body::default(), HttpTransaction::default()));
    *response.status_mut() = status;
    Ok(response)
}
