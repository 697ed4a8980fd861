//! Healthy and bad servers that agents deliver to, each in its own process.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use crate::intake::Delivered;
use crate::intake::{self, Posted};
use crate::process::{Process, respond};

/// Ports that the system does not assign automatically.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The response of a healthy server. At their start, agents recognise an Opbeat server by it.
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 30\r\n\r\n{\"server\": \"opbeat/benchmark\"}";

/// The manner in which a server reacts to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Accepts the request.
    Healthy,
    /// Reads the request and never responds.
    Silent,
    /// Responds with 500.
    Failing,
    /// Closes each connection at once.
    Closing,
}

impl Manner {
    const ALL: [Self; 4] = [Self::Healthy, Self::Silent, Self::Failing, Self::Closing];

    fn word(self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

/// A server in its own process.
#[derive(Debug)]
pub struct Sink {
    process: Process,
    port: u16,
}

impl Sink {
    /// Starts a server at a port that is free, such as [`closed_port`] returns.
    pub fn start(manner: Manner, port: u16) -> Self {
        let mut process = Process::start("the sink", &["sink", &manner.word(), &port.to_string()]);
        let [_ready] = process.ask("ready");
        Self { process, port }
    }

    /// Returns the URL for agents.
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Returns the data that has arrived.
    pub fn delivered(&mut self) -> Delivered {
        let [transactions, spans] = self.process.ask("delivered");
        Delivered { transactions: transactions as u64, spans: spans as u64 }
    }
}

/// Returns the address of a port on this machine.
pub fn url(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

/// Returns a port without a listener. It is outside the ports that clients get, since a client could otherwise connect
/// to itself.
pub fn closed_port() -> u16 {
    let start = fastrand::u16(PORTS);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (start..PORTS.end).chain(PORTS.start..start).find(is_free).expect("ten thousand ports are not all taken")
}

/// Runs the server of this process.
pub fn run(manner: &str, port: &str) -> ExitCode {
    let manner = Manner::ALL.into_iter().find(|known| known.word() == manner).expect("a manner");
    let port: u16 = port.parse().expect("a port");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
    let posted = Arc::new(Mutex::new(Vec::new()));
    let accepting = Arc::clone(&posted);
    thread::spawn(move || accept(&listener, manner, &accepting));
    let mut tally = intake::Tally::default();
    respond(|words| match words {
        ["ready"] => "1".to_owned(),
        ["delivered"] => {
            let new = std::mem::take(&mut *posted.lock().unwrap_or_else(PoisonError::into_inner));
            let Delivered { transactions, spans } = tally.add(new);
            format!("{transactions} {spans}")
        }
        _ => panic!("unknown command {words:?}"),
    })
}

fn accept(listener: &TcpListener, manner: Manner, posted: &Arc<Mutex<Vec<Posted>>>) {
    for stream in listener.incoming().flatten().filter(|_| manner != Manner::Closing) {
        let posted = Arc::clone(posted);
        thread::spawn(move || serve(&stream, manner, &posted));
    }
}

/// Responds until the client disconnects. Bodies are read only on request, so that responding costs little.
fn serve(stream: &TcpStream, manner: Manner, posted: &Mutex<Vec<Posted>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = intake::read(&mut reader)? {
        match manner {
            Manner::Healthy => {
                posted.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                writer.write_all(ACCEPTED)?;
            }
            Manner::Failing => writer.write_all(b"HTTP/1.1 500 Failed\r\nContent-Length: 0\r\n\r\n")?,
            Manner::Silent | Manner::Closing => return reader.read_to_end(&mut Vec::new()).map(drop),
        }
    }
    Ok(())
}
