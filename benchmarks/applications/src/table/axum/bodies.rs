//! Request bodies, their errors, and uploads.

use crate::application::Application;
use crate::request::{FILE, FORM, JSON, MULTIPART, UNMATCHED, get, post, send};

/// A field without a file name, which the handler does not expect.
const TEXT_FIELD: &str = "--limit\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nvalue\r\n--limit--\r\n";

pub const BODIES: &[Application] = &[
    Application::axum(
        "readme",
        &[
            get("/", "/"),
            post("/users", "/users").body(JSON, r#"{"username": "alice"}"#),
            post("/users", "/users").body(JSON, r#"{"username": "#),
            post("/users", "/users").body(JSON, r#"{"name": "alice"}"#),
            post("/users", "/users").body(&[], r#"{"username": "alice"}"#),
            get("/users", "/users"),
            get("/users/17", UNMATCHED),
        ],
    ),
    Application::axum(
        "form",
        &[
            get("/", "/"),
            post("/", "/").body(FORM, "name=alice&email=alice%40example.com"),
            post("/", "/").body(FORM, "name=alice"),
            post("/", "/").body(&[], "name=alice"),
            get("/form", UNMATCHED),
        ],
    ),
    Application::axum(
        "parse-body-based-on-content-type",
        &[
            post("/", "/").body(JSON, r#"{"foo": "bar"}"#),
            post("/", "/").body(FORM, "foo=bar"),
            post("/", "/").body(JSON, "{}"),
            post("/", "/").body(&["Content-Type: text/plain"], "foo"),
            get("/", "/"),
        ],
    ),
    Application::axum(
        "print-request-response",
        &[post("/", "/").body(&[], "printed"), post("/", "/"), get("/", "/"), post("/nowhere", UNMATCHED)],
    ),
    Application::axum(
        "consume-body-in-extractor-or-middleware",
        &[post("/", "/").body(&[], "consumed"), get("/", "/"), post("/nowhere", UNMATCHED).body(&[], "unread")],
    ),
    Application::axum(
        "customize-extractor-error",
        &[
            post("/with-rejection", "/with-rejection").body(JSON, "[1]"),
            post("/with-rejection", "/with-rejection").body(JSON, "[1"),
            post("/custom-extractor", "/custom-extractor").body(JSON, "[1]"),
            post("/custom-extractor", "/custom-extractor").body(JSON, "[1"),
            post("/derive-from-request", "/derive-from-request").body(JSON, "[1]"),
            post("/derive-from-request", "/derive-from-request").body(&[], "[1]"),
            get("/derive-from-request", "/derive-from-request"),
        ],
    ),
    Application::axum(
        "multipart-form",
        &[
            get("/", "/"),
            post("/", "/").body(MULTIPART, FILE),
            post("/", "/").body(FORM, "file=a.txt"),
            // The handler panics, which closes the connection.
            post("/", "/").body(MULTIPART, TEXT_FIELD).result("panicked"),
            get("/", "/"),
        ],
    ),
    Application::axum(
        "stream-to-file",
        &[
            get("/", "/"),
            post("/file/b.txt", "/file/{file_name}").body(&[], "first line\nsecond line\n"),
            post("/file/..%2Fb.txt", "/file/{file_name}").body(&[], "outside"),
            post("/", "/").body(MULTIPART, FILE),
            send("PUT", "/file/b.txt", "/file/{file_name}"),
            get("/file", UNMATCHED),
        ],
    ),
];
