//! The routes that fail with an error, written with Opbeat's `Result`, which carries errors to the middleware.

use actix_web::web;

use crate::cart::CartError;
use crate::peer_api::PeerApi;

pub fn carried(config: &mut web::ServiceConfig, api: PeerApi) {
    let captured = move || async move {
        let error = CartError::new();
        (api.capture)(&error);
        opbeat_actix::Result::<&str>::Err(error.into())
    };
    config.route("/chain", web::get().to(chain)).route("/captured", web::get().to(captured));
}

async fn chain() -> opbeat_actix::Result<&'static str> {
    Err(CartError::new())?
}
