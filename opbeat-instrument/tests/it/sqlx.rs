//! sqlx with SQLite in a file: its events happen on the worker thread of each connection.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use insta::assert_snapshot;
use opbeat_core::{Agent, Config, in_span};
use opbeat_testing::MemoryExporter;
use opbeat_tower::{OpbeatLayer, RequestHead, route};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::sync::Barrier;
use tower::{ServiceBuilder, ServiceExt};

use crate::{subscriber, tree};

struct Shop {
    agent: Agent,
    exporter: MemoryExporter,
    pool: SqlitePool,
    _dir: TempDir,
}

impl Shop {
    async fn new(options: SqlitePoolOptions) -> Self {
        subscriber::install();
        let exporter = MemoryExporter::default();
        let agent = Agent::with_exporter(&Config::default(), exporter.clone());
        let dir = tempfile::tempdir().expect("a directory");
        let file = SqliteConnectOptions::new().filename(dir.path().join("shop.db")).create_if_missing(true);
        let pool = options.connect_with(file).await.expect("the database opens");
        sqlx::raw_sql("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO books VALUES (1, 'Emma')")
            .execute(&pool)
            .await
            .expect("the table is made");
        Self { agent, exporter, pool, _dir: dir }
    }

    fn tree(&self, name: &str) -> String {
        tree::flush(&self.agent);
        tree::of(&self.exporter, name)
    }
}

async fn titles(pool: &SqlitePool) -> Vec<String> {
    let titles = sqlx::query_scalar("SELECT title FROM books WHERE id < $1 AND title <> 'secret'");
    titles.bind(10).fetch_all(pool).await.expect("the query is valid")
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_a_request_are_its_spans() {
    let shop = Shop::new(SqlitePoolOptions::new().max_connections(1)).await;
    let pool = shop.pool.clone();
    let handle = move |_: Request<String>| {
        let pool = pool.clone();
        async move {
            sqlx::query("INSERT INTO books (title) VALUES ('Persuasion'), (?)")
                .bind("secret")
                .execute(&pool)
                .await
                .expect("the statement is valid");
            let titles = titles(&pool).await;
            Ok::<_, Infallible>(Response::new(titles.join(", ")))
        }
    };
    let layer = OpbeatLayer::new(&shop.agent)
        .route_name(|head: &RequestHead<'_>| Some(route(head.method.as_str(), head.uri.path())));
    let service = ServiceBuilder::new().layer(layer).service_fn(handle);
    let response = service.oneshot(Request::get("/books").body(String::new()).expect("a request")).await;
    drop(response);
    assert_snapshot!(shop.tree("GET /books"), @r"
    db.sqlite.query INSERT INTO books · sql=INSERT INTO books (title) VALUES (?), rows=2
    db.sqlite.query SELECT FROM books · sql=SELECT title FROM books WHERE id < ? AND title <> ?, rows=2
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_children_of_the_current_span() {
    let shop = Shop::new(SqlitePoolOptions::new().max_connections(1)).await;
    let job = async {
        in_span("catalogue", "app.catalogue", titles(&shop.pool)).await;
        let span = opbeat_core::span("again", "app.catalogue");
        titles(&shop.pool).await;
        drop(span);
        in_span("hidden", "app.catalogue", titles(&shop.pool)).leaf().await;
        let mut transaction = shop.pool.begin().await.expect("it begins");
        sqlx::query("DELETE FROM books WHERE id = 7").execute(&mut *transaction).await.expect("it is valid");
        transaction.commit().await.expect("it commits");
        // sqlx reports a failed statement only after its error, but before the next statement of the connection.
        sqlx::query("SELECT no_column FROM books").execute(&shop.pool).await.expect_err("it is invalid");
        sqlx::query("SELECT 1").execute(&shop.pool).await.expect("it is valid");
    };
    let transaction = shop.agent.begin_transaction("task.catalogue");
    transaction.wrap(job).await;
    transaction.end("shop.catalogue", "ok");
    assert_snapshot!(shop.tree("shop.catalogue"), @r"
    app.catalogue catalogue
      db.sqlite.query SELECT FROM books · sql=SELECT title FROM books WHERE id < ? AND title <> ?, rows=1
    app.catalogue again
      db.sqlite.query SELECT FROM books · sql=SELECT title FROM books WHERE id < ? AND title <> ?, rows=1
    app.catalogue hidden
    db.sqlite.query DELETE FROM books · sql=DELETE FROM books WHERE id = ?, rows=0
    db.sqlite.query SELECT FROM books · sql=SELECT no_column FROM books, rows=0
    db.sqlite.query SELECT · sql=SELECT ?, rows=1
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_transactions_do_not_mix() {
    const TASKS: usize = 12;
    let shop = Shop::new(SqlitePoolOptions::new().max_connections(4)).await;
    let barrier = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (agent, pool, barrier) = (shop.agent.clone(), shop.pool.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                let transaction = agent.begin_transaction("task.counting");
                let sql = format!("SELECT title AS title_{number} FROM books");
                let job = async {
                    barrier.wait().await;
                    for _ in 0..5 {
                        sqlx::query(sqlx::AssertSqlSafe(sql.clone())).fetch_all(&pool).await.expect("it is valid");
                    }
                };
                transaction.wrap(job).await;
                transaction.end(format!("counting {number}"), "ok");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    for number in 0..TASKS {
        let tree = shop.tree(&format!("counting {number}"));
        let own = format!("sql=SELECT title AS title_{number} FROM books");
        // Repeated queries are one span with their number.
        let (own, all) = (tree.matches(&own).count(), tree.matches("FROM books,").count());
        assert!((own, all) == (1, 1) && tree.contains("SELECT FROM books ×5"), "{number}:\n{tree}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_connection_are_shown() {
    let options = SqlitePoolOptions::new().max_connections(1).acquire_time_level(log::LevelFilter::Debug);
    let shop = Shop::new(options).await;
    let mut only = shop.pool.acquire().await.expect("a connection");
    // A connection that is free is not waited for, and this one is busy for much longer than a millisecond.
    let busy = tokio::spawn(async move {
        let count =
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) SELECT max(x) FROM n";
        sqlx::query(count).execute(&mut *only).await.expect("it is valid");
    });
    let transaction = shop.agent.begin_transaction("task.catalogue");
    transaction.wrap(titles(&shop.pool)).await;
    transaction.end("shop.waiting", "ok");
    busy.await.expect("it does not panic");
    assert_snapshot!(shop.tree("shop.waiting"), @r"
    db.pool.wait wait for a connection
    db.sqlite.query SELECT FROM books · sql=SELECT title FROM books WHERE id < ? AND title <> ?, rows=1
    ");
}
