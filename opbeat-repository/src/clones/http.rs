//! The HTTP client of a fetch: it counts bytes, keeps the time, and goes to no other address.

use std::any::Any;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, Options, PostBodyDataKind, PostResponse, options::FollowRedirects, reqwest as backend,
};
use rustls::crypto::ring;

use super::address::{self, PublicOnly};
use super::meter::{Failure, Meter};
use super::task::Task;
use crate::{Budget, Error};

/// The time in which a silent remote is given up, unless the budget ends before.
const SILENCE: Duration = Duration::from_secs(10);
/// The length of the headers that are searched, in bytes.
const HEADERS: usize = 64 * 1024;

pub(super) struct Client {
    inner: backend::Remote,
    options: Options,
    meter: Arc<Meter>,
    budget: Budget,
    limit: u64,
}

impl Client {
    pub(super) fn new(task: &Task<'_>, meter: Arc<Meter>) -> Result<Self, Error> {
        let (access, budget) = (task.access, task.budget.clone());
        let tls = tls()?;
        let resolver = Arc::new(PublicOnly { access, meter: Arc::clone(&meter) });
        let client = move |builder: reqwest::blocking::ClientBuilder| {
            let time = budget.remaining().min(SILENCE).max(Duration::from_millis(1));
            let builder = builder
                .no_proxy()
                .connect_timeout(time)
                .timeout(time)
                .dns_resolver(Arc::clone(&resolver))
                .tls_backend_preconfigured(tls.clone());
            Ok(builder)
        };
        let request = move |request: &mut reqwest::blocking::Request| {
            address::check_literal(request.url(), access).map_err(gix::Error::from_error)
        };
        let backend =
            backend::Options { configure_client: Some(Box::new(client)), configure_request: Some(Box::new(request)) };
        let options = Options {
            follow_redirects: FollowRedirects::None,
            backend: Some(Arc::new(Mutex::new(backend))),
            ..Options::default()
        };
        let mut inner = backend::Remote::default();
        inner.configure(&options).map_err(crate::error::damaged)?;
        Ok(Self { inner, options, meter, budget: task.budget.clone(), limit: task.limit })
    }

    fn body<R>(&self, inner: R) -> Body<R> {
        let (meter, budget) = (Arc::clone(&self.meter), self.budget.clone());
        Body { inner, meter, budget, limit: self.limit, headers: None }
    }

    fn headers<R>(&self, inner: R) -> Body<R> {
        Body { headers: Some(Vec::new()), ..self.body(inner) }
    }
}

fn tls() -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    // Certificates that cannot be read are skipped: the connection then fails with the reason.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(crate::error::damaged)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

impl Http for Client {
    type Headers = Body<<backend::Remote as Http>::Headers>;
    type ResponseBody = Body<<backend::Remote as Http>::ResponseBody>;
    type PostBody = <backend::Remote as Http>::PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let response = self.inner.get(url, base_url, headers)?;
        Ok(GetResponse { headers: self.headers(response.headers), body: self.body(response.body) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let response = self.inner.post(url, base_url, headers, body)?;
        Ok(PostResponse {
            post_body: response.post_body,
            headers: self.headers(response.headers),
            body: self.body(response.body),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result<()> {
        // The options of the repository's configuration, such as proxies and redirects, are not used.
        self.inner.configure(&self.options)
    }
}

/// A response that is read within the limits.
pub(super) struct Body<R> {
    inner: R,
    meter: Arc<Meter>,
    budget: Budget,
    limit: u64,
    /// The headers that were read so far. A redirect is not followed, and its `location` says that it is one.
    headers: Option<Vec<u8>>,
}

impl<R: BufRead> Body<R> {
    fn look_for_redirect(&mut self, amount: usize) -> io::Result<()> {
        let Some(headers) = &mut self.headers else { return Ok(()) };
        if amount == 0 || headers.len() > HEADERS {
            return Ok(());
        }
        let read = self.inner.fill_buf()?;
        headers.extend(read.iter().take(amount).map(u8::to_ascii_lowercase));
        if headers.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"location:")) {
            return Err(self.meter.fail(Failure::Redirected, "redirects are not followed"));
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for Body<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.budget.check().is_err() {
            return Err(self.meter.fail(Failure::OutOfTime, "the time is over"));
        }
        if self.meter.received() > self.limit {
            return Err(self.meter.fail(Failure::TooLarge, "the remote sent too much"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // A failure is kept in the meter, and ends the fetch when the body is not one of a repository.
        let _ = self.look_for_redirect(amount);
        self.meter.add(amount);
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Read as much as has arrived, so that the time is checked often.
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
