//! rusqlite's statements, on SQLite in memory.

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::job;

fn library() -> Connection {
    let mut connection = Connection::open_in_memory().expect("SQLite opens a database in memory");
    opbeat_instrument::rusqlite::observe(&mut connection);
    connection.execute_batch("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)").expect("it is empty");
    connection
}

#[test]
fn each_statement_is_a_span_without_values() {
    let spans = job::run(|| {
        let mut connection = library();
        connection.execute("INSERT INTO books (title) VALUES (?1)", ["secret"]).unwrap();
        connection.execute("UPDATE books SET title = 'literal secret' WHERE id = 1", []).unwrap();
        let transaction = connection.transaction().unwrap();
        let titles: Vec<String> = {
            let mut select = transaction.prepare("SELECT title FROM books WHERE id < ?1").unwrap();
            select.query_map([10], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(titles, ["literal secret"]);
        transaction.commit().unwrap();
        assert!(connection.prepare("SELECT 'secret").is_err(), "the quote is not closed");
    });
    assert_snapshot!(spans, @"
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)
    db.sqlite.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?)
    db.sqlite.query UPDATE books · sql=UPDATE books SET title = ? WHERE id = ?
    db.sqlite.transaction BEGIN · sql=BEGIN DEFERRED
    db.sqlite.query SELECT FROM books · sql=SELECT title FROM books WHERE id < ?
    db.sqlite.transaction COMMIT · sql=COMMIT
    ");
}

#[test]
fn a_statement_belongs_to_the_span_around_it() {
    let spans = job::run(|| {
        let connection = library();
        let _page = opbeat_core::span("page", "app");
        let count: u32 = connection.query_row("SELECT count(*) FROM books", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0);
    });
    assert_snapshot!(spans, @"
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)
    app page
      db.sqlite.query SELECT FROM books · sql=SELECT count(*) FROM books
    ");
}
