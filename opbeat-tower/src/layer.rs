//! The layer, which records the requests of a service.

use std::any::Any;
use std::error::Error;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::http::CapturedError;
use tower_http::classify::{MakeClassifier, ServerErrorsAsFailures, SharedClassifier};
use tower_layer::Layer;

use crate::extension::ErrorExtension;
use crate::grpc::{GrpcCalls, GrpcMethodName};
use crate::nesting::CountedLayer;
use crate::route_name::{NoRouteName, RouteName};
use crate::service::OpbeatService;
use crate::settings::{ResponseSettings, Settings};

/// Classifies HTTP responses by their status: 5xx is a failure.
pub type HttpClassifier = SharedClassifier<ServerErrorsAsFailures>;

/// Records every request of the service that it wraps as a transaction.
///
/// `M` classifies responses as failures or successes, as in [`tower_http::trace`]. `N` names requests after their
/// routes.
///
/// Add it outside of the other layers. If two of these layers wrap the same request, the outer one records it.
#[derive(Debug)]
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
    /// Calls are named `package.Service/Method`, and their result is the gRPC status in the trailers or in the response
    /// head. The client's deadline, in the header `grpc-timeout`, counts as a time limit outside of the layer.
    pub fn new_for_grpc(agent: &Agent) -> Self {
        let methods = GrpcMethodName::default();
        let mut layer = OpbeatLayer::new(agent).kind("web.grpc").route_name(methods.clone());
        layer.settings.grpc = GrpcCalls::All(Some(methods));
        layer
    }
}

impl<M> OpbeatLayer<M> {
    /// Makes a layer that classifies responses with the application's own classifier.
    pub fn with_classifier(agent: &Agent, kind: &'static str, make_classifier: M) -> Self {
        let response = ResponseSettings::default();
        let agent = agent.clone();
        Self {
            settings: Settings {
                agent,
                layer: CountedLayer::new(),
                kind,
                make_classifier,
                route_name: NoRouteName,
                grpc: GrpcCalls::None,
                time_limit: None,
                response,
            },
        }
    }
}

impl<M, N> OpbeatLayer<M, N> {
    /// Sets the dotted kind of the transactions, such as `web.hyper`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.settings.kind = kind;
        self
    }

    /// Names requests after their routes. In a layer for gRPC, it replaces the names of methods too.
    pub fn route_name<R: RouteName>(self, route_name: R) -> OpbeatLayer<M, R> {
        let Settings { agent, layer, kind, make_classifier, grpc, time_limit, response, .. } = self.settings;
        let grpc = if matches!(grpc, GrpcCalls::All(_)) { GrpcCalls::All(None) } else { grpc };
        let settings = Settings { agent, layer, kind, make_classifier, route_name, grpc, time_limit, response };
        OpbeatLayer { settings }
    }

    /// Records the gRPC calls among the requests as [`new_for_grpc`](OpbeatLayer::new_for_grpc) does, for services that
    /// also have other requests.
    ///
    /// A call is a `POST` over HTTP/2 with the content type `application/grpc`, and has a response of that type. It is
    /// named after its route until a response shows that its method exists.
    #[must_use]
    pub fn detect_grpc(mut self) -> Self {
        self.settings.grpc = GrpcCalls::ByContentType(GrpcMethodName::default());
        self
    }

    /// Sets whether the layer responds with 500 and an empty body if the handler panics before its response head.
    ///
    /// Default: false. The panic then continues to the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.settings.response.catches_panics = catches;
        self
    }

    /// Sets whether failed responses have a header `X-Opbeat-ID` with the id of the reported error. Default: false.
    #[must_use]
    pub fn error_id_header(mut self, sends: bool) -> Self {
        self.settings.response.sends_error_id = sends;
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
        self.settings.time_limit = Some(limit);
        self
    }

    /// Reports errors of a type `T` that failed responses have in their extensions.
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
    /// // In the handler: response.extensions_mut().insert(Arc::new(error));
    /// ```
    #[must_use]
    pub fn capture_extension<T: Error + Clone + Send + Sync + 'static>(self) -> Self {
        self.add_extension(ErrorExtension::of::<T>())
    }

    /// Reports values of a type `T` that failed responses have in their extensions, if `T` does not implement `Error`.
    ///
    /// The function describes the value.
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
    pub fn capture_extension_with<T, F>(self, describe: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&T) -> CapturedError + Send + Sync + 'static,
    {
        self.add_extension(ErrorExtension::new(describe))
    }

    /// Reports errors of a type `E`, which the service or its bodies return, with their whole chain of sources.
    ///
    /// The layer only requires that errors implement `Display`, so it has to know the type of an error to find its
    /// sources. Boxed errors and [`std::io::Error`] need no registration. Errors of other types are reported without
    /// their sources.
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
        self.settings.response.error_types.add_type::<E>();
        self
    }

    /// Sets a function that finds the application's error in a framework's own error type. For adapters.
    #[must_use]
    pub fn framework_errors(mut self, find: fn(&dyn Any) -> Option<&(dyn Error + 'static)>) -> Self {
        self.settings.response.error_types.framework = Some(find);
        self
    }

    fn add_extension(mut self, extension: ErrorExtension) -> Self {
        self.settings.response.error_types.add_extension(extension);
        self
    }
}

/// A clone made by the application counts as another layer, because both may wrap the same request. A clone made by a
/// framework does not.
impl<M: Clone, N: Clone> Clone for OpbeatLayer<M, N> {
    #[track_caller]
    fn clone(&self) -> Self {
        let settings = self.settings.clone();
        Self { settings: Settings { layer: settings.layer.copied_at(Location::caller()), ..settings } }
    }
}

impl<S, M: MakeClassifier + Clone, N: RouteName> Layer<S> for OpbeatLayer<M, N> {
    type Service = OpbeatService<S, M, N>;

    fn layer(&self, inner: S) -> Self::Service {
        OpbeatService { inner, settings: Arc::new(self.settings.clone()) }
    }
}
