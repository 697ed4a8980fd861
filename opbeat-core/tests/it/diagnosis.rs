use std::net::TcpListener;
use std::time::Duration;

use opbeat_core::export::Contact;
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;
use crate::raw_server::{self, Reads, answer};

/// Returns what a diagnosis says of a server that answers so, without the server's address.
fn contact(answer: String) -> Contact {
    contact_of(&raw_server::start(Reads::Everything, answer).0)
}

fn contact_of(config: &Config) -> Contact {
    let agent = Agent::start(&config.clone().shutdown_timeout(Duration::from_millis(1))).unwrap();
    let mut contact = agent.diagnose().server;
    let (_, address) = config.server_url.split_once("://").unwrap();
    contact.message = contact.message.replace(address, "HOST");
    contact
}

fn answers(contact: &Contact) -> (Option<bool>, Option<bool>) {
    (contact.is_reached, contact.is_token_accepted)
}

#[test]
fn a_diagnosis_says_what_works() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    let diagnosis = agent.diagnose();
    assert_eq!(answers(&diagnosis.server), (Some(true), Some(true)));
    assert_eq!(diagnosis.server.is_tls, Some(false));
    assert!(diagnosis.build.has_debug_information && diagnosis.build.unwinds);
    assert!(diagnosis.drops.is_empty());
    let text = diagnosis.to_string().replace(&server.url(), "URL");
    assert!(
        text.starts_with(
            "monitoring: requests are recorded\n\
             server: delivers to the Opbeat server at URL without TLS; the token is accepted\n"
        ),
        "{text}"
    );
    assert!(text.contains("\nleft out since the start: nothing\n"), "{text}");
    assert!(!Agent::disabled().diagnose().is_recording);
}

#[test]
fn what_does_not_work_is_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = contact_of(&Config::new("o", "a", "t").server_url(format!("http://127.0.0.1:{port}")));
    assert_eq!(answers(&away), (Some(false), None));
    assert!(
        away.to_string().starts_with("NOT REACHED: the Opbeat server at http://HOST cannot be reached: "),
        "{away}"
    );

    let says = r#"{"status": 401, "error_message": "The secret token is not known here."}"#;
    let denied = contact(answer("401 Unauthorized", "", says));
    assert_eq!(answers(&denied), (Some(true), Some(false)));
    insta::assert_snapshot!(denied, @"REACHED, BUT THE TOKEN IS NOT ACCEPTED: the Opbeat server at http://HOST answered 401 Unauthorized: The secret token is not known here. Check OPBEAT_SECRET_TOKEN, OPBEAT_ORGANIZATION_ID and OPBEAT_APP_ID, or make new ones with `opbeat app create`. Data is kept for a while");

    let stray = contact(answer("404 Not Found", "", "<html><h1>Nothing here</h1></html>"));
    assert_eq!(answers(&stray), (Some(true), None));
    insta::assert_snapshot!(stray, @"delivers to http://HOST without TLS, and what answers there does not say that it is an Opbeat server. Older ones don't; if it is none, set OPBEAT_SERVER_URL to where `opbeat serve` runs");
    assert_eq!(contact(answer("200 OK", "", "{}")), stray, "whatever a stranger says");

    let moved = contact(answer("301 Moved", "Location: https://opbeat.example/api/v1/organizations/o/apps/a/\r\n", ""));
    assert_eq!(answers(&moved), (Some(true), None));
    insta::assert_snapshot!(moved, @"the Opbeat server at http://HOST is elsewhere: it answered 301 Moved Permanently. Set OPBEAT_SERVER_URL to https://opbeat.example. Data is kept for a while");

    let no_http = contact_of(&raw_server::start(Reads::Everything, "\x15\x03\x01\x00\x02\x02\x46").0);
    assert_eq!(answers(&no_http), (Some(false), None));
    insta::assert_snapshot!(no_http, @"NOT REACHED: what answers at http://HOST speaks no HTTP. If it speaks TLS, set OPBEAT_SERVER_URL to https://HOST; data is kept for a while, and the application goes on as it was");
}

#[test]
fn a_server_without_tls_is_told() {
    let (config, _) = raw_server::start(Reads::Nothing, answer("400 Bad Request", "", ""));
    let url = config.server_url.replace("http:", "https:");
    // Where the system has no certificates, there is no TLS to speak of.
    let Ok(agent) = Agent::start(&config.clone().server_url(&url)) else { return };
    let contact = agent.diagnose().server;
    assert_eq!((answers(&contact), contact.is_tls), ((Some(false), None), Some(true)));
    let says = format!("what answers at {url} speaks no TLS. Set OPBEAT_SERVER_URL to {};", config.server_url);
    assert!(contact.message.starts_with(&says), "{contact}");
}

#[tokio::test]
async fn a_diagnosis_works_in_asynchronous_code() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    assert_eq!(agent.diagnose().server.is_token_accepted, Some(true));
}

#[test]
fn a_diagnosis_counts_what_was_refused() {
    let server = ScriptedServer::start([Reply::Status(400, ""), Reply::Status(413, "")]);
    let agent = Agent::start(&server.config()).unwrap();
    agent.begin_transaction("task.test").end("test", "ok");
    agent.flush(PATIENCE).unwrap_err();
    let text = agent.diagnose().to_string();
    assert!(text.contains("left out since the start: 1 transaction, 1 sample, 2 rejected bodies"), "{text}");
}

const CHILD: &str = "OPBEAT_TEST_NO_ROOTS";

/// What the system trusts is told by the environment, and so this test runs once more, in a process of its own.
#[test]
fn no_certificates_are_one_clear_error_in_asynchronous_code_too() {
    if std::env::var_os(CHILD).is_none() {
        let folder = std::env::temp_dir();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["diagnosis::no_certificates_are_one_clear_error_in_asynchronous_code_too", "--exact", "--nocapture"])
            .envs([(CHILD, "1"), ("SSL_CERT_FILE", "/dev/null")])
            .env("SSL_CERT_DIR", folder.join("no-such-folder"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::new("o", "a", "t").server_url("https://127.0.0.1:1");
        let error = Agent::start(&config).unwrap_err().to_string();
        assert!(error.starts_with("https://127.0.0.1:1 needs TLS: "), "{error}");
        assert!(error.ends_with("install the system's certificates, often the package `ca-certificates`"), "{error}");
    });
}
