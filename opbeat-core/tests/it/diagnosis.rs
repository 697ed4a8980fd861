use std::net::TcpListener;
use std::time::Duration;

use opbeat_core::export::Contact;
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;
use crate::raw_server::{self, Reads, response};

/// Returns the diagnosis of a server with this response, without the server's address.
fn contact(response: String) -> Contact {
    contact_of(&raw_server::start(Reads::Everything, response).0)
}

fn contact_of(config: &Config) -> Contact {
    let agent = Agent::start(&config.clone().shutdown_timeout(Duration::from_millis(1))).unwrap();
    let mut contact = agent.diagnose().server;
    let (_, address) = config.server_url.split_once("://").unwrap();
    contact.message = contact.message.replace(address, "HOST");
    contact
}

fn findings(contact: &Contact) -> (Option<bool>, Option<bool>) {
    (contact.is_reached, contact.is_token_accepted)
}

#[test]
fn a_diagnosis_shows_that_everything_works() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    let diagnosis = agent.diagnose();
    assert_eq!(findings(&diagnosis.server), (Some(true), Some(true)));
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
    assert!(text.contains("\ndropped since the start: nothing\n"), "{text}");
    assert!(!Agent::disabled().diagnose().is_recording);
}

#[test]
fn a_diagnosis_distinguishes_failures() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = contact_of(&Config::new("o", "a", "t").server_url(format!("http://127.0.0.1:{port}")));
    assert_eq!(findings(&away), (Some(false), None));
    assert!(
        away.to_string().starts_with("NOT REACHED: the Opbeat server at http://HOST cannot be reached: "),
        "{away}"
    );

    let body = r#"{"status": 401, "error_message": "The secret token is not known here."}"#;
    let denied = contact(response("401 Unauthorized", "", body));
    assert_eq!(findings(&denied), (Some(true), Some(false)));
    insta::assert_snapshot!(denied, @"REACHED, BUT THE TOKEN IS REJECTED: the Opbeat server at http://HOST responded with 401 Unauthorized: The secret token is not known here. Check OPBEAT_SECRET_TOKEN, OPBEAT_ORGANIZATION_ID and OPBEAT_APP_ID, or make new ones with `opbeat app create`. Data is kept in memory, up to a limit, and sent later");

    let other = contact(response("404 Not Found", "", "<html><h1>Nothing here</h1></html>"));
    assert_eq!(findings(&other), (Some(true), None));
    insta::assert_snapshot!(other, @"delivers to http://HOST without TLS, but the response does not state that it comes from an Opbeat server. Old versions do not state it. If it is another program, set OPBEAT_SERVER_URL to the address of `opbeat serve`");
    assert_eq!(contact(response("200 OK", "", "{}")), other, "whatever another program responds");

    let moved =
        contact(response("301 Moved", "Location: https://opbeat.example/api/v1/organizations/o/apps/a/\r\n", ""));
    assert_eq!(findings(&moved), (Some(true), None));
    insta::assert_snapshot!(moved, @"the Opbeat server at http://HOST has moved: it responded with 301 Moved Permanently. Set OPBEAT_SERVER_URL to https://opbeat.example. Data is kept in memory, up to a limit, and sent later");

    let no_http = contact_of(&raw_server::start(Reads::Everything, "\x15\x03\x01\x00\x02\x02\x46").0);
    assert_eq!(findings(&no_http), (Some(false), None));
    insta::assert_snapshot!(no_http, @"NOT REACHED: the program at http://HOST does not use HTTP. If it uses TLS, set OPBEAT_SERVER_URL to https://HOST; data is kept in memory, up to a limit, and sent later; the application is not affected");
}

#[test]
fn a_server_without_tls_is_recognised() {
    let (config, _) = raw_server::start(Reads::Nothing, response("400 Bad Request", "", ""));
    let url = config.server_url.replace("http:", "https:");
    // A system without certificates cannot start TLS.
    let Ok(agent) = Agent::start(&config.clone().server_url(&url)) else { return };
    let contact = agent.diagnose().server;
    assert_eq!((findings(&contact), contact.is_tls), ((Some(false), None), Some(true)));
    let expected = format!("the program at {url} does not use TLS. Set OPBEAT_SERVER_URL to {};", config.server_url);
    assert!(contact.message.starts_with(&expected), "{contact}");
}

#[tokio::test]
async fn a_diagnosis_works_in_asynchronous_code() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    assert_eq!(agent.diagnose().server.is_token_accepted, Some(true));
}

#[test]
fn a_diagnosis_counts_rejected_data() {
    let server = ScriptedServer::start([Reply::Status(400, ""), Reply::Status(413, "")]);
    let agent = Agent::start(&server.config()).unwrap();
    agent.begin_transaction("task.test").end("test", "ok");
    agent.flush(PATIENCE).unwrap_err();
    let text = agent.diagnose().to_string();
    assert!(text.contains("dropped since the start: 1 transaction, 1 sample, 2 rejected bodies"), "{text}");
}

const CHILD: &str = "OPBEAT_TEST_NO_ROOTS";

/// Environment variables set the certificates that the system trusts, so this test runs again in a process of its own.
#[test]
fn missing_certificates_are_one_clear_error_in_asynchronous_code_too() {
    if std::env::var_os(CHILD).is_none() {
        let folder = std::env::temp_dir();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "diagnosis::missing_certificates_are_one_clear_error_in_asynchronous_code_too",
                "--exact",
                "--nocapture",
            ])
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
