//! The layer.

use std::borrow::Cow;
use std::error::Error;

use tower_layer::Layer;

use super::errors::ErrorTypes;
use super::protocol::Protocol;
use super::service::ClientService;
use super::settings::Settings;

/// A layer that records the requests of a client as spans. See the [module](crate::client) for the order of layers.
#[derive(Clone, Debug)]
pub struct ClientLayer {
    settings: Settings,
}

impl ClientLayer {
    /// Makes a layer for an HTTP client of this name. Its spans have the kind `ext.http.` and the name.
    #[must_use]
    pub fn new(client: &str) -> Self {
        let kind = match client {
            "hyper" => Cow::Borrowed("ext.http.hyper"),
            "reqwest" => Cow::Borrowed("ext.http.reqwest"),
            other => Cow::Owned(format!("ext.http.{other}")),
        };
        Self { settings: Settings { kind, protocol: Protocol::Http, error_types: ErrorTypes::default() } }
    }

    /// Makes a layer for a gRPC client of this name. Its spans have the kind `ext.grpc.` and the name, and are named after
    /// the called method, such as `shop.Prices/Get`.
    #[must_use]
    pub fn new_for_grpc(client: &str) -> Self {
        let kind = match client {
            "tonic" => Cow::Borrowed("ext.grpc.tonic"),
            other => Cow::Owned(format!("ext.grpc.{other}")),
        };
        Self { settings: Settings { kind, protocol: Protocol::Grpc, error_types: ErrorTypes::default() } }
    }

    /// Shows the sources of errors of the type `E`, which the client returns.
    ///
    /// The layer only requires that errors implement `Display`. Boxed errors, [`std::io::Error`] and the errors of the
    /// libraries whose features are enabled need no registration.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_instrument::client::ClientLayer;
    ///
    /// // For hyper-util's client: `.downcast::<hyper_util::client::legacy::Error>()`.
    /// let layer = ClientLayer::new("hyper").downcast::<std::num::ParseIntError>();
    /// ```
    #[must_use]
    pub fn downcast<E: Error + 'static>(mut self) -> Self {
        self.settings.error_types.add::<E>();
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService::new(inner, self.settings.clone())
    }
}
