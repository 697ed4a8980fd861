//! The layer, which knows axum's routes.

use std::any::Any;
use std::error::Error;
use std::iter;
use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::http::CapturedError;
use opbeat_tower::{HttpClassifier, OpbeatService};
use tower_layer::Layer;

use crate::{MatchedPathName, outside};

/// Records every request of a router as a transaction, named after its route: `GET /books/{id}`.
///
/// Requests that no route matches are counted together, as `GET unmatched`.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use opbeat_axum::{Agent, OpbeatLayer};
///
/// let agent = Agent::from_env();
/// let app: Router = Router::new()
///     .route("/books/{id}", get(async || "Emma"))
///     .layer(OpbeatLayer::new(&agent).catch_panics(true).error_id_header(true));
/// ```
#[derive(Clone, Debug)]
pub struct OpbeatLayer {
    inner: opbeat_tower::OpbeatLayer<HttpClassifier, MatchedPathName>,
    route_name: MatchedPathName,
}

impl OpbeatLayer {
    /// Makes a layer that records through an agent.
    pub fn new(agent: &Agent) -> Self {
        let route_name = MatchedPathName::default();
        let inner = opbeat_tower::OpbeatLayer::new(agent).kind("web.axum").route_name(route_name.clone());
        let inner = inner.framework_errors(inside);
        Self { inner, route_name }
    }

    /// Sets the transactions' dotted kind, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.inner = self.inner.kind(kind);
        self
    }

    /// Names what lies beneath a prefix that is nested as a service: `GET /files/*` for `nest_service("/files", …)`.
    ///
    /// Axum tells layers nothing of such requests. Without this word they are counted as `GET unmatched`.
    #[must_use]
    pub fn nested_service(mut self, prefix: &str) -> Self {
        self.route_name = self.route_name.nested_service(prefix);
        self.inner = self.inner.route_name(self.route_name.clone());
        self
    }

    /// Answers 500, without a body, in place of a handler that panicked before its head. Without it, a panic goes on to
    /// the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.inner = self.inner.catch_panics(catches);
        self
    }

    /// Tells clients the id of the error that was reported, in the header `X-Opbeat-ID` of the failed response.
    #[must_use]
    pub fn error_id_header(mut self, tells: bool) -> Self {
        self.inner = self.inner.error_id_header(tells);
        self
    }

    /// Says that a layer around this one drops requests after this time: they then count as timed out, and not as
    /// clients that have gone. What is dropped after three quarters of the time counts so, since the outer clock started
    /// earlier.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.inner = self.inner.outer_time_limit(limit);
        self
    }

    /// Reports the error of a type that failed responses carry in their extensions, as axum's own example of error
    /// handling has them do.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use opbeat_axum::{Agent, OpbeatLayer};
    /// # #[derive(Debug)] struct AppError;
    /// # impl std::fmt::Display for AppError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no shelf") }
    /// # }
    /// # impl std::error::Error for AppError {}
    /// # let agent = Agent::disabled();
    /// let layer = OpbeatLayer::new(&agent).capture_extension::<Arc<AppError>>();
    /// // … and in `AppError::into_response`: response.extensions_mut().insert(Arc::new(self));
    /// ```
    #[must_use]
    pub fn capture_extension<T: Error + Clone + Send + Sync + 'static>(mut self) -> Self {
        self.inner = self.inner.capture_extension::<T>();
        self
    }

    /// Reports what failed responses carry in their extensions, of a type that is no error, as in axum's own example, whose
    /// `AppError` can only be printed: a function says what it tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use opbeat_axum::{Agent, CapturedError, OpbeatLayer};
    /// #[derive(Debug)]
    /// enum AppError {
    ///     NoShelf,
    /// }
    /// # let agent = Agent::disabled();
    /// let layer = OpbeatLayer::new(&agent).capture_extension_with(|error: &Arc<AppError>| CapturedError::from_debug(error));
    /// ```
    #[must_use]
    pub fn capture_extension_with<T, F>(mut self, failure: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&T) -> CapturedError + Send + Sync + 'static,
    {
        self.inner = self.inner.capture_extension_with(failure);
        self
    }
}

/// What bodies fail with is boxed by axum, once for each layer, in errors that say the same.
fn inside(failure: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let boxed: &(dyn Error + 'static) = failure.downcast_ref::<axum::Error>()?;
    let mut chain = iter::successors(Some(boxed), |error: &&(dyn Error + 'static)| (*error).source());
    chain.find(|error| !error.is::<axum::Error>()).or(Some(boxed))
}

impl<S> Layer<S> for OpbeatLayer {
    type Service = OpbeatService<S, HttpClassifier, MatchedPathName>;

    fn layer(&self, inner: S) -> Self::Service {
        outside::warn_if_router::<S>();
        self.inner.layer(inner)
    }
}
