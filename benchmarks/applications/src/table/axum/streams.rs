//! Compressed and endless responses, files, websockets, and disconnects.

use crate::application::Application;
use crate::request::{JSON, UNMATCHED, get, post, send};

const PRODUCTS: &str = r#"{"products": [{"id": 1, "name": "Product 1"}, {"id": 2, "name": "Product 2"}]}"#;

pub const STREAMS: &[Application] = &[
    Application::axum(
        "compression",
        &[
            post("/", "/").body(JSON, PRODUCTS),
            post("/", "/").body(&["Content-Type: application/json", "Accept-Encoding: gzip"], PRODUCTS),
            post("/", "/").body(&["Content-Type: application/json", "Accept-Encoding: br"], PRODUCTS),
            post("/", "/").body(&["Content-Type: application/json", "Accept-Encoding: zstd"], PRODUCTS),
            post("/", "/").body(&["Content-Type: application/json", "Content-Encoding: gzip"], PRODUCTS),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::axum(
        "sse",
        &[
            get("/sse", "/sse").first_chunk(),
            // A fallback responds with files.
            get("/", UNMATCHED),
            get("/script.js", UNMATCHED),
            send("HEAD", "/script.js", UNMATCHED),
            get("/script.js", UNMATCHED).headers(&["Range: bytes=0-9"]),
            get("/nowhere", UNMATCHED),
            get("/sse", "/sse").first_chunk(),
        ],
    ),
    Application::axum(
        "testing-websockets",
        &[
            get("/integration-testable", "/integration-testable").message("hello"),
            get("/unit-testable", "/unit-testable").message("hello"),
            get("/unit-testable", "/unit-testable"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::axum(
        "chat",
        &[
            get("/", "/"),
            // A second client may receive the message that the first one left.
            get("/websocket", "/websocket").message("alice"),
            get("/websocket", "/websocket"),
            post("/websocket", "/websocket"),
        ],
    ),
    Application::axum(
        "graceful-shutdown",
        &[get("/forever", "/forever").leave(), get("/nowhere", UNMATCHED), post("/slow", "/slow")],
    ),
];
