use std::time::Duration;

use actix_web::middleware::NormalizePath;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, guard, web};
use opbeat_actix::Opbeat;

use crate::files::Files;
use crate::monitored;

async fn fine() -> HttpResponse {
    HttpResponse::Ok().body("fine")
}

fn routes(config: &mut web::ServiceConfig) {
    let shelf = web::resource("/shelves/{shelf}").guard(guard::Header("x-kind", "shelf")).to(fine);
    config
        .service(web::scope("/api").route("/books/{id}", web::get().to(fine)))
        .route(r"/numbers/{id:\d+}", web::get().to(fine))
        .service(web::resource(["/old/{id}", "/older/{book}", "/old/{id}/{part}", "/oldest"]).to(fine))
        .service(web::resource(["/a/{tail:.*}", "/b/{tail:.*}", "/c/{shelf}/b"]).to(fine))
        .route("/blobs/{tail}*", web::get().to(fine))
        .service(web::resource("/guarded/{shelf}").guard(guard::Header("x-kind", "shelf")).to(fine))
        .service(shelf)
        .service(web::resource("/shelves/{name}").to(fine))
        .service(web::scope("/custom").default_service(web::to(fine)));
}

/// Sends requests to an application. Returns the name of each request's transaction.
async fn names<const N: usize>(requests: [TestRequest; N]) -> [String; N] {
    names_in(routes, requests).await
}

async fn names_in<const N: usize>(routes: fn(&mut web::ServiceConfig), requests: [TestRequest; N]) -> [String; N] {
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
async fn guards_choose_between_resources_of_the_same_path() {
    let shelf = || get("/shelves/7").insert_header(("x-kind", "shelf"));
    let (guarded, other) = ("GET /shelves/{shelf}", "GET /shelves/{name}");
    let names = names([get("/shelves/7"), shelf(), get("/shelves/7"), shelf()]).await;
    assert_eq!(names, [other, guarded, other, guarded]);
}

#[actix_web::test]
async fn names_contain_no_regular_expressions() {
    assert_eq!(names([get("/numbers/7"), get("/numbers/x")]).await, ["GET /numbers/{id}", "GET unmatched"]);
}

#[actix_web::test]
async fn requests_are_named_after_the_pattern_that_matched() {
    let requests = ["/old/1", "/older/1", "/old/old/%6Fld", "/oldest", "/old/1"].map(get);
    let expected = ["/old/{id}", "/older/{book}", "/old/{id}/{part}", "/oldest", "/old/{id}"];
    assert_eq!(names(requests).await, expected.map(|pattern| format!("GET {pattern}")));
}

#[actix_web::test]
async fn the_rest_of_a_path_is_an_asterisk() {
    let requests = ["/a/1", "/a/1/2", "/b/1", "/b/1/2", "/c/b/b", "/blobs/1/2", "/blobs/1"].map(get);
    let expected = ["/a/*", "/a/*", "/b/*", "/b/*", "/c/{shelf}/b", "/blobs/*", "/blobs/*"];
    assert_eq!(names(requests).await, expected.map(|pattern| format!("GET {pattern}")));
}

#[actix_web::test]
async fn a_service_at_a_prefix_has_one_name_for_all_paths_below_it() {
    let requests = ["/images/1.svg", "/images/large/1.svg", "/images", "/", "/1.svg", "/s/7/covers/1.svg"].map(get);
    let expected = ["/images/*", "/images/*", "/images", "/*", "/*", "/s/{shelf}/covers/*"];
    assert_eq!(names_in(with_files, requests).await, expected.map(|pattern| format!("GET {pattern}")));
}

/// Services at prefixes, one of them at the root, beside a resource.
fn with_files(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/shelves/{shelf}").guard(guard::Header("x-kind", "shelf")).to(fine))
        .service(web::scope("/s/{shelf}").service(Files("/covers")))
        .service(Files("/images"))
        .service(Files(""));
}

#[actix_web::test]
async fn a_guard_that_rejects_a_request_adds_no_name() {
    assert_eq!(names_in(with_files, [get("/shelves/7")]).await, ["GET /*"]);
    assert_eq!(names([get("/guarded/7"), get("/guarded/8")]).await, ["GET /guarded/{shelf}"; 2]);
}

#[actix_web::test]
async fn default_services_are_unmatched() {
    assert_eq!(names([get("/custom/1"), get("/nowhere")]).await, ["GET unmatched"; 2]);
}
