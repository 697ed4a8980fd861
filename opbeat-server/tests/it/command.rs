//! The command line.

use std::path::Path;
use std::process::{Command, Output};

use test_backends::Opbeat;

const BINARY: &str = env!("CARGO_BIN_EXE_opbeat");

/// Starts a server as a process.
fn serve(data: &Path) -> Opbeat {
    Opbeat::start(BINARY, "serve", data, &[])
}

pub(crate) fn opbeat(data: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a command that fails, and returns what it prints.
fn error(data: &Path, arguments: &[&str]) -> String {
    let output = opbeat(data, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    text(&output.stderr)
}

#[test]
fn an_app_is_created_while_a_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let created = opbeat(folder.path(), &["app", "create", "acme/shop"]);
    assert!(created.status.success(), "{}", text(&created.stderr));
    let lines = text(&created.stdout);
    let names: Vec<&str> = lines.lines().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["OPBEAT_SERVER_URL", "OPBEAT_ORGANIZATION_ID", "OPBEAT_APP_ID", "OPBEAT_SECRET_TOKEN"]);
    assert!(lines.starts_with(&format!("OPBEAT_SERVER_URL={}\n", server.url())));

    let token = opbeat(folder.path(), &["token", "create", "acme"]);
    assert_eq!(text(&token.stdout).trim().len(), 64);
    drop(server);

    let again = text(&opbeat(folder.path(), &["app", "create", "acme/shop"]).stdout);
    let line = |lines: &str, index: usize| lines.lines().nth(index).unwrap().to_owned();
    assert_eq!(line(&lines, 2), line(&again, 2), "an existing app keeps its id");
    assert_ne!(line(&lines, 3), line(&again, 3), "each call creates a new token");
}

#[test]
fn an_app_can_be_created_with_the_ids_and_the_token_of_existing_agents() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "app",
        "create",
        "acme/shop",
        "--organization-id",
        "0123",
        "--app-id",
        "45",
        "--secret-token",
        "old-token",
        "--url",
        "http://x",
    ];
    let created = opbeat(folder.path(), &arguments);
    assert_eq!(
        text(&created.stdout),
        "OPBEAT_SERVER_URL=http://x\nOPBEAT_ORGANIZATION_ID=0123\nOPBEAT_APP_ID=45\nOPBEAT_SECRET_TOKEN=old-token\n"
    );
    let again = error(folder.path(), &arguments);
    assert_eq!(again.trim(), "error: the given id or token is already in use for another organization or app");
}

#[test]
fn errors_contain_the_cause_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| error(folder.path(), arguments);
    assert!(error(&["app", "create", "acme"]).contains("name the organization and the app, as in `acme/shop`"));
    assert!(error(&["app", "create", "acme/My Shop"]).contains("use 1 to 64 lower-case letters, digits and dashes"));
    assert!(error(&["app", "origins", "acme/nothing"]).contains("`opbeat app create acme/nothing` creates it"));
    assert!(
        error(&["app", "origins", "acme/shop", "--add", "shop.example"])
            .contains("write it as in `https://shop.example`")
    );
    assert!(error(&["token", "create", "nobody"]).contains("there is no organization \"nobody\""));
    assert!(error(&["serve", "--listen", "everywhere"]).contains("invalid value 'everywhere' for '--listen"));
}

#[test]
fn a_folder_and_a_port_belong_to_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let second = error(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(second.starts_with("error: another opbeat server uses the data folder"), "{second}");
    std::fs::remove_file(folder.path().join("lock")).unwrap();
    let second = error(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(second.starts_with("error: another opbeat server uses the data folder"), "without its file: {second}");
    let other = tempfile::tempdir().unwrap();
    let address = server.url().strip_prefix("http://").unwrap();
    let third = error(other.path(), &["serve", "--listen", address]);
    let message = format!(
        "error: cannot listen on {address}; choose another address with --listen, or stop the program that uses it: \
         Address already in use"
    );
    assert!(third.contains(&message), "{third}");
    assert_eq!(third.matches("Address already in use").count(), 1, "the cause is printed once: {third}");
}

#[test]
fn a_damaged_database_is_reported_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("opbeat.sqlite"), "not a database, but a file of some length").unwrap();
    let error = error(folder.path(), &["app", "create", "acme/shop"]);
    assert!(error.contains("file is not a database"), "{error}");
    // A server accepts data nevertheless: the file may be replaced by a backup.
    drop(serve(folder.path()));
}

#[cfg(unix)]
#[test]
fn a_server_stops_at_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = serve(folder.path());
    assert!(server.stop().success(), "SIGTERM");
    server.start_again();
    assert!(server.interrupt().success(), "SIGINT");
}

#[cfg(unix)]
#[test]
fn only_files_of_the_server_become_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("queue")).unwrap();
    let set_mode = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, []).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    let of_others = ["run.sh", "lock.html", "app.sqlite", "queue/notes.log", "queue/1.txt"];
    let of_the_server =
        ["server-url", "sign-in-link", "opbeat.sqlite.backup", "queue/00000000000000000001.cut", "queue/2.log"];
    of_others.into_iter().chain(of_the_server).for_each(set_mode);
    std::os::unix::fs::symlink("run.sh", folder.path().join("lock")).unwrap();

    assert!(opbeat(folder.path(), &["link"]).status.success());
    assert!(!folder.path().join("opbeat.sqlite").exists(), "a command that reads creates nothing");
    assert_eq!(of_the_server.map(mode), [0o644; 5], "and changes nothing");

    let created = opbeat(folder.path(), &["app", "create", "acme/shop"]);
    assert!(created.status.success(), "{}", text(&created.stderr));
    assert_eq!(of_others.map(mode), [0o644; 5]);
    assert_eq!((of_the_server.map(mode), mode("opbeat.sqlite")), ([0o600; 5], 0o600));
}
