//! The first bytes of request bodies, which error reports show.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};
use opbeat_core::CurrentTransaction;
use tower_layer::Layer;
use tower_service::Service;

/// Keeps the first bytes of each request body, at most 8 KiB, which reports of the request's errors show.
///
/// Add it before [`OpbeatLayer`](crate::OpbeatLayer), so that it is inside of that layer. Only bytes that the handler
/// reads are kept.
///
/// # Examples
///
/// ```
/// # use axum::{Router, routing::post};
/// # use opbeat_axum::{Agent, OpbeatLayer};
/// use opbeat_axum::RequestBodyLayer;
///
/// # let agent = Agent::disabled();
/// let app: Router = Router::new()
///     .route("/books", post(async |title: String| title))
///     .layer(RequestBodyLayer::new(4 * 1024))
///     .layer(OpbeatLayer::new(&agent));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestBodyLayer {
    limit: usize,
}

impl RequestBodyLayer {
    /// Makes a layer that keeps up to `limit` bytes of each body.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for RequestBodyLayer {
    type Service = RequestBodyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestBodyService { inner, limit: self.limit }
    }
}

/// A service that keeps the first bytes of request bodies. [`RequestBodyLayer`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct RequestBodyService<S> {
    inner: S,
    limit: usize,
}

/// Takes any body, so that layers outside may replace it: `RequestBodyLimitLayer` of tower-http does.
impl<S, B> Service<Request<B>> for RequestBodyService<S>
where
    S: Service<Request>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let request = request.map(Body::new);
        let transaction = opbeat_core::current();
        if !transaction.is_recording() || request.body().is_end_stream() {
            return self.inner.call(request);
        }
        let limit = self.limit;
        self.inner.call(request.map(|inner| Body::new(KeptBody { inner, transaction, limit, kept: Vec::new() })))
    }
}

/// A request body that keeps the first bytes that are read from it.
struct KeptBody {
    inner: Body,
    transaction: CurrentTransaction,
    limit: usize,
    kept: Vec<u8>,
}

impl HttpBody for KeptBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(chunk) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            let room = self.limit.saturating_sub(self.kept.len()).min(chunk.len());
            self.kept.extend_from_slice(&chunk[..room]);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Passes the bytes to the transaction. The handler drops the body after it was read, or after reading failed.
impl Drop for KeptBody {
    fn drop(&mut self) {
        if !self.kept.is_empty() {
            self.transaction.set_request_body(&self.kept);
        }
    }
}

impl fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptBody").field("limit", &self.limit).finish_non_exhaustive()
    }
}
