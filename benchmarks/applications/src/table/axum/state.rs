//! State, authorization, and layers that handle errors.

use crate::application::Application;
use crate::request::{JSON, UNMATCHED, get, post, send};

const TOKEN: &[&str] = &["Authorization: Bearer secret-token"];
const ID: (&str, &str) = ("\"id\":\"", "\"");
const UNKNOWN: &str = "/todos/00000000-0000-0000-0000-000000000000";

pub const STATE: &[Application] = &[
    Application::axum(
        "error-handling",
        &[
            // Each third request fails, starting with the first one.
            post("/users", "/users").body(JSON, r#"{"name": "alice"}"#),
            post("/users", "/users").body(JSON, r#"{"name": "bob"}"#),
            post("/users", "/users").body(JSON, r#"{"name": 42}"#),
            get("/users", "/users"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::axum(
        "key-value-store",
        &[
            get("/planets", "/{key}"),
            post("/planets", "/{key}").body(&[], "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune"),
            get("/planets", "/{key}").headers(&["Accept-Encoding: gzip"]),
            get("/planets", "/{key}"),
            get("/keys", "/keys"),
            send("DELETE", "/admin/key/planets", "/admin/key/{key}"),
            send("DELETE", "/admin/key/planets", "/admin/key/{key}").headers(TOKEN),
            send("DELETE", "/admin/keys", "/admin/keys").headers(TOKEN),
            get("/planets", "/{key}"),
            get("/a/b/c", UNMATCHED),
        ],
    ),
    Application::axum(
        "todos",
        &[
            get("/todos", "/todos"),
            post("/todos", "/todos").body(JSON, r#"{"text": "write"}"#).take(ID.0, ID.1),
            send("PATCH", "/todos/{}", "/todos/{id}").body(JSON, r#"{"completed": true}"#),
            get("/todos?offset=0&limit=5", "/todos"),
            get("/todos?limit=all", "/todos"),
            send("DELETE", "/todos/{}", "/todos/{id}"),
            send("DELETE", UNKNOWN, "/todos/{id}"),
            send("PATCH", "/todos/17", "/todos/{id}").body(JSON, "{}"),
            get("/todos/{}", "/todos/{id}"),
        ],
    ),
    Application::axum(
        "dependency-injection",
        &[
            post("/dyn/users", "/dyn/users").body(JSON, r#"{"name": "alice"}"#).take(ID.0, ID.1),
            get("/dyn/users/{}", "/dyn/users/{id}"),
            get("/generic/users/{}", "/generic/users/{id}"),
            get("/generic/users/17", "/generic/users/{id}"),
            post("/generic/users", "/generic/users").body(JSON, "{}"),
            get("/dyn", UNMATCHED),
        ],
    ),
    Application::axum(
        "jwt",
        &[
            get("/protected", "/protected"),
            post("/authorize", "/authorize").body(JSON, r#"{"client_id": "foo", "client_secret": "foo"}"#),
            post("/authorize", "/authorize").body(JSON, r#"{"client_id": "", "client_secret": ""}"#),
            post("/authorize", "/authorize")
                .body(JSON, r#"{"client_id": "foo", "client_secret": "bar"}"#)
                .take("access_token\":\"", "\""),
            get("/protected", "/protected").headers(&["Authorization: Bearer {}"]),
            get("/protected", "/protected").headers(&["Authorization: Bearer {}x"]),
        ],
    ),
];
