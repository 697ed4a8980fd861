//! sea-orm over sqlx, whose events belong to sea-orm's spans.

use insta::assert_snapshot;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};

use super::{secret, spans_of};

#[tokio::test]
async fn sea_orm() {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let database = Database::connect(options).await.expect("SQLite is in the process");
    let spans = spans_of(async {
        let table = "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL)";
        database.execute_unprepared(table).await.expect("a valid statement");

        let transaction = database.begin().await.expect("a connection");
        let insert = "INSERT INTO books (title) VALUES (?)";
        let insert = Statement::from_sql_and_values(DbBackend::Sqlite, insert, [secret().into()]);
        transaction.execute_raw(insert).await.expect("a valid statement");
        transaction.commit().await.expect("a commit");

        let select = format!("SELECT id FROM books WHERE title = '{}'", secret());
        let select = Statement::from_string(DbBackend::Sqlite, select);
        assert_eq!(database.query_all_raw(select).await.expect("a valid statement").len(), 1);
        let missing = Statement::from_string(DbBackend::Sqlite, "SELECT id FROM missing");
        database.query_one_raw(missing).await.expect_err("no table");
    });
    assert_snapshot!(spans.await, @r"
    db.sqlite.query CREATE TABLE books · sql=CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL), rows=0
    db.sqlite.transaction BEGIN
    db.sqlite.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?), rows=1
    db.sqlite.transaction COMMIT
    db.sqlite.query SELECT FROM books · sql=SELECT id FROM books WHERE title = ?, rows=1
    db.sqlite.query SELECT FROM missing · sql=SELECT id FROM missing, error=true
    ");
}
