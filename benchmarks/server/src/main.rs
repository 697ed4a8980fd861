//! Measures what a reported error costs the server.
//!
//! ```text
//! phase 1: the database is locked    clients ─► intake ─► queue                the cost of accepting
//! phase 2: the clients are silent                         queue ─► worker ─► store      … of storing
//! ```
//!
//! The processor time is that of the server's process, from `/proc`. The load generator is another process.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The unit of processor times in `/proc`: ticks per second on Linux.
const TICKS: f64 = 100.0;

fn main() -> Result<()> {
    let options = Options::parse()?;
    let template: Value =
        serde_json::from_str(include_str!("../../../opbeat-server/tests/fixtures/agents/python-flask/01-errors.json"))?;
    println!(
        "| connections | errors | accepted/s | p50 ms | p99 ms | accept CPU-ms | stored/s | store CPU-ms | RSS MB | data MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for connections in [4, 32] {
        run(&options, &template, connections)?;
    }
    Ok(())
}

/// The options of the command line: `--opbeat PATH`, `--errors NUMBER`, `--groups NUMBER`.
struct Options {
    opbeat: PathBuf,
    errors: usize,
    groups: usize,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self { opbeat: "target/release/opbeat".into(), errors: 20_000, groups: 1 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--opbeat" => options.opbeat = value.into(),
                "--errors" => options.errors = value.parse()?,
                "--groups" => options.groups = value.parse()?,
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options, template: &Value, connections: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = create_app(options, folder.path())?;
    let server = Server::start(options, folder.path())?;
    let bodies: Vec<Vec<u8>> =
        (0..options.groups.max(64)).map(|number| body(template, number % options.groups)).collect();

    let lock = rusqlite::Connection::open(folder.path().join("opbeat.sqlite"))?;
    lock.busy_timeout(Duration::from_secs(10))?;
    lock.execute_batch("BEGIN IMMEDIATE")?;
    let (cpu, started) = (server.processor_ms()?, Instant::now());
    let per_client = options.errors / connections;
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let (address, app, bodies) = (server.address.clone(), app.clone(), bodies.clone());
            thread::spawn(move || post_all(&address, &app, &bodies, client, per_client))
        })
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.join().map_err(|_| "a client panicked")??);
    }
    let (accepting, accept_cpu) = (started.elapsed(), server.processor_ms()? - cpu);
    latencies.sort_unstable();

    // The worker notices within its longest pause that the lock is gone: the rate begins with its first progress.
    lock.execute_batch("ROLLBACK")?;
    let cpu = server.processor_ms()?;
    let backlog = server.backlog()?;
    while server.backlog()? == backlog {
        thread::sleep(Duration::from_millis(2));
    }
    let started = Instant::now();
    while server.backlog()? > 0 {
        thread::sleep(Duration::from_millis(2));
    }
    let (storing, store_cpu) = (started.elapsed(), server.processor_ms()? - cpu);

    let count = latencies.len() as f64;
    let at = |share: f64| latencies[((count * share) as usize).min(latencies.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "| {connections} | {count} | {:.0} | {:.2} | {:.2} | {:.3} | {:.0} | {:.3} | {:.0} | {:.0} |",
        count / accepting.as_secs_f64(),
        at(0.5),
        at(0.99),
        accept_cpu / count,
        count / storing.as_secs_f64(),
        store_cpu / count,
        server.resident_mb()?,
        folder_mb(folder.path())?,
    );
    Ok(())
}

/// The path and the token of the app that errors are posted to.
#[derive(Clone)]
struct App {
    path: String,
    token: String,
}

fn create_app(options: &Options, data: &Path) -> Result<App> {
    let output = Command::new(&options.opbeat).args(["app", "create", "acme/shop", "--data"]).arg(data).output()?;
    let text = String::from_utf8(output.stdout)?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.split_once(&format!("{name}=")));
        line.map(|(_, value)| value.trim().trim_matches('"').to_owned()).ok_or_else(|| format!("no {name} in {text}"))
    };
    let (organization, app) = (value("OPBEAT_ORGANIZATION_ID")?, value("OPBEAT_APP_ID")?);
    let path = format!("/api/v1/organizations/{organization}/apps/{app}/errors/");
    Ok(App { path, token: value("OPBEAT_SECRET_TOKEN")? })
}

/// Returns an error of about 10 KB, compressed. Errors with the same number are in one group.
fn body(template: &Value, number: usize) -> Vec<u8> {
    let mut body = template.clone();
    body["exception"]["type"] = json!(format!("Error{number}"));
    let length = body.to_string().len();
    body["extra"]["padding"] = json!("a word ".repeat(10_000_usize.saturating_sub(length) / 7));
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.to_string().as_bytes()).expect("a vector takes all bytes");
    encoder.finish().expect("a vector takes all bytes")
}

/// Posts errors one after the other, and returns the time until each answer.
fn post_all(address: &str, app: &App, bodies: &[Vec<u8>], client: usize, count: usize) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut latencies = Vec::with_capacity(count);
    for number in 0..count {
        let body = &bodies[(client + number) % bodies.len()];
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: application/octet-stream\r\n\
             User-Agent: opbeat-python/3.6.1\r\nX-Opbeat-Platform: lang=python/3.11.7 platform=CPython framework=flask/2.2.5\r\n\
             Content-Length: {}\r\n\r\n",
            app.path,
            app.token,
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
    if !status.contains(" 202 ") {
        return Err(format!("{status}{}", String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}

/// The server in a process of its own.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(options: &Options, data: &Path) -> Result<Self> {
        let mut process = Command::new(&options.opbeat)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().rsplit("http://").next().ok_or("no address")?.to_owned();
        Ok(Self { process, address })
    }

    /// Returns the processor time of the process so far, in milliseconds.
    fn processor_ms(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no fields")?.split_whitespace().collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks * 1_000.0 / TICKS)
    }

    fn resident_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
    }

    /// Returns the number of bytes in the queue.
    fn backlog(&self) -> Result<u64> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let json = answer.split_once("\r\n\r\n").ok_or("no body")?.1;
        let health: Value = serde_json::from_str(json)?;
        Ok(health["queue"]["backlog_bytes"].as_u64().ok_or("no backlog")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn folder_mb(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { 0 } else { entry.metadata()?.len() };
    }
    Ok(bytes as f64 / 1e6)
}
