//! The HTTP client of a fetch: it counts bytes, keeps the time, and goes to no other address.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix::bstr::BString;
use gix::protocol::transport::client::AuthenticationRequired;
use gix::protocol::transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use rustls::crypto::ring;
use ureq::http::{Request, Response, StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, BodyReader};

use super::address::PublicOnly;
use super::meter::{Failure, Meter};
use super::task::Task;
use crate::Budget;

/// The time in which a silent remote is given up, unless the budget ends before.
const SILENCE: Duration = Duration::from_secs(10);
/// The size of the headers of a response, in bytes.
const HEADERS: usize = 64 * 1024;
/// The size of a request, in bytes: the names of the objects that the clone has and wants.
const REQUEST: usize = 32 * 1024 * 1024;

/// The requests of one fetch. They go to the host of the repository only: no proxy is used, and no redirect is followed.
pub(super) struct Client {
    agent: Agent,
    meter: Arc<Meter>,
    budget: Budget,
    limit: u64,
}

impl Client {
    pub(super) fn new(task: &Task<'_>, meter: Arc<Meter>) -> Self {
        let resolver = PublicOnly::new(task.access, Arc::clone(&meter));
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(HEADERS)
            .tls_config(tls())
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, meter, budget: task.budget.clone(), limit: task.limit }
    }

    /// Prepares a request. It is sent when its response is read for the first time: by then, its body is written.
    fn exchange(
        &self,
        method: &'static str,
        url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> PostResponse<Headers, Body, RequestBody> {
        let split = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let exchange = Exchange {
            agent: self.agent.clone(),
            budget: self.budget.clone(),
            method,
            url: url.to_owned(),
            headers: headers.into_iter().filter_map(|line| split(line.as_ref())).collect(),
            request: Vec::new(),
            is_sent: false,
            body: None,
        };
        let exchange = Arc::new(Mutex::new(exchange));
        let meter = Arc::clone(&self.meter);
        let inner = Inner { exchange: Arc::clone(&exchange), reader: None };
        PostResponse {
            post_body: RequestBody { exchange: Arc::clone(&exchange) },
            headers: Headers { exchange, meter: Arc::clone(&meter), text: None },
            body: Body { inner, meter, budget: self.budget.clone(), limit: self.limit },
        }
    }
}

/// The certificates that this machine trusts. Unreadable ones are skipped: the connection fails with the reason.
fn tls() -> TlsConfig {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::from(roots))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}

impl Http for Client {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = RequestBody;

    fn get(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        Ok(self.exchange("GET", url, headers).into())
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        Ok(self.exchange("POST", url, headers))
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result<()> {
        // The options of the repository's configuration, such as proxies and redirects, are not used.
        Ok(())
    }
}

/// A request and its response.
struct Exchange {
    agent: Agent,
    budget: Budget,
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    /// The body of the request.
    request: Vec<u8>,
    is_sent: bool,
    /// The body of the response, until it is read.
    body: Option<BodyReader<'static>>,
}

impl Exchange {
    /// Sends the request, unless it was sent. Returns the headers of the response as lines.
    fn send(&mut self, meter: &Meter) -> io::Result<Vec<u8>> {
        if std::mem::replace(&mut self.is_sent, true) {
            return Ok(Vec::new());
        }
        let mut request = Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let time = self.budget.remaining().max(Duration::from_millis(1));
        let silence = Some(time.min(SILENCE));
        let request = request.body(std::mem::take(&mut self.request)).map_err(io::Error::other)?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(time))
            .timeout_resolve(silence)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .build();
        let response = self.agent.run(request).map_err(|error| {
            // The library has an error of its own for the end of each of these times.
            if self.budget.remaining().is_zero() {
                return meter.fail(Failure::OutOfTime, "the time is over");
            }
            error.into_io()
        })?;
        check_status(&response, meter)?;
        let mut lines = Vec::new();
        for (name, value) in response.headers() {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        // The library bounds bodies as well. `Body` has the bound of the clone.
        self.body = Some(response.into_body().into_with_config().limit(u64::MAX).reader());
        Ok(lines)
    }
}

/// Returns the failures in the form that the Git library distinguishes.
fn check_status<T>(response: &Response<T>, meter: &Meter) -> io::Result<()> {
    match response.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED => {
            let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
            let www_authenticate = challenges.map(|value| BString::from(value.as_bytes())).collect();
            Err(io::Error::new(io::ErrorKind::PermissionDenied, AuthenticationRequired { www_authenticate }))
        }
        StatusCode::FORBIDDEN => Err(meter.fail(Failure::Forbidden, "it answered with the status 403")),
        status if status.is_redirection() => Err(meter.fail(Failure::Redirected, "redirects are not followed")),
        status => Err(io::Error::other(format!("it answered with the status {}", status.as_u16()))),
    }
}

fn lock(exchange: &Mutex<Exchange>) -> std::sync::MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a request, which is kept until the response is read.
pub(super) struct RequestBody {
    exchange: Arc<Mutex<Exchange>>,
}

impl Write for RequestBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut exchange = lock(&self.exchange);
        if exchange.request.len() + bytes.len() > REQUEST {
            return Err(io::Error::other("the request is larger than 32 MiB"));
        }
        exchange.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of a response.
pub(super) struct Headers {
    exchange: Arc<Mutex<Exchange>>,
    meter: Arc<Meter>,
    text: Option<Cursor<Vec<u8>>>,
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.text.is_none() {
            let lines = lock(&self.exchange).send(&self.meter)?;
            self.meter.add(lines.len());
            self.text = Some(Cursor::new(lines));
        }
        match &mut self.text {
            Some(text) => text.fill_buf(),
            None => Ok(&[]),
        }
    }

    fn consume(&mut self, amount: usize) {
        if let Some(text) = &mut self.text {
            text.consume(amount);
        }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// A response that is read within the limits.
pub(super) struct Body {
    inner: Inner,
    meter: Arc<Meter>,
    budget: Budget,
    limit: u64,
}

struct Inner {
    exchange: Arc<Mutex<Exchange>>,
    reader: Option<BufReader<BodyReader<'static>>>,
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.budget.check().is_err() {
            return Err(self.meter.fail(Failure::OutOfTime, "the time is over"));
        }
        if self.meter.received() > self.limit {
            return Err(self.meter.fail(Failure::TooLarge, "the remote sent too much"));
        }
        if self.inner.reader.is_none() {
            let mut exchange = lock(&self.inner.exchange);
            exchange.send(&self.meter)?;
            self.inner.reader = exchange.body.take().map(BufReader::new);
        }
        match &mut self.inner.reader {
            Some(reader) => reader.fill_buf(),
            None => Ok(&[]),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.meter.add(amount);
        if let Some(reader) = &mut self.inner.reader {
            reader.consume(amount);
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// Reads as much as has arrived, so that the time is checked often.
fn read_buffered(from: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let available = from.fill_buf()?;
    let amount = available.len().min(buffer.len());
    buffer[..amount].copy_from_slice(&available[..amount]);
    from.consume(amount);
    Ok(amount)
}
