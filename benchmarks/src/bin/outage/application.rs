//! An application process and the server that it reports to.

use std::time::Duration;

use load::process::Process;
use load::sink::{Manner, Sink, closed_port, url};

/// The argument that replaces an address if the application reports to no such server.
pub const NONE: &str = "none";

/// The server that an application reports to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// No server: the application is not monitored.
    Nobody,
    /// An Opbeat server that reacts in the given manner.
    Running(Manner),
    /// A closed port.
    Absent,
    /// A receiver of OpenTelemetry that reacts in the given manner.
    Receiver(Manner),
    /// A closed port in place of a receiver of OpenTelemetry.
    AbsentReceiver,
    /// A healthy Opbeat server, and beside it a receiver of OpenTelemetry that reacts in the given manner.
    Beside(Manner),
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
            Self::Receiver(Manner::Healthy) => "a healthy receiver",
            Self::Receiver(Manner::Silent) => "a receiver that never responds",
            Self::Receiver(Manner::Failing) => "a receiver that responds with 500",
            Self::Receiver(Manner::Closing) => "a receiver that closes connections at once",
            Self::AbsentReceiver => "no receiver: a closed port",
            Self::Beside(Manner::Silent) => "a healthy server and a receiver that never responds",
            Self::Beside(_) => "a healthy server and a receiver",
        }
    }
}

/// A process that serves an application.
pub struct Application {
    pub server: Server,
    /// The port of the application.
    pub port: u16,
    process: Process,
    /// The Opbeat server and the receiver that it reports to.
    sinks: [Option<Sink>; 2],
}

impl Application {
    pub fn start(server: Server) -> Self {
        let sink = |manner| Some(Sink::start(manner, closed_port()));
        let sinks = match server {
            Server::Running(manner) => [sink(manner), None],
            Server::Receiver(manner) => [None, sink(manner)],
            Server::Beside(manner) => [sink(Manner::Healthy), sink(manner)],
            Server::Nobody | Server::Absent | Server::AbsentReceiver => [None, None],
        };
        let absent = url(closed_port());
        let mut urls = sinks.each_ref().map(|sink| sink.as_ref().map_or_else(|| NONE.to_owned(), Sink::url));
        match server {
            Server::Absent => urls[0] = absent,
            Server::AbsentReceiver => urls[1] = absent,
            _ => {}
        }
        Self { sinks, ..Self::reporting_to(&urls, server) }
    }

    /// Starts an application that reports to a port without a listener so far.
    pub fn start_before(server: Server, port: u16) -> Self {
        let urls = match server {
            Server::AbsentReceiver => [NONE.to_owned(), url(port)],
            _ => [url(port), NONE.to_owned()],
        };
        Self::reporting_to(&urls, server)
    }

    fn reporting_to([server_url, receiver_url]: &[String; 2], server: Server) -> Self {
        let mut process = Process::start("the application", &["serve", server_url, receiver_url]);
        let [port] = process.ask("port");
        Self { server, port: port as u16, process, sinks: [None, None] }
    }

    /// Returns the number of transactions that arrived at the Opbeat server.
    pub fn arrived(&mut self) -> u64 {
        self.sinks[0].as_mut().map_or(0, |sink| sink.delivered().transactions)
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
