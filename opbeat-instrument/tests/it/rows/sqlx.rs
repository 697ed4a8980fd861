//! sqlx on PostgreSQL and MariaDB, whose event at the end of a statement becomes a span.

use insta::assert_snapshot;
use log::LevelFilter;
use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;

use super::{secret, spans_of_sqlx};
use test_backends::{mariadb, postgres};

#[tokio::test]
async fn postgresql() {
    let pool = PgPoolOptions::new().max_connections(1).connect(&postgres::url()).await.expect("the server runs");
    let spans = spans_of_sqlx("postgresql", async {
        let table = "CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title TEXT NOT NULL)";
        sqlx::query(table).execute(&pool).await.expect("a valid statement");

        let mut transaction = pool.begin().await.expect("a connection");
        let insert = format!("INSERT INTO books (id, title) VALUES ($1, $2), (2, '{}')", secret());
        let insert = sqlx::query(AssertSqlSafe(insert)).bind(1).bind(secret());
        insert.execute(&mut *transaction).await.expect("a valid statement");
        transaction.commit().await.expect("a commit");

        let select = sqlx::query("SELECT id, title FROM books WHERE title LIKE $1 ORDER BY id").bind(secret());
        assert_eq!(select.fetch_all(&pool).await.expect("a valid statement").len(), 2);
        // Few words: the event has no separate text of the statement.
        sqlx::query("TRUNCATE books").execute(&pool).await.expect("a valid statement");
        let missing = format!("SELECT title FROM missing WHERE title = '{}'", secret());
        sqlx::query(AssertSqlSafe(missing)).execute(&pool).await.expect_err("no table");
    });
    assert_snapshot!(spans.await, @r"
    db.postgresql.query CREATE TABLE books · sql=CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title TEXT NOT NULL), rows=0
    db.postgresql.query INSERT INTO books · sql=INSERT INTO books (id, title) VALUES (?), rows=2
    db.postgresql.transaction COMMIT · sql=COMMIT, rows=0
    db.postgresql.query SELECT FROM books · sql=SELECT id, title FROM books WHERE title LIKE ? ORDER BY id, rows=2
    db.postgresql.query TRUNCATE books · sql=TRUNCATE books, rows=0
    db.postgresql.query SELECT FROM missing · sql=SELECT title FROM missing WHERE title = ?, rows=0
    ");
}

#[tokio::test]
async fn mariadb() {
    let pool = MySqlPoolOptions::new().max_connections(1).connect(&mariadb::url()).await.expect("the server runs");
    let spans = spans_of_sqlx("mysql", async {
        let table = "CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title TEXT NOT NULL)";
        sqlx::query(table).execute(&pool).await.expect("a valid statement");

        let mut transaction = pool.begin().await.expect("a connection");
        let insert = format!("INSERT INTO books (id, title) VALUES (?, ?), (2, \"{}\")", secret());
        let insert = sqlx::query(AssertSqlSafe(insert)).bind(1).bind(secret());
        insert.execute(&mut *transaction).await.expect("a valid statement");
        transaction.commit().await.expect("a commit");

        let select = sqlx::query("SELECT `id`, `title` FROM `books` WHERE `title` LIKE ? ORDER BY `id`");
        assert_eq!(select.bind(secret()).fetch_all(&pool).await.expect("a valid statement").len(), 2);
        let missing = format!("SELECT title FROM missing WHERE title = '{}'", secret());
        sqlx::query(AssertSqlSafe(missing)).execute(&pool).await.expect_err("no table");
    });
    assert_snapshot!(spans.await, @r"
    db.mysql.query CREATE TABLE books · sql=CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title TEXT NOT NULL), rows=0
    db.mysql.transaction BEGIN · sql=BEGIN, rows=0
    db.mysql.query INSERT INTO books · sql=INSERT INTO books (id, title) VALUES (?), rows=2
    db.mysql.transaction COMMIT · sql=COMMIT, rows=0
    db.mysql.query SELECT FROM books · sql=SELECT `id`, `title` FROM `books` WHERE `title` LIKE ? ORDER BY `id`, rows=2
    db.mysql.query SELECT FROM missing · sql=SELECT title FROM missing WHERE title = ?, rows=0
    ");
}

#[tokio::test]
async fn waiting_for_a_connection_is_a_span() {
    let options = PgPoolOptions::new().max_connections(1).acquire_time_level(LevelFilter::Debug);
    let pool = options.connect(&postgres::url()).await.expect("the server runs");
    let mut only = pool.acquire().await.expect("a connection");
    // It works outside of the transaction, for much longer than the shortest wait that is shown.
    let working = tokio::spawn(async move {
        sqlx::query("SELECT count(*) FROM generate_series(1, 1000000)")
            .execute(&mut *only)
            .await
            .expect("a valid statement");
    });
    let spans = spans_of_sqlx("postgresql", async {
        pool.acquire().await.expect("a connection");
    });
    assert_snapshot!(spans.await, @"db.pool.wait wait for a connection");
    working.await.expect("the statement is valid");
}
