//! Encrypted connections to RabbitMQ and PostgreSQL.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;
use test_backends::{Opbeat, Postgres, Rabbitmq};

use crate::api::{Api, PATIENCE, pause};
use crate::deployment::{create_app, intake_url, opbeat, refused, with_token};

/// A certificate for `localhost`, which has signed itself.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Processes of each role, whose connections to both servers are encrypted, and the end-to-end probe through all of them.
pub(crate) async fn all() {
    let (certificate, key) = (fixture("first.crt"), fixture("first.key"));
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start_with_tls(&certificate, &key);
    let rabbitmq = Rabbitmq::start_with_tls(&certificate, &key);
    let store = format!("{}?sslmode=verify-full&sslrootcert={}", postgres.tls_url(), certificate.display());
    let queue = format!("{}?cacertfile={}", rabbitmq.tls_url(), certificate.display());
    wrong_certificates(&folder, &postgres, &certificate);

    let read_token = create_app(folder.path(), &["--store", &store]);
    let start = |role: &str, options: &[&str]| {
        let options = [&["--queue", &queue, "--store", &store], options].concat();
        Opbeat::start(env!("CARGO_BIN_EXE_opbeat"), role, &folder.path().join(role), &options)
    };
    let (intake, _worker) = (start("intake", &[]), start("worker", &[]));
    let web = start("web", &["--probe-url", intake.url(), "--probe-seconds", "1"]);

    let body = json!({"transactions": [{"transaction": "over TLS", "result": "ok", "durations": [1.0]}]});
    let request = reqwest::Client::new().post(intake_url(intake.url(), "transactions")).json(&body);
    let response = with_token(request).send().await.unwrap();
    assert_eq!(response.status(), reqwest::StatusCode::ACCEPTED);
    let api = Api::new(web.url(), read_token);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = api.ask("/api/v2/organizations/acme/apps/shop/transactions/").await;
        let (ready, accepting) = (api.ask("/readyz").await, api.at(intake.url()).ask("/readyz").await);
        if rows["transactions"][0]["name"] == "over TLS" && ready["probe"]["state"] == "ok" {
            assert!(ready["probe"]["visible_seconds"].as_f64().unwrap() > 0.0, "{ready}");
            assert_eq!(accepting["queue"]["backlog_bytes"], 0, "nothing went to the spool: {accepting}");
            return;
        }
        assert!(Instant::now() < deadline, "{rows}, {ready}, {accepting}");
        pause().await;
    }
}

/// Each wrong certificate is refused with what to do, and each mode checks what it says.
fn wrong_certificates(folder: &TempDir, postgres: &Postgres, certificate: &Path) {
    let other = fixture("second.crt").display().to_string();
    let own = certificate.display().to_string();
    let by_name = postgres.tls_url();
    let by_address = by_name.replace("localhost", "127.0.0.1");
    let list = |url: String| ["token", "list"].map(str::to_owned).into_iter().chain(["--store".to_owned(), url]);
    for (url, message) in [
        (format!("{by_name}?sslmode=verify-full&sslrootcert={other}"), "by sslrootcert=FILE in the URL"),
        (format!("{by_name}?sslmode=require&sslrootcert={other}"), "by sslrootcert=FILE in the URL"),
        (format!("{by_address}?sslmode=verify-full&sslrootcert={own}"), "use a name of the certificate as the host"),
        (format!("{by_name}?sslmode=verify-full&sslrootcert=/none.crt"), "/none.crt"),
    ] {
        let arguments: Vec<String> = list(url).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let error = refused(&arguments[..2], folder.path(), &arguments[2..]);
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    for url in [
        format!("{by_address}?sslmode=verify-ca&sslrootcert={own}"),
        format!("{by_address}?sslmode=require&sslrootcert={own}"),
        format!("{by_address}?sslmode=require"),
    ] {
        let _ = opbeat(&["token", "list"], folder.path(), &["--store", &url]);
    }
}
