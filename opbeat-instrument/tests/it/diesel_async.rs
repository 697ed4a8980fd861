//! diesel-async's queries, on PostgreSQL.

use std::time::Duration;

use diesel::QueryDsl;
use diesel::sql_types::Integer;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use insta::assert_snapshot;
use opbeat_core::in_span;
use tokio_postgres::NoTls;

use crate::{job, waiting};

diesel::table! {
    pg_class (relname) {
        relname -> Text,
    }
}

async fn connect() -> AsyncPgConnection {
    opbeat_instrument::diesel::install();
    AsyncPgConnection::establish(&test_backends::postgres::url()).await.expect("the server accepts connections")
}

/// A query that fails if `by` is 0. All of its values have the same text.
async fn divide(connection: &AsyncPgConnection, by: i32) -> bool {
    let query = diesel::sql_query("SELECT 1/$1").bind::<Integer, _>(by);
    query.execute(&mut &*connection).await.is_ok()
}

#[tokio::test]
async fn queries_and_connections_are_spans_without_values() {
    let spans = job::drive(async {
        let mut connection = connect().await;
        let named = diesel::ExpressionMethods::eq(pg_class::relname, "secret");
        let count = pg_class::table.filter(named).count().get_result::<i64>(&mut connection).await;
        assert_eq!(count, Ok(0));
        connection.batch_execute("UPDATE pg_class SET relname = 'secret' WHERE 1 = 2").await.unwrap();
        assert!(!divide(&connection, 0).await);
        let lost = "postgres://secret:secret@127.0.0.1:1/secret";
        assert!(AsyncPgConnection::establish(lost).await.is_err(), "nothing listens there");
    })
    .await;
    assert_snapshot!(spans, @r#"
    db.postgresql.connect connect
    db.postgresql.query SELECT FROM pg_class · sql=SELECT COUNT(*) FROM "pg_class" WHERE ("pg_class"."relname" = ?)
    db.postgresql.query UPDATE pg_class · sql=UPDATE pg_class SET relname = ? WHERE ? = ?
    db.postgresql.query SELECT · sql=SELECT ?/?, error=Unknown
    db.postgresql.connect connect · error=BadConnection
    "#);
}

#[tokio::test]
async fn pipelined_queries_end_their_own_spans() {
    let connection = connect().await;
    let spans = job::drive(async {
        let (left, right, other) = tokio::join!(
            in_span("left", "app", divide(&connection, 0)),
            in_span("right", "app", divide(&connection, 1)),
            in_span("other", "app", async { diesel::sql_query("SELECT 2").execute(&mut &connection).await }),
        );
        assert_eq!((left, right, other), (false, true, Ok(1)));
    })
    .await;
    assert_snapshot!(spans, @"
    app left
      db.postgresql.query SELECT · sql=SELECT ?/?, error=Unknown
    app right
      db.postgresql.query SELECT · sql=SELECT ?/?
    app other
      db.postgresql.query SELECT · sql=SELECT ?
    ");
}

#[tokio::test]
async fn a_cancelled_query_does_not_take_the_end_of_a_later_one() {
    let connection = connect().await;
    let spans = job::drive(async {
        waiting::give_up_after(Duration::ZERO, divide(&connection, 0)).await;
        assert!(divide(&connection, 1).await);
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.query SELECT (unfinished) · sql=SELECT ?/?
    db.postgresql.query SELECT · sql=SELECT ?/?
    ");
}

#[tokio::test]
async fn the_spans_of_cancelled_queries_are_limited() {
    const LIMIT: usize = 256;
    let connection = connect().await;
    let spans = job::drive(async {
        for _ in 0..LIMIT + 50 {
            waiting::give_up_after(Duration::ZERO, divide(&connection, 1)).await;
        }
    })
    .await;
    let unfinished = spans.lines().filter(|span| span.contains("(unfinished)")).count();
    assert_eq!(unfinished, LIMIT, "the oldest ones have ended");
}

#[tokio::test]
async fn a_connection_from_a_client_is_recognised() {
    opbeat_instrument::diesel::install();
    let (client, connection) = tokio_postgres::connect(&test_backends::postgres::url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let mut connection = AsyncPgConnection::try_from(client).await.unwrap();
    let spans = job::drive(async {
        let transaction = connection.transaction(async |connection| {
            assert!(divide(connection, 1).await);
            Ok::<_, diesel::result::Error>(())
        });
        transaction.await.unwrap();
    })
    .await;
    assert_snapshot!(spans, @"
    db.postgresql.transaction BEGIN · sql=BEGIN
    db.postgresql.query SELECT · sql=SELECT ?/?
    db.postgresql.transaction COMMIT · sql=COMMIT
    ");
}
