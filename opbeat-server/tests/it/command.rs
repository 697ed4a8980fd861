//! The command line.

use std::path::Path;
use std::process::{Command, Output};

use crate::crash::serve;

fn opbeat(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_opbeat")).args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn an_app_is_created_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, url) = serve(folder.path());
    let created = opbeat(folder.path(), &["app", "create", "acme/shop"]);
    assert!(created.status.success(), "{}", text(&created.stderr));
    let lines = text(&created.stdout);
    let names: Vec<&str> = lines.lines().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["OPBEAT_SERVER_URL", "OPBEAT_ORGANIZATION_ID", "OPBEAT_APP_ID", "OPBEAT_SECRET_TOKEN"]);
    assert!(lines.starts_with(&format!("OPBEAT_SERVER_URL={url}\n")));

    let token = opbeat(folder.path(), &["token", "create", "acme"]);
    assert_eq!(text(&token.stdout).trim().len(), 40);
    child.kill().unwrap();
    child.wait().unwrap();

    let again = text(&opbeat(folder.path(), &["app", "create", "acme/shop"]).stdout);
    let line = |lines: &str, index: usize| lines.lines().nth(index).unwrap().to_owned();
    assert_eq!(line(&lines, 2), line(&again, 2), "the app is there already");
    assert_ne!(line(&lines, 3), line(&again, 3), "each time the token is a new one");
}

#[test]
fn mistakes_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let says = |arguments: &[&str]| {
        let output = opbeat(folder.path(), arguments);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    assert!(says(&["app", "create", "acme"]).contains("give organization and app as in `acme/shop`"));
    assert!(says(&["app", "create", "acme/My Shop"]).contains("use 1 to 64 lower-case letters, digits and dashes"));
    assert!(says(&["token", "create", "nobody"]).contains("there is no organization \"nobody\""));
    assert!(says(&["serve", "--listen", "everywhere"]).contains("invalid value 'everywhere' for '--listen"));
}

#[test]
fn a_folder_and_a_port_belong_to_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, url) = serve(folder.path());
    let second = opbeat(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(text(&second.stderr).contains("another opbeat server runs on"), "{}", text(&second.stderr));
    let other = tempfile::tempdir().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let third = opbeat(other.path(), &["serve", "--listen", address]);
    assert!(text(&third.stderr).contains("choose another address with --listen"), "{}", text(&third.stderr));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn a_server_stops_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    for signal in ["TERM", "INT"] {
        let (mut child, _) = serve(folder.path());
        let status = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert!(child.wait().unwrap().success(), "SIG{signal}");
    }
}
