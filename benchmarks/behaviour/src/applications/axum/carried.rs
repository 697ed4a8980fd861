//! The routes that fail with an error, as one writes them with our `Result`, which carries errors to the layer.

use axum::Router;
use axum::routing::get;

use crate::cart::CartError;
use crate::words::Words;

pub fn carried(words: Words) -> Router {
    let captured = move || async move {
        let error = CartError::new();
        (words.capture)(&error);
        opbeat_axum::Result::<&str>::Err(error.into())
    };
    Router::new().route("/chain", get(chain)).route("/captured", get(captured))
}

async fn chain() -> opbeat_axum::Result<&'static str> {
    Err(CartError::new())?
}
