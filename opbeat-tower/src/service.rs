//! The service that records requests.

use std::fmt::Display;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use opbeat_core::http::catch_panic;
use tower_http::classify::MakeClassifier;
use tower_service::Service;

use crate::body::OpbeatBody;
use crate::future::ResponseFuture;
use crate::route_name::RouteName;
use crate::settings::Settings;

/// A service whose requests are recorded. [`OpbeatLayer`](crate::OpbeatLayer) makes it.
#[derive(Debug)]
pub struct OpbeatService<S, M, N> {
    pub(crate) inner: S,
    /// Shared, because routers clone a service for each request.
    pub(crate) settings: Arc<Settings<M, N>>,
}

impl<S: Clone, M, N> Clone for OpbeatService<S, M, N> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, M, N, ReqBody, ResBody> Service<Request<ReqBody>> for OpbeatService<S, M, N>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Display + 'static,
    ResBody: Body,
    ResBody::Error: Display + 'static,
    M: MakeClassifier,
    N: RouteName,
{
    type Response = Response<OpbeatBody<ResBody, M::ClassifyEos>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, M::Classifier>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut transaction = self.settings.begin(&mut request);
        let classifier = self.settings.make_classifier.make_classifier(&request);
        let settings = self.settings.response(&request);
        let inner = {
            let _entered = transaction.enter();
            catch_panic(settings.catches_panics, || self.inner.call(request))
        };
        ResponseFuture::new(inner, transaction, settings, classifier)
    }
}
