//! An application process and the server that it reports to.

use std::time::Duration;

use load::process::Process;
use load::sink::{Manner, Sink, closed_port, url};

/// The argument that replaces the server's address.
pub const UNMONITORED: &str = "unmonitored";

/// The server that an application reports to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// No server: the application is not monitored.
    Nobody,
    /// A server that reacts in the given manner.
    Running(Manner),
    /// A closed port.
    Absent,
}

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "unmonitored",
            Self::Running(Manner::Healthy) => "a healthy server",
            Self::Running(Manner::Silent) => "a server that never responds",
            Self::Running(Manner::Failing) => "a server that responds with 500",
            Self::Running(Manner::Closing) => "a server that closes connections at once",
            Self::Absent => "no server: a closed port",
        }
    }
}

/// A process that serves an application.
pub struct Application {
    pub server: Server,
    /// The port of the application.
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

    /// Starts an application that reports to a port without a listener so far.
    pub fn start_before_server(port: u16) -> Self {
        Self::reporting_to(&url(port), Server::Absent)
    }

    fn reporting_to(url: &str, server: Server) -> Self {
        let mut process = Process::start("the application", &["serve", url]);
        let [port] = process.ask("port");
        Self { server, port: port as u16, process, _sink: None }
    }

    /// Flushes. Returns the duration and whether it succeeded; `None` if the application is unmonitored.
    pub fn flush(&mut self, timeout: Duration) -> Option<(Duration, bool)> {
        if self.server == Server::Nobody {
            return None;
        }
        let [micros, flushed] = self.process.ask(&format!("flush {}", timeout.as_millis()));
        Some((Duration::from_micros(micros as u64), flushed == 1))
    }

    /// Returns the durations of error captures since the last call: the median and the 90 % quantile.
    pub fn captures(&mut self) -> [Duration; 2] {
        self.process.ask("captures").map(|nanos| Duration::from_nanos(nanos as u64))
    }

    /// Calls the application in process.
    pub fn call(&mut self, count: u64) {
        let [called] = self.process.ask(&format!("call {count}"));
        assert_eq!(called as u64, count, "the application makes all requested calls");
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
