//! The application on actix-web.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, test, web};
use opentelemetry_instrumentation_actix_web::RequestTracing;

use super::floor::{Floor, FloorMiddleware};
use super::{Recording, floor, opbeat, otel, sentry};
use crate::driver::{Actix, Drive, Driver};

pub(super) fn variant(name: &str) -> (Box<dyn Drive>, Recording) {
    match name {
        "bare" => (drive(App::new(), || {}), Recording::none()),
        "floor" => {
            let (floor, recording) = Floor::start();
            (drive(App::new().wrap(FloorMiddleware::new(floor)), floor::spans), recording)
        }
        "opbeat" => {
            let (agent, recording) = opbeat::discarding();
            (drive(App::new().wrap(opbeat_actix::Opbeat::new(&agent)), opbeat::spans), recording)
        }
        "otel" => {
            let recording = otel::start();
            (drive(App::new().wrap(RequestTracing::new()), otel::spans), recording)
        }
        "sentry" => {
            let recording = sentry::discarding();
            (drive(App::new().wrap(sentry_actix::Sentry::with_transaction()), sentry::spans), recording)
        }
        _ => panic!("unknown variant actix-{name}"),
    }
}

fn drive<T, B>(app: App<T>, spans: fn()) -> Box<dyn Drive>
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>,
    T: 'static,
    B: MessageBody + 'static,
{
    let in_spans = move || async move {
        spans();
        "done"
    };
    let app = app
        .route("/users/{id}", web::get().to(|id: web::Path<u64>| async move { id.to_string() }))
        .route("/spans", web::get().to(in_spans));
    Box::new(Driver::new(|runtime| Actix::new(runtime.block_on(test::init_service(app)))))
}
