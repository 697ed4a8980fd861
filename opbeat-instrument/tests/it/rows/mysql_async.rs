//! mysql_async, whose prepared statements are spans with an id instead of a text.

use insta::assert_snapshot;
use mysql_async::Pool;
use mysql_async::prelude::Queryable;

use super::{secret, spans_of};
use test_backends::mariadb;

#[tokio::test]
async fn mysql_async() {
    let pool = Pool::new(mariadb::url().as_str());
    let spans = spans_of(async {
        let mut connection = pool.get_conn().await.expect("the server runs");
        let table = "CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title VARCHAR(100) NOT NULL)";
        connection.query_drop(table).await.expect("a valid statement");

        let insert = "INSERT INTO books (id, title) VALUES (?, ?)";
        connection.exec_drop(insert, (1, secret())).await.expect("a valid statement");
        let select = connection.prep("SELECT title FROM books WHERE id = ?").await.expect("a valid statement");
        let titles: Vec<String> = connection.exec(&select, (1,)).await.expect("a valid statement");
        assert_eq!(titles, [secret()]);
        let count = format!("SELECT COUNT(*) FROM books WHERE title = '{}'", secret());
        assert_eq!(connection.query_first(count).await.expect("a valid statement"), Some(1));
    });
    assert_snapshot!(spans.await, @r"
    db.mysql.query SELECT ×2 · sql=SELECT @@max_allowed_packet, @@wait_timeout, @@socket
    db.mysql.query CREATE TABLE books · sql=CREATE TEMPORARY TABLE books (id INT PRIMARY KEY, title VARCHAR(?) NOT NULL)
    db.mysql.prepare INSERT INTO books · sql=INSERT INTO books (id, title) VALUES (?)
    db.mysql.query INSERT INTO books · sql=INSERT INTO books (id, title) VALUES (?)
    db.mysql.prepare SELECT FROM books · sql=SELECT title FROM books WHERE id = ?
    db.mysql.query SELECT FROM books ×2 · sql=SELECT title FROM books WHERE id = ?
    ");
    pool.disconnect().await.expect("no connection is in use");
}

#[tokio::test]
async fn errors_of_mysql_async() {
    let pool = Pool::new(mariadb::url().as_str());
    let mut connection = pool.get_conn().await.expect("the server runs");
    let spans = spans_of(async {
        let table = "CREATE TEMPORARY TABLE names (name VARCHAR(100) PRIMARY KEY)";
        connection.query_drop(table).await.expect("a valid statement");
        // The server's message contains the value of the key.
        let twice = format!("INSERT INTO names (name) VALUES ('{0}'), ('{0}')", secret());
        connection.query_drop(twice).await.expect_err("the key is not unique");
        connection.query_drop("SELECT name FROM missing").await.expect_err("no table");
    });
    assert_snapshot!(spans.await, @r"
    db.mysql.query CREATE TABLE names · sql=CREATE TEMPORARY TABLE names (name VARCHAR(?) PRIMARY KEY)
    db.mysql.query INSERT INTO names · sql=INSERT INTO names (name) VALUES (?)
    db.mysql.query SELECT FROM missing · sql=SELECT name FROM missing
    ");
    drop(connection);
    pool.disconnect().await.expect("no connection is in use");
}
