//! diesel's queries, connections and transactions, on SQLite in memory.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::result::Error;
use insta::assert_snapshot;
use opbeat_instrument::diesel::Hook;

use crate::job;

diesel::table! {
    books (id) {
        id -> Integer,
        title -> Text,
    }
}

const CREATE: &str = "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)";

fn library() -> SqliteConnection {
    let mut connection = SqliteConnection::establish(":memory:").expect("SQLite opens a database in memory");
    diesel::sql_query(CREATE).execute(&mut connection).expect("it is empty");
    connection
}

#[test]
fn queries_of_all_new_connections_are_spans_without_values() {
    opbeat_instrument::diesel::install();
    let spans = job::run(|| {
        let mut connection = library();
        let secret = books::title.eq("secret");
        assert_eq!(diesel::insert_into(books::table).values(secret).execute(&mut connection), Ok(1));
        let titles = books::table.filter(secret).select(books::title).load::<String>(&mut connection);
        assert_eq!(titles, Ok(vec!["secret".to_owned()]));
        diesel::sql_query("UPDATE books SET title = 'literal secret'").execute(&mut connection).unwrap();
    });
    assert_snapshot!(spans, @"
    db.sqlite.connect connect
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)
    db.sqlite.query INSERT INTO books · sql=INSERT INTO `books` (`title`) VALUES (?)
    db.sqlite.query SELECT FROM books · sql=SELECT `books`.`title` FROM `books` WHERE (`books`.`title` = ?)
    db.sqlite.query UPDATE books · sql=UPDATE books SET title = ?
    ");
}

#[test]
fn errors_are_named() {
    opbeat_instrument::diesel::install();
    let spans = job::run(|| {
        let mut connection = library();
        diesel::replace_into(books::table).values(books::title.eq("secret")).execute(&mut connection).unwrap();
        let insert = diesel::insert_into(books::table).values(books::title.eq("secret"));
        insert.execute(&mut connection).expect_err("the title is unique");
        diesel::sql_query("SELECT secret FROM missing").execute(&mut connection).expect_err("there is no such table");
        assert!(SqliteConnection::establish("/missing/directory/secret").is_err(), "there is no such directory");
    });
    assert_snapshot!(spans, @"
    db.sqlite.connect connect
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)
    db.sqlite.query REPLACE INTO books · sql=REPLACE INTO `books` (`title`) VALUES (?)
    db.sqlite.query INSERT INTO books · sql=INSERT INTO `books` (`title`) VALUES (?), error=UniqueViolation
    db.sqlite.query SELECT FROM missing · sql=SELECT secret FROM missing, error=Unknown
    db.sqlite.connect connect · error=BadConnection
    ");
}

#[test]
fn begin_and_end_of_transactions_are_spans() {
    opbeat_instrument::diesel::install();
    let spans = job::run(|| {
        let mut connection = library();
        connection
            .transaction(|connection| {
                diesel::delete(books::table).execute(connection)?;
                connection.transaction(|_| Err::<(), _>(Error::RollbackTransaction)).unwrap_err();
                Ok::<_, Error>(())
            })
            .unwrap();
        let _page = opbeat_core::span("page", "app");
        connection.transaction(|_| Err::<(), _>(Error::RollbackTransaction)).unwrap_err();
    });
    assert_snapshot!(spans, @"
    db.sqlite.connect connect
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE)
    db.sqlite.transaction BEGIN · sql=BEGIN
    db.sqlite.query DELETE FROM books · sql=DELETE FROM `books`
    db.sqlite.transaction SAVEPOINT · sql=SAVEPOINT diesel_savepoint_1
    db.sqlite.transaction ROLLBACK · sql=ROLLBACK TO SAVEPOINT diesel_savepoint_1
    db.sqlite.transaction COMMIT · sql=COMMIT
    app page
      db.sqlite.transaction BEGIN · sql=BEGIN
      db.sqlite.transaction ROLLBACK · sql=ROLLBACK
    ");
}

#[test]
fn connections_of_a_pool_are_recorded() {
    opbeat_instrument::diesel::install();
    let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
    let pool = Pool::builder().max_size(1).test_on_check_out(false).build(manager).unwrap();
    diesel::sql_query(CREATE).execute(&mut pool.get().unwrap()).expect("queries work outside of transactions");
    let spans = job::run(|| {
        let mut connection = pool.get().unwrap();
        let _page = opbeat_core::span("page", "app");
        assert_eq!(books::table.count().get_result(&mut connection), Ok(0_i64));
    });
    assert_snapshot!(spans, @"
    app page
      db.sqlite.query SELECT FROM books · sql=SELECT COUNT(*) FROM `books`
    ");
}

#[test]
fn an_own_instrumentation_can_pass_events_on() {
    let spans = job::run(|| {
        let mut connection = library();
        let mut hook = Hook::sqlite();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| hook.on_connection_event(event));
        diesel::delete(books::table).execute(&mut connection).unwrap();
    });
    assert!(spans.ends_with("db.sqlite.query DELETE FROM books · sql=DELETE FROM `books`\n"), "{spans}");
}

#[test]
fn large_values_are_not_formatted() {
    opbeat_instrument::diesel::install();
    let title = "secret".repeat(1024 * 1024);
    let spans = job::run(|| {
        let mut connection = library();
        let rows: Vec<_> = (0..200).map(|id| (books::id.eq(id), books::title.eq(format!("{id}{title}")))).collect();
        let many = diesel::insert_into(books::table).values(&rows[..1]);
        assert_eq!(many.execute(&mut connection), Ok(1));
        let ids = books::id.eq_any((0..10_000).collect::<Vec<i32>>());
        assert_eq!(books::table.filter(ids).count().get_result(&mut connection), Ok(1_i64));
    });
    assert!(!spans.contains("secret") && spans.len() < 5_000, "{spans}");
    assert!(!spans.contains("unfinished"), "{spans}");
}
