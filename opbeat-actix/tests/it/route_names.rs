use std::time::Duration;

use actix_web::middleware::NormalizePath;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, guard, web};
use opbeat_actix::Opbeat;

use crate::monitored;

async fn fine() -> HttpResponse {
    HttpResponse::Ok().body("fine")
}

fn routes(config: &mut web::ServiceConfig) {
    let shelf = web::resource("/shelves/{shelf}").guard(guard::Header("x-kind", "shelf")).to(fine);
    config
        .service(web::scope("/api").route("/books/{id}", web::get().to(fine)))
        .route(r"/numbers/{id:\d+}", web::get().to(fine))
        .service(web::resource(["/old/{id}", "/older/{id}"]).to(fine))
        .service(shelf)
        .service(web::resource("/shelves/{name}").to(fine))
        .service(web::scope("/custom").default_service(web::to(fine)));
}

/// Sends requests to an application, and returns the name of each.
async fn names<const N: usize>(requests: [TestRequest; N]) -> [String; N] {
    let (agent, exporter) = monitored();
    let app = App::new().wrap(NormalizePath::trim()).wrap(Opbeat::new(&agent)).configure(routes);
    let app = init_service(app).await;
    let mut names = [const { String::new() }; N];
    for (request, name) in requests.into_iter().zip(&mut names) {
        read_body(call_service(&app, request.to_request()).await).await;
        agent.flush(Duration::from_secs(30)).unwrap();
        *name = exporter.take().durations.remove(0).name;
    }
    names
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn a_normalized_path_is_named_after_its_resource() {
    let expected = ["GET /api/books/{id}"; 3];
    assert_eq!(names([get("/api/books/1/"), get("//api/books/1"), get("/api/books/1/")]).await, expected);
}

#[actix_web::test]
async fn guards_select_one_of_several_resources() {
    let shelf = || get("/shelves/7").insert_header(("x-kind", "shelf"));
    let (guarded, other) = ("GET /shelves/{shelf}", "GET /shelves/{name}");
    let names = names([get("/shelves/7"), shelf(), get("/shelves/7"), shelf()]).await;
    assert_eq!(names, [other, guarded, other, guarded]);
}

#[actix_web::test]
async fn names_have_no_regular_expressions() {
    assert_eq!(names([get("/numbers/7"), get("/numbers/x")]).await, ["GET /numbers/{id}", "GET unmatched"]);
}

#[actix_web::test]
async fn a_resource_with_several_patterns_has_one_name() {
    assert_eq!(names([get("/old/1"), get("/older/1")]).await, ["GET /old/{id}"; 2]);
}

#[actix_web::test]
async fn requests_to_default_services_are_unmatched() {
    assert_eq!(names([get("/custom/1"), get("/nowhere")]).await, ["GET unmatched"; 2]);
}
