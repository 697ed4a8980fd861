//! A service for all paths below a prefix.

use actix_web::HttpResponse;
use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, fn_service};

/// A service for all paths below a prefix, as the crate actix-files registers its own.
pub(super) struct Files(pub(crate) &'static str);

impl HttpServiceFactory for Files {
    fn register(self, config: &mut AppService) {
        let prefix = if config.is_root() { ResourceDef::root_prefix(self.0) } else { ResourceDef::prefix(self.0) };
        let serve = async |request: ServiceRequest| Ok(request.into_response(HttpResponse::Ok().body("a file")));
        config.register_service(prefix, None, fn_service(serve), None);
    }
}
