//! An HTTP/2 client, built on hyper.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::cases::{Case, ClientAction, PLAIN};
use super::super::handlers::{arrived, open_gate, wait_for_arrival};
use super::exchange::{Exchange, PATIENCE};

type Sender = SendRequest<Full<Bytes>>;

/// Sends the request of a case, then performs its client action.
pub(super) fn send(case: &Case, address: SocketAddr) -> io::Result<Exchange> {
    let case = *case;
    connected(address, async move |mut sender: Sender| {
        if matches!(case.client, ClientAction::Disconnect | ClientAction::Reset) {
            return disconnect(&mut sender, &case).await;
        }
        if case.request.starts_with("CONNECT") {
            // Extended CONNECT needs the server's settings, which have arrived after any response.
            sender
                .send_request(request(&Case { request: "GET /healthz", ..PLAIN })?)
                .await
                .map_err(io::Error::other)?;
        }
        match sender.send_request(request(&case)?).await {
            Ok(response) => read(case.client, response).await,
            Err(_) => Ok(Exchange::default()),
        }
    })
}

/// Sends requests concurrently over one connection.
pub(super) fn send_at_once<const N: usize>(
    requests: [&'static str; N],
    address: SocketAddr,
) -> io::Result<[Exchange; N]> {
    connected(address, async move |mut sender: Sender| {
        let mut sent = Vec::new();
        for line in requests {
            sent.push(tokio::spawn(sender.send_request(request(&Case { request: line, ..PLAIN })?)));
        }
        let mut exchanges = [const { Exchange::nothing() }; N];
        for (sent, exchange) in sent.into_iter().zip(&mut exchanges) {
            let response = sent.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
            *exchange = read(ClientAction::ReadAll, response).await?;
        }
        Ok(exchanges)
    })
}

/// Opens a connection, and closes it after the exchange.
fn connected<T, F: Future<Output = io::Result<T>>>(
    address: SocketAddr,
    exchange: impl FnOnce(Sender) -> F,
) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TokioIo::new(TcpStream::connect(address).await?);
        let (sender, connection) = handshake(TokioExecutor::new(), stream).await.map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let exchanged = timeout(PATIENCE, exchange(sender)).await.map_err(io::Error::other)?;
        // The remaining frames, such as a stream reset, are sent before the connection ends; the server may end it
        // first.
        let _ = timeout(PATIENCE, connection).await;
        exchanged
    })
}

fn request(case: &Case) -> io::Result<Request<Full<Bytes>>> {
    let (method, target) = case.request.split_once(' ').unwrap_or_default();
    let mut request =
        Request::builder().method(method).uri(format!("http://shop.example{target}")).header("x-probe", "1");
    for (name, value) in case.headers.iter().filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    if method == "CONNECT" {
        request = request.extension(Protocol::from_static("chess"));
    }
    request.body(Full::from(case.body)).map_err(io::Error::other)
}

/// Resets the stream while the handler runs.
async fn disconnect(sender: &mut Sender, case: &Case) -> io::Result<Exchange> {
    let before = arrived();
    let waiting = tokio::spawn(sender.send_request(request(case)?));
    let has_arrived = spawn_blocking(move || wait_for_arrival(before, PATIENCE)).await.map_err(io::Error::other)?;
    waiting.abort();
    if has_arrived { Ok(Exchange::default()) } else { Err(io::Error::other("the handler did not run")) }
}

async fn read(action: ClientAction, response: Response<Incoming>) -> io::Result<Exchange> {
    let status = response.status().as_u16();
    let mut exchange = Exchange { headers: lines(response.headers()), ..Exchange::default() };
    let mut body = response.into_body();
    match action {
        ClientAction::ReadHead => exchange.response = Some((status, String::new())),
        ClientAction::DisconnectInBody => _ = body.frame().await,
        ClientAction::ReadAll => read_to_end(&mut exchange, status, body, String::new()).await,
        ClientAction::ReadSlowly | ClientAction::Disconnect | ClientAction::Reset => {
            let first = body.frame().await.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
            let began = Instant::now();
            tokio::task::yield_now().await;
            exchange.held = began.elapsed();
            open_gate();
            read_to_end(&mut exchange, status, body, String::from_utf8_lossy(&first).into_owned()).await;
        }
    }
    Ok(exchange)
}

/// Reads the rest of the body, and stores the response if it is complete.
async fn read_to_end(exchange: &mut Exchange, status: u16, body: Incoming, first: String) {
    if let Ok(body) = body.collect().await {
        exchange.headers.extend(body.trailers().map(lines).unwrap_or_default());
        exchange.response = Some((status, first + &String::from_utf8_lossy(&body.to_bytes())));
    }
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
