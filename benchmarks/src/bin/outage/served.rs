//! The application's process.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use load::process::respond;
use load::quantiles::quantile;
use load::{processor, sink};
use log::LevelFilter;
use opbeat_axum::{Agent, Config};
use opbeat_core::export::{Exporter, IntakeExporter, OtlpExporter};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::application::NONE;
use crate::routes::{EXPECTED, router, take_captures};

/// The flush interval, short enough that each round has some deliveries.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Serves the application on one thread, and responds to commands on another until its input ends:
///
/// - `port`: responds with the port that it listens on.
/// - `flush MS`: flushes with that timeout; responds with the duration in microseconds, and whether it succeeded.
/// - `captures`: responds with the duration of an error capture in nanoseconds, median and 90 % quantile.
/// - `call N`: calls the application N times in process.
/// - `memory`: responds with the resident memory, in kilobytes.
/// - `processor`: responds with the processor time of all threads so far, in microseconds.
pub fn run(server_url: &str, receiver_url: &str) -> ExitCode {
    // Panics other than the measured ones are bugs of this program.
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload_as_str() != Some(EXPECTED) {
            eprintln!("{panic}");
        }
    }));
    // Applications have a logger; this one discards everything.
    log::set_max_level(LevelFilter::Error);
    let agent = agent(server_url, receiver_url);
    let router = router(agent.as_ref());
    let port = serve(router.clone());
    let caller = Caller::new(router);
    respond(|words| match (words, &agent) {
        (["port"], _) => port.to_string(),
        (["flush", timeout], Some(agent)) => flush(agent, timeout.parse().expect("a number")),
        (["captures"], _) => captures(),
        (["call", count], _) => caller.call(count.parse().expect("a number")),
        (["memory"], _) => resident().to_string(),
        (["processor"], _) => processor::process().as_micros().to_string(),
        _ => panic!("unknown command {words:?}"),
    })
}

fn agent(server_url: &str, receiver_url: &str) -> Option<Agent> {
    let config =
        Config::new("benchmark", "benchmark", "benchmark").server_url(server_url).flush_interval(FLUSH_INTERVAL);
    let mut exporters: Vec<Box<dyn Exporter>> = Vec::new();
    if server_url != NONE {
        exporters.push(Box::new(IntakeExporter::new(&config).expect("the configuration can work")));
    }
    if receiver_url != NONE {
        let variable = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(receiver_url.to_owned()),
            // The sink counts points that are JSON and contain the requests since the point before.
            "OTEL_EXPORTER_OTLP_PROTOCOL" => Some("http/json".to_owned()),
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE" => Some("delta".to_owned()),
            _ => None,
        };
        exporters.push(Box::new(OtlpExporter::from_variables(&config, variable).expect("the variables are valid")));
    }
    (!exporters.is_empty()).then(|| Agent::with_exporters(&config, exporters))
}

fn serve(router: Router) -> u16 {
    let port = sink::closed_port();
    let runtime = runtime();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).expect("the port is free");
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
    port
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn flush(agent: &Agent, timeout: u64) -> String {
    let start = Instant::now();
    let flushed = agent.flush(Duration::from_millis(timeout));
    format!("{} {}", start.elapsed().as_micros(), u8::from(flushed.is_ok()))
}

fn captures() -> String {
    let mut captures = take_captures();
    let [median, most] = [0.5, 0.9].map(|share| quantile(&mut captures, share).as_nanos());
    format!("{median} {most}")
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux provides /proc/self/status");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
    resident.and_then(|kilobytes| kilobytes.trim().parse().ok()).expect("Linux provides /proc/self/status")
}

/// Calls the application in process, in the same way as its server.
struct Caller {
    runtime: Runtime,
    router: Router,
}

impl Caller {
    fn new(router: Router) -> Self {
        Self { runtime: runtime(), router: router.with_state(()) }
    }

    fn call(&self, count: u64) -> String {
        self.runtime.block_on(async {
            for _ in 0..count {
                let request = Request::get("/users/42").header("host", "shop.example").body(Body::empty());
                let Ok(response) = self.router.clone().oneshot(request.expect("a request")).await;
                let body = response.into_body().collect().await.expect("a body");
                assert_eq!(body.to_bytes().len(), 2, "the response");
            }
        });
        count.to_string()
    }
}
