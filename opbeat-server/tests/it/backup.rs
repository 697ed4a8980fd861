//! The commands `opbeat backup` and `opbeat restore`: what they write, and what they refuse.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use rusqlite::Connection;
use test_backends::Opbeat;

use crate::command::opbeat;

const BINARY: &str = env!("CARGO_BIN_EXE_opbeat");

/// Runs a command that succeeds, and returns what it prints.
fn run(data: &Path, arguments: &[&str]) -> String {
    let output = opbeat(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that fails, and returns what it prints.
fn error(data: &Path, arguments: &[&str]) -> String {
    let output = opbeat(data, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn apps(database: &Path) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare("SELECT short_name FROM apps ORDER BY short_name").unwrap();
    statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_backup_is_one_private_file_and_takes_the_place_of_none() {
    let (data, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = to.path().join("saved.sqlite");
    let arguments = ["backup", "--to", file.to_str().unwrap()];
    assert!(error(data.path(), &arguments).contains("there is no database in the data folder"));
    run(data.path(), &["app", "create", "acme/shop"]);
    let printed = run(data.path(), &arguments);
    assert!(printed.starts_with("Saved ") && printed.contains(" to "), "{printed}");
    assert_eq!(names(to.path()), ["saved.sqlite"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Without the mode of the database, in which it would have a log beside it.
    assert_eq!(fs::read(&file).unwrap()[18..20], [1, 1]);
    assert_eq!(apps(&file), ["shop"]);
    assert!(error(data.path(), &arguments).contains("saved.sqlite exists already"));

    run(data.path(), &["backup", "--to", to.path().to_str().unwrap()]);
    let names = names(to.path());
    assert!(names.len() == 2 && names[0].starts_with("opbeat-2") && names[0].ends_with(".sqlite"), "{names:?}");
}

#[test]
fn a_backup_of_postgresql_is_left_to_its_own_command() {
    let data = tempfile::tempdir().unwrap();
    let output = opbeat(data.path(), &["backup", "--store", "postgres://opbeat:secret@db/opbeat"]);
    assert_eq!(output.status.code(), Some(2));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("pg_dump --format=custom --file=opbeat-"), "{printed}");
    assert!(printed.contains("'postgres://opbeat@db/opbeat'") && !printed.contains("secret"), "{printed}");
}

#[test]
fn files_that_are_no_whole_backup_are_not_restored() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(data.path(), &["app", "create", "acme/shop"]);
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let good = path("good.sqlite");
    run(data.path(), &["backup", "--to", &good]);
    let database = data.path().join("opbeat.sqlite");
    let refused = |file: &str| error(data.path(), &["restore", file, "--replace"]);

    assert!(refused(&path("missing")).contains("cannot read the backup"));
    fs::write(path("text"), "a text that is no database").unwrap();
    assert!(refused(&path("text")).contains("it is not a database of SQLite"));

    fs::copy(&good, path("damaged.sqlite")).unwrap();
    let damaged = fs::File::options().write(true).open(path("damaged.sqlite")).unwrap();
    let pages = damaged.metadata().unwrap().len() / 4_096;
    for page in 2..pages {
        damaged.write_all_at(&[0x55; 4_096], page * 4_096).unwrap();
    }
    let message = refused(&path("damaged.sqlite"));
    assert!(message.contains("damaged") || message.contains("malformed"), "{message}");

    let other = Connection::open(path("other.sqlite")).unwrap();
    other.execute_batch("CREATE TABLE books (title TEXT)").unwrap();
    drop(other);
    assert!(refused(&path("other.sqlite")).contains("but not one of opbeat"));

    fs::copy(&good, path("newer.sqlite")).unwrap();
    let newer = Connection::open(path("newer.sqlite")).unwrap();
    newer.execute_batch("INSERT INTO migrations VALUES (1000000, 'of the future')").unwrap();
    drop(newer);
    assert!(refused(&path("newer.sqlite")).contains("a newer version of opbeat wrote the database"));

    assert!(error(data.path(), &["restore", &good]).contains("there is a database already"));
    let left = names(data.path()).into_iter().filter(|name| name.contains("partial") || name.contains("before"));
    assert_eq!(left.count(), 0, "{:?}", names(data.path()));
    assert_eq!(apps(&database), ["shop"]);

    let _server = Opbeat::start(BINARY, "serve", data.path(), &[]);
    assert!(refused(&good).contains("another opbeat server uses the data folder"));
}

#[test]
fn a_replaced_database_is_kept_with_its_last_changes() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("saved.sqlite");
    let file = file.to_str().unwrap();
    let mut server = Opbeat::start(BINARY, "serve", data.path(), &[]);
    run(data.path(), &["app", "create", "acme/shop"]);
    run(data.path(), &["backup", "--to", file]);
    run(data.path(), &["app", "create", "acme/later"]);
    server.kill();
    let database = data.path().join("opbeat.sqlite");
    assert!(data.path().join("opbeat.sqlite-wal").exists(), "the last changes are in the log only");

    let printed = run(data.path(), &["restore", file, "--replace"]);
    let kept = printed.lines().next().unwrap().strip_prefix("The database before is kept as ").unwrap();
    assert!(kept.contains("/opbeat.sqlite.before-restore-"), "{kept}");
    let beside = names(data.path()).into_iter().filter(|name| name.contains("sqlite")).count();
    assert_eq!(beside, 2, "{:?}", names(data.path()));
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(apps(Path::new(kept)), ["later", "shop"]);
    assert_eq!(apps(&database), ["shop"]);

    server.start_again();
    assert_eq!(run(data.path(), &["token", "list"]).lines().count(), 1);
    drop(server);
    let other = tempfile::tempdir().unwrap();
    run(&other.path().join("new"), &["restore", file]);
    assert_eq!(apps(&other.path().join("new/opbeat.sqlite")), ["shop"]);
}
