//! Routes, methods, parameters and templates.

use crate::application::Application;
use crate::request::{Request, UNMATCHED, get, post, send};

const NOWHERE: Request = get("/nowhere/17", UNMATCHED);

pub const ROUTES: &[Application] = &[
    Application::axum("hello-world", &[get("/", "/"), get("/?page=2", "/"), NOWHERE, post("/", "/")]),
    Application::axum("anyhow-error-response", &[get("/", "/"), NOWHERE]),
    Application::axum(
        "global-404-handler",
        &[get("/", "/"), NOWHERE, send("DELETE", "/nowhere/18", UNMATCHED), send("PUT", "/", "/")],
    ),
    Application::axum(
        "handle-head-request",
        &[
            get("/get-head", "/get-head"),
            send("HEAD", "/get-head", "/get-head"),
            send("HEAD", "/nowhere", UNMATCHED),
            get("/get-head", "/get-head"),
        ],
    ),
    Application::axum(
        "routes-and-handlers-close-together",
        &[get("/", "/"), get("/foo", "/foo"), post("/foo", "/foo"), send("DELETE", "/foo", "/foo"), NOWHERE],
    ),
    Application::axum(
        "templates",
        &[
            get("/greet/Foo", "/greet/{name}"),
            get("/greet/%3Cb%3E", "/greet/{name}"),
            get("/greet", UNMATCHED),
            get("/greet/%ff", "/greet/{name}"),
        ],
    ),
    Application::axum(
        "versioning",
        &[
            get("/v1/foo", "/{version}/foo"),
            get("/v2/foo", "/{version}/foo"),
            get("/v9/foo", "/{version}/foo"),
            get("/v1/bar", UNMATCHED),
        ],
    ),
    Application::axum(
        "customize-path-rejection",
        &[
            get("/users/1/teams/2", "/users/{user_id}/teams/{team_id}"),
            get("/users/one/teams/2", "/users/{user_id}/teams/{team_id}"),
            get("/users/1/teams/", UNMATCHED),
        ],
    ),
    Application::axum("validator", &[get("/?name=LT", "/"), get("/?name=", "/"), get("/", "/"), NOWHERE]),
    Application::axum("request-id", &[get("/", "/"), get("/", "/").headers(&["X-Request-Id: 42"]), NOWHERE]),
];
