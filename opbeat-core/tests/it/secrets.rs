//! Secrets in every field that an application can set.

use std::error::Error;
use std::fmt;

use log::{Log, Metadata, Record};
use opbeat_core::events::log::ErrorLog;
use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::http::HttpTransaction;
use opbeat_core::{Agent, Level, User};
use opbeat_testing::ScriptedServer;
use tracing_subscriber::layer::SubscriberExt;

use crate::PATIENCE;

/// Returns a secret that does not appear in the source, because source lines around a failure are sent.
fn secret() -> String {
    ["s3", "cret"].concat()
}

fn card() -> String {
    "4111 1111 1111 ".to_owned() + "1111"
}

/// An error with a secret in its message, its `Debug` output and its cause.
#[derive(Debug)]
struct LoginError {
    #[expect(dead_code, reason = "`Debug` shows it")]
    password: Option<String>,
    cause: Option<Box<Self>>,
}

impl LoginError {
    fn new(secret: &str) -> Self {
        let new = |cause| Self { password: Some(secret.to_owned()), cause };
        new(Some(Box::new(new(None))))
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no login for {self:?}")
    }
}

impl Error for LoginError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

struct Silent;

impl Log for Silent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

fn begin(agent: &Agent, secret: &str) -> HttpTransaction {
    HttpTransaction::begin(agent, "web.test", "POST", |request| {
        request.set_line("POST", &format!("/pay?token={secret}&page=2&iban={secret}"));
        request.push_header("authorization", format!("Bearer {secret}").as_bytes());
        request.push_header("cookie", format!("session={secret}; a={secret}").as_bytes());
        request.push_header("referer", format!("https://{secret}@shop.example/?api_key={secret}").as_bytes());
        request.push_header("x-customer-iban", secret.as_bytes());
        request.push_header("x-forwarded-uri", format!("/login?pin={secret}").as_bytes());
    })
}

fn fill(secret: &str) {
    let current = opbeat_core::current();
    current.set_name(format!("POST /pay?pwd={secret}"));
    current.set_result(format!("token={secret}"));
    current
        .set_user(User::new(format!("pin={secret}")).username(format!("jwt={secret}")).email(format!("otp={secret}")));
    current.set_tag("password", secret.to_owned());
    current.set_tag("note", format!("the password: {secret}1"));
    current.set_tag(format!("token={secret}"), 1);
    current.set_extra("db", format!("postgres://shop:{secret}@db.example/shop"));
    current.set_extra("card", card().replace(' ', "").parse::<i64>().unwrap());
    current.set_extra("long", "x".repeat(8_150) + &format!(" postgres://shop:{secret}@db") + &"y".repeat(9_000));
    current.set_request_body(format!(
        r#"{{"passwords": ["{secret}", "{secret}"], "credentials": {{"key": "{secret}"}}, "card": "{}"}}"#,
        card()
    ));
    let query = opbeat_core::span(format!("SELECT FROM users WHERE token = '{secret}'"), format!("db.secret={secret}"));
    query.set_extra("url", format!("redis://:{secret}@cache:6379"));
    query.set_extra("sql", format!("SELECT 1 FROM users WHERE password = '{secret}'"));
}

fn fail(secret: &str) {
    let current = opbeat_core::current();
    current.capture_error(&LoginError::new(secret));
    current.capture_error(&std::io::Error::other(format!("cannot open postgres://shop:{secret}@db.example/shop")));
    current.capture_message(Level::Error, format!("Authorization: Bearer {secret}"));
    tracing::error!(error = &LoginError::new(secret) as &dyn Error, "Login(Secret({secret}))");
    tracing::error!(r#"the body was {{\"password\":\"{secret}\"}}"#);
    let line = format!("the body was <password>{secret}</password>");
    ErrorLog::new(Silent).log(&Record::builder().level(log::Level::Error).args(format_args!("{line}")).build());
    let panicked = std::panic::catch_unwind(|| panic!("cannot log in with password = {secret}"));
    assert!(panicked.is_err());
}

#[test]
fn no_field_sends_a_secret() {
    let (secret, server) = (secret(), ScriptedServer::start([]));
    let agent = Agent::start(&server.config().secret_name("*iban*")).unwrap();
    let mut transaction = begin(&agent, &secret);
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        fill(&secret);
        fail(&secret);
    });
    transaction.start_response(500);
    transaction.complete();
    // The culprit of an error without a stack is the name of its transaction.
    let mut unexplained = begin(&agent, &secret);
    unexplained.current().set_name(format!("POST /refund?pwd={secret}"));
    unexplained.start_response(500);
    unexplained.complete();
    let job = agent.begin_transaction("task.test");
    job.end(format!("job?token={secret}"), format!("pin={secret}"));
    agent.flush(PATIENCE).unwrap();
    let bodies = server.requests().iter().map(|seen| seen.body.to_string()).collect::<Vec<_>>();
    for part in [
        "POST /pay?pwd=[REDACTED]",
        "SELECT FROM users WHERE token = '[REDACTED]'",
        "page=2",
        "cannot log in with",
        "the body was <",
    ] {
        assert!(bodies.iter().any(|body| body.contains(part)), "{part} is missing: {bodies:#?}");
    }
    server.assert_never_received(&secret);
    server.assert_never_received(&card());
    server.assert_never_received(&card().replace(' ', ""));
}

/// A search whose time grows with the square of a value's length would not end in this test.
#[test]
fn large_values_are_cut_before_they_are_searched() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    let transaction = begin(&agent, "1234");
    let current = transaction.current();
    current.set_extra("at", "a@".repeat(4_000_000));
    current.capture_message(Level::Error, "://a:b".repeat(1_000_000));
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    assert!(server.requests().iter().all(|seen| seen.body.to_string().len() < 100_000));
}
