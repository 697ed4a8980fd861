//! The server in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::{Options, Result};

/// The unit of processor times in `/proc`: ticks per second on Linux.
const TICKS: f64 = 100.0;

/// The server in a process of its own.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(options: &Options, data: &Path) -> Result<Self> {
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
    pub(crate) fn processor_ms(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no fields")?.split_whitespace().collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks * 1_000.0 / TICKS)
    }

    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
    }

    /// Waits until the queue is empty.
    pub(crate) fn drained(&self) -> Result<()> {
        while self.backlog()? > 0 {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Returns the number of bytes in the queue.
    pub(crate) fn backlog(&self) -> Result<u64> {
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

/// Returns the size of the files in a folder, in megabytes.
pub(crate) fn folder_mb(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { 0 } else { entry.metadata()?.len() };
    }
    Ok(bytes as f64 / 1e6)
}

/// The path and the token of the app that bodies are posted to.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) path: String,
    pub(crate) token: String,
}

/// Creates the app.
pub(crate) fn create_app(options: &Options, data: &Path, name: &str) -> Result<App> {
    let output = Command::new(&options.opbeat).args(["app", "create", name, "--data"]).arg(data).output()?;
    let text = String::from_utf8(output.stdout)?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.split_once(&format!("{name}=")));
        line.map(|(_, value)| value.trim().trim_matches('"').to_owned()).ok_or_else(|| format!("no {name} in {text}"))
    };
    let (organization, app) = (value("OPBEAT_ORGANIZATION_ID")?, value("OPBEAT_APP_ID")?);
    let path = format!("/api/v1/organizations/{organization}/apps/{app}/");
    Ok(App { path, token: value("OPBEAT_SECRET_TOKEN")? })
}
