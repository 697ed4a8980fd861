//! The share of a server's throughput that remains, measured over loopback.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use load::bound::{Bound, verdict};
use load::lane::{Lane, drive};
use load::process::{Process, respond};
use load::quantiles::{median, quantile};
use load::{processor, sink};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::child::Deliveries;
use crate::variants::axum_application;

const VARIANTS: [&str; 5] = ["bare", "floor", "opbeat", "otel-tower", "sentry-tower"];
const PATH: &str = "/users/42";
const CONNECTIONS: usize = 32;
const SLICE: Duration = Duration::from_millis(100);
const PASSES: usize = 31;

/// The minimum share of the bare server's throughput that must remain.
const LEFT: f64 = 0.90;

/// Runs a server until its input ends, and responds to two commands:
///
/// - `port`: responds with the port that it listens on.
/// - `deliver N`: delivers the records of the last N requests; responds with the processor time of the whole
///   process until then, in nanoseconds, and the number of dropped items.
pub fn serve(name: &str) -> ExitCode {
    let (router, recording) = axum_application(name);
    let mut deliveries = Deliveries::new(recording);
    let port = sink::closed_port();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).expect("the port is free");
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
    respond(|words| match words {
        ["port"] => port.to_string(),
        ["deliver", count] => {
            let lost = deliveries.lost(PATH, count.parse().expect("a number"));
            format!("{} {lost}", processor::process().as_nanos())
        }
        _ => panic!("unknown command {words:?}"),
    })
}

struct Server {
    process: Process,
    lanes: [Lane; 1],
    /// The processor time spent so far.
    spent: i64,
}

#[derive(Clone, Copy)]
struct Slice {
    /// The number of requests per second.
    throughput: f64,
    /// Processor time of a request, in nanoseconds.
    processor: i64,
    lost: i64,
}

impl Server {
    fn start(name: &str) -> Self {
        let mut process = Process::start(name, &["serve", name]);
        let [port] = process.ask("port");
        let lanes = [Lane::closed(port as u16, PATH, CONNECTIONS)];
        let mut server = Self { process, lanes, spent: 0 };
        server.slice();
        server
    }

    fn slice(&mut self) -> Slice {
        let time = drive(&mut self.lanes, SLICE);
        let count = self.lanes[0].take().len();
        let [spent, lost] = self.process.ask(&format!("deliver {count}"));
        let processor = (spent - std::mem::replace(&mut self.spent, spent)) / count as i64;
        Slice { throughput: count as f64 / time.as_secs_f64(), processor, lost }
    }
}

/// A variant's slice with the bare server's slices before and after it.
#[derive(Clone, Copy)]
struct Compared {
    /// The share of the throughput that remains, in millionths.
    left: i64,
    processor: i64,
    lost: i64,
}

/// Measures all variants in turn.
pub fn measure() -> ExitCode {
    let mut servers = VARIANTS.map(Server::start);
    let mut compared = VARIANTS.map(|_| Vec::new());
    let mut bare = Vec::new();
    for pass in 0..PASSES {
        for turn in 1..VARIANTS.len() {
            let variant = 1 + (turn + pass) % (VARIANTS.len() - 1);
            let (before, measured, after) = (servers[0].slice(), servers[variant].slice(), servers[0].slice());
            compared[variant].push(compare(before, measured, after));
            bare.push(before.throughput as i64);
        }
    }
    println!("`GET {PATH}` over loopback, one worker thread, {CONNECTIONS} connections;");
    println!("of the bare server's throughput, which is {} requests a second:\n", median(bare));
    println!("| | throughput | quarter to three quarters | CPU beyond bare | lost |\n|---|---:|---:|---:|---:|");
    (1..VARIANTS.len()).for_each(|variant| print(VARIANTS[variant], &compared[variant]));
    let left = left(&compared[2], 0.5);
    let sentence = format!("opbeat leaves at least {LEFT} of the bare throughput: {left:.3}");
    println!();
    verdict(&[Bound::new(sentence, left >= LEFT)])
}

fn compare(before: Slice, measured: Slice, after: Slice) -> Compared {
    let throughput = (before.throughput + after.throughput) / 2.0;
    Compared {
        left: (measured.throughput / throughput * 1e6) as i64,
        processor: measured.processor - (before.processor + after.processor) / 2,
        lost: measured.lost,
    }
}

fn left(compared: &[Compared], share: f64) -> f64 {
    quantile(&mut compared.iter().map(|slice| slice.left).collect::<Vec<_>>(), share) as f64 / 1e6
}

fn print(name: &str, compared: &[Compared]) {
    let [quarter, half, three_quarters] = [0.25, 0.5, 0.75].map(|share| left(compared, share));
    let processor = median(compared.iter().map(|slice| slice.processor));
    let lost: i64 = compared.iter().map(|slice| slice.lost).sum();
    println!("| {name} | {half:.3} | {quarter:.3}–{three_quarters:.3} | {processor} ns | {lost} |");
}
