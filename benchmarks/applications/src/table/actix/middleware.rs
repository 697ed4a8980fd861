//! Middlewares, sessions and limits.

use crate::application::Application;
use crate::request::{FORM, UNMATCHED, get, post};

const AUTHORIZED: &[&str] = &["Authorization: anything"];
const COOKIE: &[&str] = &["Cookie: {}"];
const SET_COOKIE: (&str, &str) = ("set-cookie: ", ";");

pub const MIDDLEWARE: &[Application] = &[
    Application::actix(
        "middleware/http-response",
        &[get("/", "/"), get("/", "/").headers(AUTHORIZED), get("/nowhere", UNMATCHED).headers(AUTHORIZED)],
    ),
    Application::actix(
        "middleware/request-extensions",
        &[get("/on", "/on"), get("/off", "/off"), post("/on", "/on"), get("/nowhere", UNMATCHED)],
    ),
    Application::actix(
        "middleware/rate-limit",
        &[
            get("/test/simple", "/test/simple"),
            get("/test/simple/", "/test/simple"),
            get("/test/simple", "/test/simple"),
            get("/test/governor", "/test/governor"),
            get("/test/governor//", "/test/governor"),
            get("/test/governor", "/test/governor"),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix(
        "middleware/various",
        &[get("/", "/"), post("/login", "/login").body(FORM, "name=alice"), get("/login", "/login")],
    ),
    Application::actix(
        "auth/cookie-session",
        &[
            get("/", "/").take(SET_COOKIE.0, SET_COOKIE.1),
            get("/", "/").headers(COOKIE),
            post("/", "/").headers(&["Cookie: id=forged"]),
            get("/nowhere", UNMATCHED),
        ],
    ),
    Application::actix(
        "auth/cookie-auth",
        &[
            get("/", "/"),
            post("/logout", "/logout"),
            post("/login", "/login").take(SET_COOKIE.0, SET_COOKIE.1),
            get("/", "/").headers(COOKIE),
            post("/logout/", "/logout").headers(COOKIE),
            get("/nowhere", UNMATCHED),
        ],
    ),
];
