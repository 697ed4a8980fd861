use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpResponse, error, test, web};
use opbeat_actix::{Current, Opbeat};
use opbeat_core::record::ErrorRecord;

use crate::monitored;

const PATIENCE: Duration = Duration::from_secs(30);

async fn named(Current(transaction): Current) -> &'static str {
    transaction.set_name("shop.named");
    if transaction.is_recording() { "recorded" } else { "not recorded" }
}

#[actix_web::test]
async fn handlers_find_their_transaction() {
    let (agent, exporter) = monitored();
    let app = App::new().wrap(Opbeat::new(&agent)).wrap(Opbeat::new(&agent)).route("/", web::get().to(named));
    let app = test::init_service(app).await;
    let body = test::call_and_read_body(&app, test::TestRequest::get().uri("/").to_request()).await;
    assert_eq!(body, "recorded");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("shop.named"), 1, "only the outer middleware records the request");
}

async fn report_of(error: fn() -> actix_web::Error) -> Vec<ErrorRecord> {
    let (agent, exporter) = monitored();
    let app = App::new().wrap(Opbeat::new(&agent));
    let app = app.route("/", web::get().to(move || async move { Err::<String, _>(error()) }));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
    assert!(response.status() >= StatusCode::BAD_REQUEST);
    test::read_body(response).await;
    agent.flush(PATIENCE).unwrap();
    exporter.errors()
}

#[actix_web::test]
async fn errors_keep_their_type_and_message() {
    let errors = report_of(|| std::io::Error::other("the shelf is broken").into()).await;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, "the shelf is broken");
    assert!(errors[0].type_name.is_some());
    let errors = report_of(|| error::ErrorInternalServerError("out of ink")).await;
    assert_eq!((errors.len(), errors[0].message.as_str()), (1, "out of ink"));
}

#[actix_web::test]
async fn errors_with_a_4xx_status_are_not_reported() {
    assert!(report_of(|| error::ErrorBadRequest("no title")).await.is_empty());
}

#[actix_web::test]
async fn a_websocket_session_is_a_transaction_of_its_own() {
    async fn chat() {
        opbeat_actix::current().set_tag("room", "lobby");
    }
    async fn connect() -> HttpResponse {
        actix_web::rt::spawn(opbeat_actix::websocket(chat())).await.unwrap();
        HttpResponse::SwitchingProtocols().finish()
    }
    let (agent, exporter) = monitored();
    let app = App::new().wrap(Opbeat::new(&agent)).route("/chat/{id}", web::get().to(connect));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, test::TestRequest::get().uri("/chat/1").to_request()).await;
    drop(response);
    agent.flush(Duration::from_secs(30)).unwrap();
    let samples = exporter.samples();
    let of_kind = |kind: &str| samples.iter().find(|sample| sample.kind == kind).unwrap();
    let (request, session) = (of_kind("web.actix"), of_kind("websocket.actix"));
    assert_eq!((session.parent, session.tags.len()), (Some(request.id), 1));
    assert_eq!(session.name.to_string(), "GET /chat/{id}");
}

#[actix_web::test]
async fn a_connect_has_its_authority_as_target() {
    let (agent, exporter) = monitored();
    let app = test::init_service(App::new().wrap(Opbeat::new(&agent))).await;
    for (target, recorded) in [("example.com:443", "example.com:443"), ("user:pass@example.com:443", "example.com:443")]
    {
        let request = test::TestRequest::with_uri(target).method(Method::CONNECT).to_request();
        test::call_and_read_body(&app, request).await;
        agent.flush(PATIENCE).unwrap();
        let request = exporter.take().samples.remove(0).request.unwrap();
        assert_eq!((request.target(), request.headers().collect::<Vec<_>>().len()), (recorded.into(), 1));
    }
}
