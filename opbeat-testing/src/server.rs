//! A server that does as it is told, and keeps what it gets.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::ZlibDecoder;
use serde_json::Value as Json;

use opbeat_core::Config;

/// What the server answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Answers with a status and a body.
    Status(u16, &'static str),
    /// Answers 503 and asks to be left alone for some seconds.
    RetryAfter(u64),
    /// Closes the connection without an answer.
    Close,
    /// Reads the request and never answers.
    Silence,
}

/// One request that the server got.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, inflated and parsed; null if it is no zlib JSON.
    pub body: Json,
}

impl Seen {
    /// Returns a header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A server on a free port of this machine that answers as scripted, then always 202.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use opbeat_core::Agent;
/// use opbeat_testing::{Reply, ScriptedServer};
///
/// let server = ScriptedServer::start([Reply::Status(202, "")]);
/// let agent = Agent::start(&server.config())?;
/// agent.begin_transaction("task.example").end("example", "ok");
/// agent.flush(Duration::from_secs(10))?;
/// assert_eq!(server.seen()[0].body["transactions"][0]["transaction"], "example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Reply>,
    seen: Vec<Seen>,
}

impl ScriptedServer {
    /// Starts the server. It runs until the process ends.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    #[must_use]
    pub fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        shared.lock().script = script.into_iter().collect();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// Returns the server's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a configuration for an agent that delivers here.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new("test-organization", "test-app", "test-token").server_url(self.url()).hostname("test-host")
    }

    /// Returns the requests that came in until now.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }

    /// Checks that a secret stands in none of the requests that came in: in no path, no header, no body.
    ///
    /// # Panics
    ///
    /// Panics if it does, and says where.
    pub fn assert_never_saw(&self, secret: &str) {
        for seen in self.seen() {
            let leak = seen.headers.iter().find(|(_, value)| value.contains(secret)).map(|(name, _)| name.clone());
            let leak = leak.or_else(|| seen.path.contains(secret).then(|| "the path".to_owned()));
            let leak = leak.or_else(|| holds(&seen.body, secret).then(|| format!("the body {}", seen.body)));
            assert!(leak.is_none(), "{secret:?} left the process, to {}, in {}", seen.path, leak.unwrap_or_default());
        }
    }

    /// Waits until so many requests came in, and returns them.
    ///
    /// # Panics
    ///
    /// Panics if they did not come in time.
    #[must_use]
    pub fn wait_for(&self, requests: usize, timeout: Duration) -> Vec<Seen> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        while state.seen.len() < requests {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {requests} requests came within {timeout:?}", state.seen.len());
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.seen.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, seen: Seen) -> Reply {
        let mut state = self.lock();
        state.seen.push(seen);
        self.changed.notify_all();
        state.script.pop_front().unwrap_or(Reply::Status(202, ""))
    }
}

/// Returns whether a text is part of a body, as it is or as JSON writes it.
fn holds(body: &Json, text: &str) -> bool {
    match body {
        Json::Object(map) => map.iter().any(|(name, value)| name.contains(text) || holds(value, text)),
        Json::Array(items) => items.iter().any(|item| holds(item, text)),
        Json::String(found) => found.contains(text),
        _ => body.to_string().contains(text),
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        let shared = Arc::clone(shared);
        // A client that closes its connection ends the thread, which is no failure of the test.
        thread::spawn(move || serve(&stream, &shared));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(seen) = read_request(&mut reader)? {
        if seen.method == "GET" {
            // A question whether the token is accepted is no delivery, and not part of the script.
            write_response(&mut writer, 200, "", r#"{"server": "opbeat/scripted"}"#)?;
            continue;
        }
        match shared.note(seen) {
            Reply::Status(status, body) => write_response(&mut writer, status, "", body)?,
            Reply::RetryAfter(seconds) => {
                write_response(&mut writer, 503, &format!("Retry-After: {seconds}\r\n"), "")?;
            }
            Reply::Close => return Ok(()),
            // The client gives up at some time, and closes the connection.
            Reply::Silence => return reader.read_to_end(&mut Vec::new()).map(drop),
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let word = |index| line.split(' ').nth(index).unwrap_or_default().to_owned();
    let (method, path) = (word(0), word(1));
    let headers = read_headers(reader)?;
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_reader(ZlibDecoder::new(body.as_slice())).unwrap_or(Json::Null);
    Ok(Some(Seen { method, path, headers, body }))
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok(headers);
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn write_response(writer: &mut impl Write, status: u16, headers: &str, body: &str) -> io::Result<()> {
    write!(writer, "HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
