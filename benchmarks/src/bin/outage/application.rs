//! An application and the server that it reports to, seen from outside.

use std::time::Duration;

use load::process::Process;
use load::sink::{Manner, Sink, closed_port, url};

/// In place of a server's address.
pub const UNMONITORED: &str = "unmonitored";

/// What an application reports to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// It is not monitored.
    Nobody,
    /// A server of some manner.
    Running(Manner),
    /// It is to report to a port that is closed.
    Absent,
}

impl Server {
    pub fn words(self) -> &'static str {
        match self {
            Self::Nobody => "unmonitored",
            Self::Running(Manner::Healthy) => "a healthy server",
            Self::Running(Manner::Silent) => "one that never answers",
            Self::Running(Manner::Failing) => "one that answers 500",
            Self::Running(Manner::Closing) => "one that closes at once",
            Self::Absent => "none: a closed port",
        }
    }
}

/// A process that serves an application.
pub struct Application {
    pub server: Server,
    /// Where the application listens.
    pub port: u16,
    process: Process,
    _sink: Option<Sink>,
}

impl Application {
    pub fn start(server: Server) -> Self {
        let sink = match server {
            Server::Running(manner) => Some(Sink::start(manner, closed_port())),
            Server::Nobody | Server::Absent => None,
        };
        let url = match (&sink, server) {
            (Some(sink), _) => sink.url(),
            (None, Server::Absent) => url(closed_port()),
            (None, _) => UNMONITORED.to_owned(),
        };
        Self { _sink: sink, ..Self::reporting_to(&url, server) }
    }

    /// Starts one that reports to a port at which nobody listens yet.
    pub fn start_before_server(port: u16) -> Self {
        Self::reporting_to(&url(port), Server::Absent)
    }

    fn reporting_to(url: &str, server: Server) -> Self {
        let mut process = Process::start("the application", &["serve", url]);
        let [port] = process.ask("port");
        Self { server, port: port as u16, process, _sink: None }
    }

    /// Flushes. Returns the time that it took and whether it succeeded; `None` if the application is unmonitored.
    pub fn flush(&mut self, timeout: Duration) -> Option<(Duration, bool)> {
        if self.server == Server::Nobody {
            return None;
        }
        let [micros, flushed] = self.process.ask(&format!("flush {}", timeout.as_millis()));
        Some((Duration::from_micros(micros as u64), flushed == 1))
    }

    /// Returns what capturing errors took since the last call: the median, and what nine tenths stayed below.
    pub fn captures(&mut self) -> [Duration; 2] {
        self.process.ask("captures").map(|nanos| Duration::from_nanos(nanos as u64))
    }

    /// Calls the application in process.
    pub fn call(&mut self, count: u64) {
        let [called] = self.process.ask(&format!("call {count}"));
        assert_eq!(called as u64, count, "it calls as often as it is told");
    }

    /// Returns the processor time of all its threads so far.
    pub fn processor(&mut self) -> Duration {
        let [micros] = self.process.ask("processor");
        Duration::from_micros(micros as u64)
    }

    /// Returns the resident memory in megabytes.
    pub fn memory(&mut self) -> f64 {
        let [kilobytes] = self.process.ask("memory");
        kilobytes as f64 / 1024.0
    }
}
