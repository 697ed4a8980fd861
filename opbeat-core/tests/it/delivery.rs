use std::net::TcpListener;
use std::time::Duration;

use opbeat_core::config::ConfigError;
use opbeat_core::export::FlushError;
use opbeat_core::{Agent, Config, User, http};
use opbeat_testing::{ReceivedRequest, Reply, ScriptedServer};
use serde_json::Value as Json;

use crate::PATIENCE;

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

/// Replaces values that differ from run to run.
fn redact(json: &mut Json) {
    match json {
        Json::Object(map) => {
            // A busy machine may interrupt the request after its head.
            map.remove("head_durations");
            map.iter_mut().for_each(|(key, value)| match key.as_str() {
                "timestamp" => *value = "[time]".into(),
                "id" if value.as_str().is_some_and(|id| id.len() == 32) => *value = "[id]".into(),
                "client_supplied_id" => *value = "[id]".into(),
                "_frames" => *value = "[frames]".into(),
                "self_ms" | "head_ms" | "busy_ms" => *value = "[ms]".into(),
                "durations" => *value = format!("[{} durations]", value.as_array().map_or(0, Vec::len)).into(),
                _ => redact(value),
            });
        }
        Json::Array(items) => items.iter_mut().for_each(redact),
        Json::Number(number) if number.is_f64() => *json = "[ms]".into(),
        _ => {}
    }
}

#[test]
fn bodies_have_the_format_of_the_protocol() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config().release("1.2.3").panic_hook(false)).unwrap();
    let mut transaction = http::HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/books/1?token=hunter2&page=2");
        request.set_client(Some([192, 0, 2, 7].into()));
        request.push_header("host", b"shop.example");
        request.push_header("cookie", b"session=hunter2; theme=dark");
        request.push_header("accept", b"text/html");
        request.push_header("accept", b"text/plain");
        request.push_header("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    });
    transaction.set_route_name(http::route("GET", "/books/{id}"));
    {
        let _entered = transaction.enter();
        opbeat_core::current().set_user(User::new(7));
        let outer = opbeat_core::span("render", "template");
        let query = opbeat_core::span("SELECT FROM books", "db.sqlite.query");
        query.set_extra("sql", "SELECT * FROM books WHERE id = ?");
        drop(query);
        drop(outer);
    }
    transaction.start_response(503);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();

    let seen = server.requests();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/organizations/test-organization/apps/test-app/transactions/",
            "/api/v1/organizations/test-organization/apps/test-app/transactions/",
            "/api/v1/organizations/test-organization/apps/test-app/errors/"
        ]
    );
    assert_eq!(seen[0].header("authorization"), Some("Bearer test-token"));
    assert_eq!(seen[0].header("content-type"), Some("application/octet-stream"));
    assert!(seen[0].header("idempotency-key").is_some());
    assert!(seen[0].header("user-agent").unwrap().starts_with("opbeat-rust/"));
    for (name, seen) in ["counts", "samples", "error"].into_iter().zip(&seen) {
        let mut body = seen.body.clone();
        assert!(!body.to_string().contains("hunter2"));
        redact(&mut body);
        insta::assert_json_snapshot!(name, body);
    }
}

#[test]
fn a_failed_delivery_is_repeated_under_the_same_key() {
    let server = ScriptedServer::start([Reply::Close, Reply::Status(500, ""), Reply::RetryAfter(0)]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    let mut flushes = 0;
    while agent.flush(PATIENCE).is_err() {
        flushes += 1;
        assert!(flushes < 10, "the delivery still fails");
    }
    let seen = server.requests();
    let (samples, counts): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| is_sample(seen));
    assert!(counts.len() >= 4);
    assert!(counts.iter().all(|again| again.header("idempotency-key") == seen[0].header("idempotency-key")));
    assert!(counts.iter().all(|again| again.body == seen[0].body));
    assert_eq!(samples.len(), 1);
    assert_ne!(samples[0].header("idempotency-key"), seen[0].header("idempotency-key"));
}

