//! Files, endless responses and websockets.

use crate::application::Application;
use crate::request::{UNMATCHED, get, post, send};

pub const STREAMS: &[Application] = &[
    Application::actix(
        "basics/static-files",
        &[
            get("/", "/*"),
            get("/css/example.css", "/*"),
            get("/css/example.css", "/*").headers(&["Range: bytes=0-9"]),
            send("HEAD", "/js/example.js", "/*"),
            get("/images/logo.png", "/images/*"),
            get("/images", "/images"),
            get("/nowhere.html", "/*"),
        ],
    ),
    Application::actix(
        "server-sent-events",
        &[
            get("/", "/"),
            get("/events", "/events").first_chunk(),
            // Actix notices a closed connection when it writes.
            post("/broadcast/one", "/broadcast/{msg}"),
            post("/broadcast/two", "/broadcast/{msg}"),
            post("/broadcast/three", "/broadcast/{msg}"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix(
        "websockets/echo-actorless",
        &[
            get("/", "/"),
            get("/ws", "/ws").message("hello"),
            get("/ws-basic", "/ws-basic").message("hello"),
            get("/ws-basic", "/ws-basic"),
            post("/send", "/send").body(&[], "nobody listens"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix(
        "websockets/chat-actorless",
        &[
            get("/", "/"),
            get("/ws", "/ws"),
            // Only the greeting responds to this message. A second client may receive messages of the first one's end.
            get("/ws/", "/ws").message("/name alice"),
            get("/nowhere", UNMATCHED),
        ],
    ),
];
