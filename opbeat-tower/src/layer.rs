//! What is added to a stack of layers.

use std::any::Any;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::http::CapturedError;
use tower_http::classify::{MakeClassifier, ServerErrorsAsFailures, SharedClassifier};
use tower_layer::Layer;

use crate::carrier::Carrier;
use crate::grpc::{Call, GrpcMethodName};
use crate::route_name::{NoRouteName, RouteName};
use crate::service::OpbeatService;
use crate::settings::{Answering, Settings};

/// Tells failed responses of HTTP by their status: 5xx.
pub type HttpClassifier = SharedClassifier<ServerErrorsAsFailures>;

/// Records every request of the service beneath as a transaction.
///
/// `M` tells failed responses from others, as in [`tower_http::trace`]; `N` names requests after their routes.
///
/// It belongs around the other layers. A second one around the same request adds nothing.
#[derive(Clone, Debug)]
pub struct OpbeatLayer<M = HttpClassifier, N = NoRouteName> {
    settings: Settings<M, N>,
}

impl OpbeatLayer {
    /// Makes a layer for an HTTP service.
    pub fn new(agent: &Agent) -> Self {
        Self::with_classifier(agent, "web.tower", ServerErrorsAsFailures::make_classifier())
    }
}

impl OpbeatLayer<HttpClassifier, GrpcMethodName> {
    /// Makes a layer for a gRPC service such as tonic's.
    ///
    /// Calls are named `package.Service/Method`, and end with the status that the trailers or the head say. The client's
    /// deadline, in `grpc-timeout`, is known as a time limit around the layer.
    pub fn new_for_grpc(agent: &Agent) -> Self {
        let methods = GrpcMethodName::default();
        let mut layer = OpbeatLayer::new(agent).kind("web.grpc").route_name(methods.clone());
        layer.settings.answering.grpc = Some(Box::new(Call::new(methods)));
        layer
    }
}

impl<M> OpbeatLayer<M> {
    /// Makes a layer that tells failed responses by a classifier of your own.
    pub fn with_classifier(agent: &Agent, kind: &'static str, make_classifier: M) -> Self {
        let answering = Answering::default();
        let agent = agent.clone();
        Self {
            settings: Settings { agent, kind, make_classifier, route_name: NoRouteName, time_limit: None, answering },
        }
    }
}

impl<M, N> OpbeatLayer<M, N> {
    /// Sets the transactions' dotted kind, such as `web.hyper`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.settings.kind = kind;
        self
    }

    /// Names requests after their routes.
    pub fn route_name<R: RouteName>(self, route_name: R) -> OpbeatLayer<M, R> {
        let Settings { agent, kind, make_classifier, time_limit, mut answering, .. } = self.settings;
        answering.grpc = answering.grpc.map(|_| Box::default());
        OpbeatLayer { settings: Settings { agent, kind, make_classifier, route_name, time_limit, answering } }
    }

    /// Answers 500, without a body, in place of a handler that panicked before its head. Without it, a panic goes on to
    /// the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.settings.answering.catches_panics = catches;
        self
    }

    /// Tells clients the id of the error that was reported, in the header `X-Opbeat-ID` of the failed response.
    #[must_use]
    pub fn error_id_header(mut self, tells: bool) -> Self {
        self.settings.answering.tells_error_id = tells;
        self
    }

    /// Says that a layer around this one drops requests after this time: they then count as timed out, and not as
    /// clients that have gone. What is dropped after three quarters of the time counts so, since the outer clock started
    /// earlier.
    ///
    /// Layers inside of this one need no such word: what they answer or fail with tells.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = Some(limit);
        self
    }

    /// Reports the error of a type that failed responses carry in their extensions.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use opbeat_tower::{Agent, OpbeatLayer};
    /// # #[derive(Debug)] struct AppError;
    /// # impl std::fmt::Display for AppError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no shelf") }
    /// # }
    /// # impl std::error::Error for AppError {}
    /// # let agent = Agent::disabled();
    /// let layer = OpbeatLayer::new(&agent).capture_extension::<Arc<AppError>>();
    /// // … and where the response is made: response.extensions_mut().insert(Arc::new(error));
    /// ```
    #[must_use]
    pub fn capture_extension<T: Error + Clone + Send + Sync + 'static>(self) -> Self {
        self.carry(Carrier::of::<T>())
    }

    /// Reports what failed responses carry in their extensions, of a type that is no error: a function says what it tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use opbeat_tower::{Agent, CapturedError, OpbeatLayer};
    /// #[derive(Debug)]
    /// enum AppError {
    ///     NoShelf,
    /// }
    /// # let agent = Agent::disabled();
    /// let layer = OpbeatLayer::new(&agent).capture_extension_with(|error: &Arc<AppError>| CapturedError::from_debug(error));
    /// ```
    #[must_use]
    pub fn capture_extension_with<T, F>(self, failure: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&T) -> CapturedError + Send + Sync + 'static,
    {
        self.carry(Carrier::new(failure))
    }

    /// Reports errors of a type that the service or its bodies fail with, with their whole chain of sources.
    ///
    /// A service may fail with anything that can be shown, and its type is known to nobody else. Known without a word are
    /// boxed errors and those of the standard library's I/O.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_tower::{Agent, OpbeatLayer};
    /// # let agent = Agent::disabled();
    /// let layer = OpbeatLayer::new(&agent).downcast::<std::num::ParseIntError>();
    /// ```
    #[must_use]
    pub fn downcast<E: Error + 'static>(mut self) -> Self {
        self.settings.answering.places.add_type::<E>();
        self
    }

    /// Says how a framework's own errors are found in what services and bodies fail with: for adapters.
    #[must_use]
    pub fn framework_errors(mut self, find: fn(&dyn Any) -> Option<&(dyn Error + 'static)>) -> Self {
        self.settings.answering.places.framework = Some(find);
        self
    }

    fn carry(mut self, carrier: Carrier) -> Self {
        self.settings.answering.places.add_carrier(carrier);
        self
    }
}

impl<S, M: MakeClassifier + Clone, N: RouteName> Layer<S> for OpbeatLayer<M, N> {
    type Service = OpbeatService<S, M, N>;

    fn layer(&self, inner: S) -> Self::Service {
        OpbeatService { inner, settings: Arc::new(self.settings.clone()) }
    }
}
