//! One variant in its own process.

use std::alloc::System;
use std::future::Future;
use std::hint::black_box;

use load::processor;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};
use tracing::debug_span;

use crate::variants::{QUERIES, Recording, TARGET, recording};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The number of transactions whose allocations are counted. It is large, so that the buffers of background threads,
/// which are allocated once, do not count.
const COUNTED: u64 = 500;

/// An application with a database, and its monitoring.
pub struct Measured {
    runtime: Runtime,
    database: SqlitePool,
    recording: Box<dyn Recording>,
}

impl Measured {
    pub fn new(name: &str) -> Self {
        let recording = recording(name);
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let database = runtime.block_on(database()).expect("a database in memory");
        Self { runtime, database, recording }
    }

    /// Returns the processor time of all threads for one transaction, as the mean of `count`, in nanoseconds.
    pub fn run(&mut self, work: &str, count: u64) -> String {
        let before = processor::process();
        self.transactions(work, count);
        ((processor::process() - before).as_nanos() as u64 / count).to_string()
    }

    /// Returns the allocations of all threads for one transaction.
    pub fn count(&mut self, work: &str) -> String {
        self.transactions(work, COUNTED);
        let region = Region::new(ALLOCATOR);
        self.transactions(work, COUNTED);
        let change = region.change();
        ((change.allocations + change.reallocations) as u64 / COUNTED).to_string()
    }

    fn transactions(&mut self, work: &str, count: u64) {
        for _ in 0..count {
            let (database, recording) = (&self.database, &self.recording);
            match work {
                "queries" => recording.transaction(&self.runtime, Box::pin(queries(database))),
                "spans" => recording.transaction(&self.runtime, Box::pin(spans())),
                _ => panic!("unknown work {work:?}"),
            }
        }
        self.recording.deliver();
    }
}

async fn database() -> sqlx::Result<SqlitePool> {
    let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = options.connect_with(SqliteConnectOptions::new().in_memory(true)).await?;
    sqlx::query("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)").execute(&pool).await?;
    for id in 0..QUERIES {
        let insert = sqlx::query("INSERT INTO books VALUES (?, 'Emma')").bind(id as i64);
        insert.execute(&pool).await?;
    }
    Ok(pool)
}

async fn queries(database: &SqlitePool) {
    for id in 0..QUERIES {
        let query = sqlx::query_scalar::<_, String>("SELECT title FROM books WHERE id = ?").bind(id as i64);
        black_box(query.fetch_one(database).await.expect("the book"));
    }
}

fn spans() -> impl Future<Output = ()> {
    async {
        for _ in 0..QUERIES {
            let span = debug_span!(target: TARGET, "query", statement = "SELECT FROM books");
            let _entered = span.enter();
            black_box(());
        }
    }
}
