//! Mails about errors, received by the mail server aiosmtpd.

use std::process::Command;

use serde_json::json;

use crate::opbeat::Opbeat;
use crate::program::{Program, python};

/// Runs git, and returns what it prints.
fn git(folder: &tempfile::TempDir, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ana", "-c", "user.email=ana@acme.example"]).args(arguments);
    command.current_dir(folder.path()).env_remove("GIT_DIR").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.env("HOME", folder.path()).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_author_gets_one_mail_about_a_new_error_and_one_when_it_regresses() {
    let mut smtp = Program::start(python("smtp", "smtp", "server.py"), &[]);
    let url = format!("smtp://127.0.0.1:{}", smtp.account().await["port"]);
    let options = ["--smtp-url", &url, "--smtp-from", "opbeat@acme.example", "--notifications-cool-down-seconds", "0"];
    let opbeat = Opbeat::start_with(&options);
    opbeat.run(&["person", "create", "acme", "ana@acme.example", "--name", "Ana"]);
    let token = opbeat.run(&["token", "create", "acme", "--write", "--name", "Ada"]).trim().to_owned();
    let repository = tempfile::tempdir().unwrap();
    git(&repository, &["init", "--quiet", "."]);
    std::fs::write(repository.path().join("orders.py"), "import pens\npens.ink()\n").unwrap();
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "--message", "orders"]);
    let rev = git(&repository, &["rev-parse", "HEAD"]);
    opbeat.run(&["repository", "connect", "acme/shop", repository.path().to_str().unwrap()]);

    let message = "no <b>ink</b>\r\nBcc: eve@home.example\r\n\r\nfor ever";
    let frames = json!([{"filename": "orders.py", "lineno": 2, "in_app": true, "function": "order"}]);
    let error = json!({"message": message, "rev": rev, "stacktrace": {"frames": frames}});
    opbeat.report("errors", &error).await;
    let mail = smtp.account().await;
    assert_eq!((&mail["from"], &mail["to"]), (&json!("opbeat@acme.example"), &json!(["ana@acme.example"])));
    let subject = "[acme/shop] New error E#1: no <b>ink</b> Bcc: eve@home.example for ever";
    assert_eq!(mail["subject"], subject);
    let headers: Vec<&str> = mail["headers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let expected = [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ];
    assert_eq!(headers, expected);
    let text = mail["text"].as_str().unwrap();
    let reason = format!("Assigned to Ana: Ana last changed orders.py:2 in {}.", &rev[..7]);
    assert!(text.contains("first seen and auto-assigned to Ana.") && text.contains(&reason), "{text}");
    assert!(text.contains(&format!("{}/acme/shop/errors/1/", opbeat.url)), "{text}");
    let html = mail["html"].as_str().unwrap();
    assert!(html.contains("no &lt;b&gt;ink&lt;/b&gt;") && !html.contains("<b>"), "{html}");

    opbeat.change("errors/1/", &token, &json!({"status": "resolved"})).await;
    opbeat.report("errors", &error).await;
    let mail = smtp.account().await;
    assert!(mail["subject"].as_str().unwrap().starts_with("[acme/shop] Regressed E#1: "), "{mail}");
    // A mail program turns the mails off without a session, as RFC 8058 says.
    let link = mail["unsubscribe"].as_str().unwrap().trim_matches(['<', '>']);
    assert!(mail["text"].as_str().unwrap().contains(link), "{mail}");
    let client = reqwest::Client::new();
    let page = client.get(link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("ana@acme.example") && page.contains("Turn them off"), "{page}");
    let request = client.post(link).header("content-type", "application/x-www-form-urlencoded");
    let stopped = request.body("List-Unsubscribe=One-Click").send().await.unwrap();
    let (status, page) = (stopped.status(), stopped.text().await.unwrap());
    assert!(status.is_success() && page.contains("You get no more mails"), "{page}");
    drop(opbeat);
    let (status, errors) = smtp.ended().await;
    assert!(status.success(), "{errors}");
}
