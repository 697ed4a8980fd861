//! Resources, scopes, guards, state, and templates.

use crate::application::Application;
use crate::request::{JSON, Request, UNMATCHED, get, post, send};

const NOWHERE: Request = get("/nowhere/17", UNMATCHED);

pub const ROUTES: &[Application] = &[
    Application::actix(
        "basics/hello-world",
        &[get("/", "/"), get("/index.html", "/index.html"), post("/", "/").body(&[], "unread"), NOWHERE],
    ),
    Application::actix(
        "basics/nested-routing",
        &[
            get("/products", "/products"),
            post("/products", "/products").body(JSON, r#"{"id": 1, "product_type": "fancy", "name": "test"}"#),
            post("/products", "/products").body(JSON, "[1"),
            get("/products/1", "/products/{product_id}"),
            send("DELETE", "/products/1", "/products/{product_id}"),
            get("/products/1/parts/2", "/products/{product_id}/parts/{part_id}"),
            send("PUT", "/products/1/parts/2", "/products/{product_id}/parts/{part_id}"),
            get("/products/1/nowhere", UNMATCHED),
            NOWHERE,
        ],
    ),
    Application::actix(
        "basics/state",
        &[get("/", "/"), post("/", "/"), send("HEAD", "/", "/"), get("/", "/"), NOWHERE],
    ),
    Application::actix("data-factory", &[get("/", "/"), post("/", "/"), NOWHERE]),
    Application::actix(
        "guards",
        &[
            get("/api/hello", "/api/hello").headers(&["Accept-Version: 1"]),
            get("/api/hello", "/api/hello").headers(&["Accept-Version: 2"]),
            // No guard accepts this request. Actix knows the resource of the path nevertheless.
            get("/api/hello", "/api/hello").headers(&["Accept-Version: 3"]),
            NOWHERE,
        ],
    )
    .layer(&[(
        "HttpServer::new(create_app)",
        "HttpServer::new({ let agent = opbeat_actix::Agent::from_env(); \
         move || create_app().wrap(opbeat_actix::Opbeat::new(&agent)) })",
    )]),
    Application::actix(
        "shutdown-server",
        &[get("/hello", "/hello"), post("/hello", "/hello"), post("/stop/maybe", "/stop/{graceful}"), NOWHERE],
    )
    .layer(&[
        ("        move || {", "        let agent = opbeat_actix::Agent::from_env();\n        move || {"),
        (
            ".wrap(middleware::Logger::default())",
            ".wrap(middleware::Logger::default()).wrap(opbeat_actix::Opbeat::new(&agent))",
        ),
    ]),
    Application::actix("templating/tinytemplate", &[get("/", "/"), get("/?name=alice", "/"), post("/", "/"), NOWHERE]),
    Application::actix("templating/tera", &[get("/", "/"), get("/?name=alice", "/"), send("HEAD", "/", "/"), NOWHERE]),
];
