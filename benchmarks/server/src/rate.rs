//! The rate of ingest into a large database, and into an empty one.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Client;
use crate::load::{Kind, deflate, timestamp};
use crate::server::{App, Server};
use crate::{Options, Result, fill};

const CONNECTIONS: usize = 16;

/// The number of names in a body, and of durations of each.
const NAMES: usize = 200;
const DURATIONS: usize = 20;

/// Posts durations of all names of several apps, to an empty database and to the large one.
pub(crate) fn compare(options: &Options, data: &Path) -> Result<()> {
    println!(
        "| database | durations | accepted/s | stored/s | names of minutes/s | CPU-ms per 1,000 durations | RSS MB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for round in 1..=2 {
        let folder = tempfile::tempdir()?;
        let apps = fill::create_apps(options, folder.path())?;
        run(options, &format!("empty, {round}"), folder.path(), &apps)?;
        // A further token of the same apps.
        let apps: Vec<App> = fill::create_apps(options, data)?;
        run(options, &format!("large, {round}"), data, &apps)?;
    }
    Ok(())
}

fn run(options: &Options, label: &str, folder: &Path, apps: &[App]) -> Result<()> {
    let server = Server::start(options, folder)?;
    let body = body();
    let (cpu, started) = (server.processor_ms()?, Instant::now());
    let end = started + Duration::from_secs(options.seconds);
    let posted = AtomicU64::new(0);
    thread::scope(|scope| -> Result<()> {
        let post = || -> Result<()> {
            let mut client = Client::connect(&server.address)?;
            while Instant::now() < end {
                let number = posted.fetch_add(1, Ordering::Relaxed) as usize;
                let app = &apps[number % apps.len()];
                client.post(&Kind::Durations.path(&app.path), &app.token, Kind::Durations.content_type(), &body)?;
            }
            Ok(())
        };
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(post)).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })?;
    let accepting = started.elapsed().as_secs_f64();
    server.drained()?;
    let (all, cpu) = (started.elapsed().as_secs_f64(), server.processor_ms()? - cpu);
    let bodies = posted.load(Ordering::Relaxed) as f64;
    let durations = bodies * (NAMES * DURATIONS) as f64;
    println!(
        "| {label} | {durations} | {:.0} | {:.0} | {:.0} | {:.2} | {:.0} |",
        durations / accepting,
        durations / all,
        bodies * NAMES as f64 / all,
        cpu / durations * 1e3,
        server.resident_mb()?
    );
    Ok(())
}

fn body() -> Vec<u8> {
    let transaction = |name: usize| {
        let durations: Vec<f64> =
            (0..DURATIONS).map(|index| ((index * 7_919 + name * 104_729) % 50_000) as f64 / 100.0).collect();
        json!({"transaction": format!("GET /shop/{name}"), "result": 200, "kind": "web.axum", "timestamp": timestamp(),
               "durations": durations})
    };
    let transactions: Vec<Value> = (0..NAMES).map(transaction).collect();
    deflate(&json!({"transactions": transactions, "traces": {"groups": [], "raw": []}}))
}
