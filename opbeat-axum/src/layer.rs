//! The layer, which names requests after axum's routes.

use std::any::Any;
use std::error::Error;
use std::iter;
use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::http::CapturedError;
use opbeat_tower::HttpClassifier;
use opbeat_tower::service::OpbeatService;
use tower_layer::Layer;

use crate::route_name::MatchedPathName;

/// Records every request of a router as a transaction, named after its route: `GET /books/{id}`.
///
/// Requests that match no route are counted together, as `GET unmatched`. gRPC calls are named after their method,
/// `shop.Cart/Add`, and their result is their gRPC status.
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
#[derive(Debug)]
pub struct OpbeatLayer {
    inner: opbeat_tower::OpbeatLayer<HttpClassifier, MatchedPathName>,
    route_name: MatchedPathName,
}

impl OpbeatLayer {
    /// Makes a layer that records through an agent.
    pub fn new(agent: &Agent) -> Self {
        let route_name = MatchedPathName::default();
        let inner = opbeat_tower::OpbeatLayer::new(agent).kind("web.axum").route_name(route_name.clone());
        let inner = inner.detect_grpc().framework_errors(application_error);
        Self { inner, route_name }
    }

    /// Sets the dotted kind of the transactions, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.inner = self.inner.kind(kind);
        self
    }

    /// Names the requests of a service that is nested at a prefix: `GET /files/*` for `nest_service("/files", …)`.
    ///
    /// Axum does not pass the matched path of such requests to layers, so they are otherwise counted as `GET
    /// unmatched`.
    #[must_use]
    pub fn nested_service(mut self, prefix: &str) -> Self {
        self.route_name = self.route_name.nested_service(prefix);
        self.inner = self.inner.route_name(self.route_name.clone());
        self
    }

    /// Sets whether the layer responds with 500 and an empty body if the handler panics before its response head.
    ///
    /// Default: false. The panic then continues to the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.inner = self.inner.catch_panics(catches);
        self
    }

    /// Sets whether failed responses have a header `X-Opbeat-ID` with the id of the reported error. Default: false.
    #[must_use]
    pub fn error_id_header(mut self, sends: bool) -> Self {
        self.inner = self.inner.error_id_header(sends);
        self
    }

    /// Sets the timeout of a layer outside of this one.
    ///
    /// A request that is dropped at that timeout, before its response head, then counts as timed out. Otherwise it
    /// counts as a disconnect of the client. The clock of the outer layer started earlier, so a request counts as timed
    /// out if it is dropped after three quarters of the time.
    ///
    /// Timeouts inside this layer need no setting: the layer recognises their response or error.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.inner = self.inner.outer_time_limit(limit);
        self
    }

    /// Reports errors of a type `T` that failed responses have in their extensions.
    ///
    /// Axum's own example of error handling puts its errors there.
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
    /// // In `AppError::into_response`: response.extensions_mut().insert(Arc::new(self));
    /// ```
    #[must_use]
    pub fn capture_extension<T: Error + Clone + Send + Sync + 'static>(mut self) -> Self {
        self.inner = self.inner.capture_extension::<T>();
        self
    }

    /// Reports values of a type `T` that failed responses have in their extensions, if `T` does not implement `Error`.
    ///
    /// The function describes the value. The `AppError` of axum's own example is such a type: it implements only
    /// `Debug`.
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
    pub fn capture_extension_with<T, F>(mut self, describe: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&T) -> CapturedError + Send + Sync + 'static,
    {
        self.inner = self.inner.capture_extension_with(describe);
        self
    }
}

impl Clone for OpbeatLayer {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), route_name: self.route_name.clone() }
    }
}

/// Returns the application's error in an error of axum. Each layer around a body may box its error once more, with the
/// same message.
fn application_error(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let boxed: &(dyn Error + 'static) = error.downcast_ref::<axum::Error>()?;
    let mut chain = iter::successors(Some(boxed), |error: &&(dyn Error + 'static)| (*error).source());
    chain.find(|error| !error.is::<axum::Error>()).or(Some(boxed))
}

impl<S> Layer<S> for OpbeatLayer {
    type Service = OpbeatService<S, HttpClassifier, MatchedPathName>;

    fn layer(&self, inner: S) -> Self::Service {
        self.route_name.route_check().check_placement::<S>();
        self.inner.layer(inner)
    }
}
