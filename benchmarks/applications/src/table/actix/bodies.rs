//! Request bodies, their errors, and uploads.

use crate::application::Application;
use crate::request::{FILE, FORM, JSON, MULTIPART, UNMATCHED, get, post, send};

const USER: &str = r#"{"username": "alice", "email": "alice@example.com", "password": "p", "confirm_password": "p"}"#;
const ORIGIN: &[&str] = &["Content-Type: application/json", "Origin: http://localhost:8081"];
const OTHER_ORIGIN: &[&str] = &["Content-Type: application/json", "Origin: http://example.com"];
/// A body beyond the limit of a resource, which is 1,024 bytes.
const LONG: &str = match std::str::from_utf8(&[b' '; 1100]) {
    Ok(spaces) => spaces,
    Err(_) => "",
};

pub const BODIES: &[Application] = &[
    Application::actix(
        "forms/form",
        &[
            get("/", "/"),
            post("/post1", "/post1").body(FORM, "name=alice"),
            post("/post2", "/post2").body(FORM, "name=alice"),
            post("/post3", "/post3").body(FORM, "name=alice"),
            post("/post1", "/post1").body(FORM, "age=17"),
            post("/post1", "/post1").body(JSON, "{}"),
            get("/post1", "/post1"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix(
        "forms/multipart",
        &[
            get("/", "/"),
            post("/", "/").body(MULTIPART, FILE),
            post("/", "/").body(FORM, "file=a"),
            get("/tmp", UNMATCHED),
        ],
    ),
    Application::actix(
        "json/json",
        &[
            post("/extractor", "/extractor").body(JSON, r#"{"name": "alice", "number": 1}"#),
            post("/extractor2", "/extractor2").body(JSON, LONG),
            post("/manual", "/manual").body(&[], r#"{"name": "alice", "number": 1}"#),
            post("/manual", "/manual").body(&[], "[1"),
            post("/", "/").body(JSON, r#"{"name": "alice"}"#),
            get("/", "/"),
            post("/nowhere", UNMATCHED).body(JSON, "[1]"),
        ],
    ),
    Application::actix(
        "json/json-decode-error",
        &[
            post("/", "/").body(JSON, r#"{"name": "alice"}"#),
            post("/", "/").body(JSON, r#"{"name": 1}"#),
            post("/", "/").body(JSON, r#"{"name": "#),
            post("/", "/").body(&[], r#"{"name": "alice"}"#),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix("json/json-error", &[get("/", "/"), post("/", "/"), get("/nowhere", UNMATCHED)]).layer(&[
        ("HttpServer::new(||", "HttpServer::new({ let agent = opbeat_actix::Agent::from_env(); move ||"),
        ("get().to(index))))", "get().to(index))).wrap(opbeat_actix::Opbeat::new(&agent)) })"),
    ]),
    Application::actix(
        "json/jsonrpc",
        &[
            post("/", "/").body(JSON, r#"{"jsonrpc": "2.0", "method": "ping", "params": [], "id": 1}"#),
            post("/", "/").body(JSON, r#"{"jsonrpc": "2.0", "method": "inc", "params": [], "id": 2}"#),
            post("/", "/").body(JSON, r#"{"jsonrpc": "2.0", "method": "get", "params": [], "id": 3}"#),
            post("/", "/").body(JSON, "[1"),
            get("/", "/"),
        ],
    ),
    Application::actix(
        "cors/backend",
        &[
            post("/user/info", "/user/info").body(ORIGIN, USER),
            post("/user/info", "/user/info").body(JSON, USER),
            post("/user/info", "/user/info").body(ORIGIN, "[1"),
            post("/user/info", "/user/info").body(OTHER_ORIGIN, USER),
            send("OPTIONS", "/user/info", "/user/info").headers(&[
                "Origin: http://localhost:8081",
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: content-type",
            ]),
            get("/nowhere", UNMATCHED),
        ],
    ),
];
