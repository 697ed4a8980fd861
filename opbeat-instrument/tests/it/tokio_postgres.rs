//! tokio-postgres' queries, on PostgreSQL.

use insta::assert_snapshot;
use opbeat_instrument::tokio_postgres::{Client, timed};
use tokio_postgres::NoTls;
use tokio_postgres::types::{ToSql, Type};

use crate::job;

const CREATE: &str = "
    CREATE TEMPORARY TABLE books (id serial PRIMARY KEY, title text UNIQUE);
    CREATE TEMPORARY TABLE authors (id serial PRIMARY KEY, name text UNIQUE);
    CREATE TEMPORARY TABLE readers (id serial PRIMARY KEY, name text UNIQUE);
";

async fn raw_client() -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(&test_backends::postgres::url(), NoTls).await.expect("the server runs");
    tokio::spawn(connection);
    client.batch_execute(CREATE).await.expect("temporary tables can be made");
    client
}

#[tokio::test]
async fn each_query_is_a_span_without_parameters() {
    let client = Client::new(raw_client().await);
    client.batch_execute("INSERT INTO books (title) VALUES ('old')").await.expect("it works outside of transactions");
    let spans = job::drive(async {
        client.execute("INSERT INTO books (title) VALUES ($1), ($2)", &[&"secret", &"Dune"]).await.unwrap();
        let rows = client.query("SELECT title FROM books", &[]).await.unwrap();
        assert_eq!(rows.len(), 3);
        let row = client.query_one(&"SELECT count(*) FROM authors".to_owned(), &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0);
        let none = client.query_opt("SELECT id FROM readers WHERE name = $1", &[&"secret"]).await.unwrap();
        assert!(none.is_none());
        let title = [(&"secret" as &(dyn ToSql + Sync), Type::TEXT)];
        let changed = client.execute_typed("UPDATE books SET title = 'secret 2' WHERE title = $1", &title).await;
        assert_eq!(changed.unwrap(), 1);
        let messages = client.simple_query("DELETE FROM books WHERE title = 'secret 2'").await.unwrap();
        assert_eq!(messages.len(), 1);
        let sum: i64 = client.query_one_scalar("SELECT 1 + $1::int8", &[&1_i64]).await.unwrap();
        assert_eq!(sum, 2);
        client.batch_execute("TRUNCATE books").await.unwrap();
        assert!(!client.is_closed(), "functions without a span are those of the client");
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?), rows=2
    db.postgresql.query SELECT FROM books · sql=SELECT title FROM books, rows=3
    db.postgresql.query SELECT FROM authors · sql=SELECT count(*) FROM authors, rows=1
    db.postgresql.query SELECT FROM readers · sql=SELECT id FROM readers WHERE name = ?, rows=0
    db.postgresql.query UPDATE books · sql=UPDATE books SET title = ? WHERE title = ?, rows=1
    db.postgresql.query DELETE FROM books · sql=DELETE FROM books WHERE title = ?, rows=1
    db.postgresql.query SELECT · sql=SELECT ? + ?::int8
    db.postgresql.query TRUNCATE books · sql=TRUNCATE books
    ");
}

#[tokio::test]
async fn a_prepared_statement_keeps_its_text() {
    let client = Client::new(raw_client().await);
    let spans = job::drive(async {
        let insert = client.prepare("INSERT INTO books (title) VALUES ($1)").await.unwrap();
        client.execute(&insert, &[&"secret"]).await.unwrap();
        assert_eq!(insert.params(), [Type::TEXT]);
        let own = tokio_postgres::Client::prepare(&client, "SELECT title FROM books").await.unwrap();
        assert_eq!(client.query(&own, &[]).await.unwrap().len(), 1);
        client.prepare("SELECT secret FROM missing").await.expect_err("there is no such table");
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.query PREPARE INSERT INTO books · sql=INSERT INTO books (title) VALUES (?)
    db.postgresql.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?), rows=1
    db.postgresql.query prepared statement · rows=1
    db.postgresql.query PREPARE SELECT FROM missing · sql=SELECT secret FROM missing, error=42P01
    ");
}

#[tokio::test]
async fn begin_and_end_of_transactions_are_spans() {
    let mut client = Client::new(raw_client().await);
    let spans = job::drive(async {
        let mut transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO books (title) VALUES ($1)", &[&"secret"]).await.unwrap();
        let nested = transaction.transaction().await.unwrap();
        nested.execute("DELETE FROM books", &[]).await.unwrap();
        nested.rollback().await.unwrap();
        transaction.commit().await.unwrap();
        let page = opbeat_core::in_span("page", "app", async { drop(client.transaction().await.unwrap()) });
        page.await;
        assert_eq!(client.query("SELECT title FROM books", &[]).await.unwrap().len(), 1);
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.transaction BEGIN
    db.postgresql.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?), rows=1
    db.postgresql.transaction SAVEPOINT
    db.postgresql.query DELETE FROM books · sql=DELETE FROM books, rows=1
    db.postgresql.transaction ROLLBACK
    db.postgresql.transaction COMMIT
    app page
      db.postgresql.transaction BEGIN
    db.postgresql.query SELECT FROM books · sql=SELECT title FROM books, rows=1
    ");
}

#[tokio::test]
async fn errors_have_codes() {
    let client = Client::new(raw_client().await);
    let spans = job::drive(async {
        client.batch_execute("SELECT secret FROM missing").await.expect_err("there is no such table");
        client.execute("INSERT INTO books (id) VALUES ($1)", &[&"secret"]).await.expect_err("the id is a number");
        client.query_one("SELECT title FROM books", &[]).await.expect_err("there is no row");
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.query SELECT FROM missing · sql=SELECT secret FROM missing, error=42P01
    db.postgresql.query INSERT INTO books · sql=INSERT INTO books (id) VALUES (?), error=client
    db.postgresql.query SELECT FROM books · sql=SELECT title FROM books, error=client
    ");
}

#[tokio::test]
async fn queries_of_borrowed_clients_are_spans() {
    let mut pooled = Box::new(raw_client().await);
    let spans = job::drive(async {
        let rows = timed(&pooled).query("SELECT title FROM books", &[]).await.unwrap();
        assert!(rows.is_empty());
        let transaction = pooled.transaction().await.unwrap();
        timed(transaction.client()).execute("DELETE FROM books", &[]).await.unwrap();
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.query SELECT FROM books · sql=SELECT title FROM books, rows=0
    db.postgresql.query DELETE FROM books · sql=DELETE FROM books, rows=0
    ");
}

#[tokio::test]
async fn pipelined_queries_have_spans_of_their_own() {
    let client = Client::new(raw_client().await);
    let spans = job::drive(async {
        let (one, two) = tokio::join!(
            opbeat_core::in_span("left", "app", client.query("SELECT 1/$1::int", &[&0])),
            opbeat_core::in_span("right", "app", client.query("SELECT 1/$1::int", &[&1])),
        );
        one.expect_err("it divides by zero");
        assert_eq!(two.unwrap().len(), 1);
    })
    .await;
    assert_snapshot!(spans, @"
    app left
      db.postgresql.query SELECT · sql=SELECT ?/?::int, error=22012
    app right
      db.postgresql.query SELECT · sql=SELECT ?/?::int, rows=1
    ");
}