#[test]
fn a_flush_ends_at_its_deadline_if_the_server_does_not_respond() {
    let server = ScriptedServer::start([Reply::Silence]);
    let agent = Agent::start(&server.config().shutdown_timeout(Duration::from_millis(50))).unwrap();
    record_one(&agent);
    let timeout = Duration::from_millis(100);
    assert_eq!(agent.flush(timeout), Err(FlushError::Deadline(timeout)));
}

#[test]
fn a_flush_fails_at_once_if_the_server_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let agent = Agent::start(&Config::new("o", "a", "t").server_url(&url)).unwrap();
    record_one(&agent);
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("the server is unreachable") };
    assert!(reason.contains(&url) && reason.contains("opbeat serve"), "{reason}");
}

#[test]
fn dropping_the_last_agent_delivers_the_rest() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config().shutdown_timeout(PATIENCE)).unwrap();
    record_one(&agent);
    drop(agent);
    assert_eq!(server.requests().len(), 2, "its count and its sample");
}

#[test]
fn an_endless_retry_after_does_not_stop_deliveries() {
    let server = ScriptedServer::start([Reply::RetryAfter(u64::MAX)]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    agent.flush(PATIENCE).unwrap();
    assert_eq!(server.requests().len(), 3, "the count twice, and its sample");
}

#[test]
fn a_flush_after_a_shutdown_is_an_error() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    agent.shutdown(PATIENCE).unwrap();
    record_one(&agent);
    assert_eq!(agent.flush(PATIENCE), Err(FlushError::ShutDown));
    assert!(!agent.is_recording() && !agent.diagnose().is_recording);
    assert!(server.requests().is_empty());
}

#[test]
fn a_wrong_configuration_is_one_clear_error() {
    let error = |config: Config| Agent::start(&config).unwrap_err().to_string();
    let config = || Config::new("o", "a", "t");
    insta::assert_snapshot!(error(Config::default()), @"OPBEAT_ORGANIZATION_ID is not set; `opbeat app create ORG/APP` on the server prints the variables to set");
    insta::assert_snapshot!(error(config().server_url("opbeat.example")), @r#"OPBEAT_SERVER_URL is "opbeat.example", which is not an address such as `https://opbeat.example.com` or `http://127.0.0.1:8200`"#);
    insta::assert_snapshot!(error(Config::new("o", "a b", "t")), @r#"OPBEAT_ORGANIZATION_ID or OPBEAT_APP_ID is "o/a b", which is not made of letters, digits, `-` and `_`, as `opbeat app create` prints it"#);
    insta::assert_snapshot!(error(Config::new("o", "a", "t\n")), @r#"OPBEAT_SECRET_TOKEN is "[REDACTED]", which is not a token as `opbeat app create` prints it, without spaces and line breaks"#);
    assert!(matches!(Agent::start(&config().enabled(false)), Ok(agent) if !agent.is_recording()));
    assert!(matches!(Agent::start(&config().server_url("ftp://x")), Err(ConfigError::Invalid { .. })));
}

#[test]
fn the_guide_lists_every_variable() {
    let guide = include_str!("../../../docs/guides/configuration.md");
    for variable in opbeat_core::config::VARIABLES {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{}`", variable.name))).expect(variable.name);
        assert!(row.contains(variable.meaning), "{row}");
    }
}

fn is_sample(seen: &ReceivedRequest) -> bool {
    seen.body["traces"]["raw"].as_array().is_some_and(|raw| !raw.is_empty())
}

#[test]
fn a_closed_idle_connection_is_not_an_outage() {
    let server = ScriptedServer::start([Reply::Status(202, ""), Reply::Status(202, ""), Reply::Close]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let seen = server.requests();
    assert_eq!(seen[2].header("idempotency-key"), seen[3].header("idempotency-key"));
    assert_eq!(seen[2].body, seen[3].body);
}
