//! Measures what reported data costs the server, from the request to the store.
//!
//! ```text
//! clients ─► intake ─► queue ─► worker ─► store        the clock stops when the queue is empty
//! ```
//!
//! The processor time is that of the server's process, from `/proc`. The load generator is this process, on the same
//! machine. `fill`, `pages` and `rate` measure a large database. With `--baseline`, a bare axum handler that reads the same bodies is measured in the same run.

mod baseline;
mod fill;
mod http;
mod load;
mod occurrences;
mod pages;
mod rate;
mod scale;
mod server;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use load::Kind;
use scale::Mode;
use server::{App, Server, create_app, folder_mb};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    if let Some((mode, options, scale)) = scale::parse()? {
        return match mode {
            Mode::Fill => fill::fill(&options, &scale, &scale.data),
            Mode::Pages => pages::measure(&options, &scale.data, scale.requests),
            Mode::Rate => rate::compare(&options, &scale.data),
        };
    }
    let options = Options::parse()?;
    let template: Value =
        serde_json::from_str(include_str!("../../../opbeat-server/tests/fixtures/agents/python-flask/01-errors.json"))?;
    println!(
        "| data | connections | events | accepted/s | p50 ms | p99 ms | stored/s | CPU-ms each | RSS MB | idle MB | data MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for kind in Kind::ALL.into_iter().filter(|kind| options.kind.as_deref().is_none_or(|name| name == kind.name())) {
        for &connections in &options.connections {
            if options.is_baseline {
                baseline::run(&options, &template, kind, connections)?;
            }
            run(&options, &template, kind, connections)?;
        }
    }
    Ok(())
}

/// The options of the command line.
pub(crate) struct Options {
    /// `--opbeat PATH`: the binary.
    opbeat: PathBuf,
    /// `--seconds NUMBER`: the time for which bodies are posted.
    seconds: u64,
    /// `--groups NUMBER`: the number of groups of errors.
    groups: usize,
    /// `--kind errors|spans|durations`: the only data to measure.
    kind: Option<String>,
    /// `--connections NUMBER`, which can be given several times.
    connections: Vec<usize>,
    /// `--baseline`: a bare handler is measured too.
    is_baseline: bool,
}

impl Options {
    fn new() -> Self {
        Self {
            opbeat: "target/release/opbeat".into(),
            seconds: 5,
            groups: 100,
            kind: None,
            connections: Vec::new(),
            is_baseline: false,
        }
    }

    fn parse() -> Result<Self> {
        let mut options = Self::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            if name == "--baseline" {
                options.is_baseline = true;
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--opbeat" => options.opbeat = value.into(),
                "--seconds" => options.seconds = value.parse()?,
                "--groups" => options.groups = value.parse()?,
                "--kind" => options.kind = Some(value),
                "--connections" => options.connections.push(value.parse()?),
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        if options.connections.is_empty() {
            options.connections = vec![4, 32, 128];
        }
        Ok(options)
    }
}

fn run(options: &Options, template: &Value, kind: Kind, connections: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = create_app(options, folder.path(), "acme/shop")?;
    let server = Server::start(options, folder.path())?;
    let idle = server.resident_mb()?;
    let (cpu, started) = (server.processor_ms()?, Instant::now());
    let latencies = post(options, template, kind, connections, &server.address, &app)?;
    let accepting = started.elapsed();
    server.drained()?;
    let (all, cpu) = (started.elapsed(), server.processor_ms()? - cpu);
    let events = (latencies.len() * kind.events()) as f64;
    let at = |share: f64| {
        latencies[((latencies.len() as f64 * share) as usize).min(latencies.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "| {} | {connections} | {events} | {:.0} | {:.2} | {:.2} | {:.0} | {:.4} | {:.0} | {idle:.0} | {:.0} |",
        kind.name(),
        events / accepting.as_secs_f64(),
        at(0.5),
        at(0.99),
        events / all.as_secs_f64(),
        cpu / events,
        server.resident_mb()?,
        folder_mb(folder.path())?,
    );
    Ok(())
}

/// Posts bodies over several connections for a time, and returns the sorted times until the answers.
pub(crate) fn post(
    options: &Options,
    template: &Value,
    kind: Kind,
    connections: usize,
    address: &str,
    app: &App,
) -> Result<Vec<Duration>> {
    let count = if kind.is_unique() { 0 } else { options.groups.max(1) };
    let bodies: Arc<Vec<Vec<u8>>> =
        Arc::new((0..count).map(|number| kind.body(template, number, options.groups)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, app, bodies, next) =
                (address.to_owned(), app.clone(), Arc::clone(&bodies), Arc::clone(&next));
            thread::spawn(move || post_until(end, &address, &app, kind, &bodies, &next))
        })
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.join().map_err(|_| "a client panicked")??);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// Posts bodies one after the other, and returns the time until each answer.
fn post_until(
    end: Instant,
    address: &str,
    app: &App,
    kind: Kind,
    bodies: &[Vec<u8>],
    next: &AtomicUsize,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let made;
        let body = if kind.is_unique() {
            made = kind.body(&Value::Null, number, 1);
            &made
        } else {
            &bodies[number % bodies.len()]
        };
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\n\
             User-Agent: opbeat-python/3.6.1\r\nX-Opbeat-Platform: lang=python/3.11.7 platform=CPython framework=flask/2.2.5\r\n\
             Content-Length: {}\r\n\r\n",
            kind.path(&app.path),
            app.token,
            kind.content_type(),
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let sent = Instant::now();
        stream.write_all(&request)?;
        read_accepted(&mut answers)?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

fn read_accepted(answers: &mut impl BufRead) -> Result<()> {
    let (mut status, mut length) = (String::new(), 0);
    answers.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    if !status.contains(" 202 ") && !status.contains(" 200 ") {
        return Err(format!("{status}{}", String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}
