//! An Opbeat server whose responses a test chooses, and which keeps the requests that it receives.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value as Json;

use opbeat_core::Config;

/// The server's response to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Responds with a status and a body.
    Status(u16, &'static str),
    /// Responds with a status, a content type and a body.
    Typed(u16, &'static str, &'static [u8]),
    /// Responds with 503 and a `Retry-After` header of this number of seconds.
    RetryAfter(u64),
    /// Closes the connection without a response.
    Close,
    /// Reads the request and never responds.
    Silence,
}

/// A request that the server received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The inflated and parsed body; null if it is not JSON.
    pub body: Json,
    /// The inflated body.
    pub bytes: Vec<u8>,
}

impl ReceivedRequest {
    /// Returns the value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A server on a free local port that responds as scripted, and with 202 after the end of the script.
///
/// `GET` requests check the connection only: they are answered with 200, and neither use the script nor are kept.
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
/// assert_eq!(server.requests()[0].body["transactions"][0]["transaction"], "example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<ServerState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct ServerState {
    script: VecDeque<Reply>,
    received: Vec<ReceivedRequest>,
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

    /// Returns the requests that were received so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.lock().received.clone()
    }

    /// Checks that no received request contains a secret in its path, a header or its body.
    ///
    /// # Panics
    ///
    /// Panics with the position of the secret if a request contains it.
    pub fn assert_never_received(&self, secret: &str) {
        for request in self.requests() {
            let leak = request.headers.iter().find(|(_, value)| value.contains(secret)).map(|(name, _)| name.clone());
            let leak = leak.or_else(|| request.path.contains(secret).then(|| "the path".to_owned()));
            let leak =
                leak.or_else(|| contains_text(&request.body, secret).then(|| format!("the body {}", request.body)));
            assert!(
                leak.is_none(),
                "{secret:?} left the process, to {}, in {}",
                request.path,
                leak.unwrap_or_default()
            );
        }
    }

    /// Waits until this number of requests was received, and returns them.
    ///
    /// # Panics
    ///
    /// Panics if the timeout elapses first.
    #[must_use]
    pub fn wait_for(&self, requests: usize, timeout: Duration) -> Vec<ReceivedRequest> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        while state.received.len() < requests {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} of {requests} requests were received within {timeout:?}",
                state.received.len()
            );
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.received.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, request: ReceivedRequest) -> Reply {
        let mut state = self.lock();
        state.received.push(request);
        self.changed.notify_all();
        state.script.pop_front().unwrap_or(Reply::Status(202, ""))
    }
}

/// Returns whether a body contains a text, in a string or in the JSON form of another value.
fn contains_text(body: &Json, text: &str) -> bool {
    match body {
        Json::Object(map) => map.iter().any(|(name, value)| name.contains(text) || contains_text(value, text)),
        Json::Array(items) => items.iter().any(|item| contains_text(item, text)),
        Json::String(found) => found.contains(text),
        _ => body.to_string().contains(text),
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        let shared = Arc::clone(shared);
        // The thread ends when the client closes the connection; that does not fail the test.
        thread::spawn(move || serve(&stream, &shared));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        if request.method == "GET" {
            // The agent's check whether the server accepts its token is not a delivery and not part of the script.
            write_response(&mut writer, 200, "", br#"{"server": "opbeat/scripted"}"#)?;
            continue;
        }
        match shared.record(request) {
            Reply::Status(status, body) => write_response(&mut writer, status, "", body.as_bytes())?,
            Reply::Typed(status, content_type, body) => {
                write_response(&mut writer, status, &format!("Content-Type: {content_type}\r\n"), body)?;
            }
            Reply::RetryAfter(seconds) => {
                write_response(&mut writer, 503, &format!("Retry-After: {seconds}\r\n"), b"")?;
            }
            Reply::Close => return Ok(()),
            // The client closes the connection after its timeout.
            Reply::Silence => return reader.read_to_end(&mut Vec::new()).map(drop),
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<ReceivedRequest>> {
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
    let bytes = inflate(body, &headers);
    let body = sorted(serde_json::from_slice(&bytes).unwrap_or(Json::Null));
    Ok(Some(ReceivedRequest { method, path, headers, body, bytes }))
}

/// Sorts the keys of all objects. serde_json keeps them as they were sent if another crate of the build enables that, and
/// snapshots must not depend on it.
fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Inflates a body: gzip if a header states it, or else zlib if the body is compressed with it, as the bodies of
/// Opbeat's agents are.
fn inflate(body: Vec<u8>, headers: &[(String, String)]) -> Vec<u8> {
    let is_gzip = headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip");
    let mut bytes = Vec::new();
    let inflated = if is_gzip {
        GzDecoder::new(body.as_slice()).read_to_end(&mut bytes)
    } else {
        ZlibDecoder::new(body.as_slice()).read_to_end(&mut bytes)
    };
    if inflated.is_ok() { bytes } else { body }
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

fn write_response(writer: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    write!(writer, "HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {}\r\n\r\n", body.len())?;
    writer.write_all(body)
}
