//! The routes that fail with an error, written with Opbeat's `Result`, which carries errors to the layer.

use axum::Router;
use axum::routing::get;

use crate::cart::CartError;
use crate::peer_api::PeerApi;

pub fn carried(api: PeerApi) -> Router {
    let captured = move || async move {
        let error = CartError::new();
        (api.capture)(&error);
        opbeat_axum::Result::<&str>::Err(error.into())
    };
    Router::new().route("/chain", get(chain)).route("/captured", get(captured))
}

async fn chain() -> opbeat_axum::Result<&'static str> {
    Err(CartError::new())?
}
