//! A server on hyper alone with an adapter written by hand: pictures of books.
//!
//! It shows each step of an adapter: begin the transaction when the request arrives, name it, enter it for each poll,
//! record the status, and complete it at the end of the response body.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::{Agent, span};
use tokio::net::{TcpListener, TcpStream};

use crate::BoxError;

/// Starts the server on a free port.
pub(crate) async fn start(agent: &Agent) -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let agent = agent.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, agent.clone()));
        }
    });
    Ok(address)
}

async fn serve(stream: TcpStream, agent: Agent) {
    let service = service_fn(|request| monitored(&agent, request));
    // The transaction records a disconnect, which is not a failure of this server.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The adapter: does for this server what `opbeat-tower` does for tower services.
async fn monitored(agent: &Agent, request: Request<Incoming>) -> Result<Response<MonitoredBody>, Infallible> {
    let method = request.method().as_str().to_owned();
    let target = request.uri().path().to_owned();
    let mut transaction =
        HttpTransaction::begin(agent, "web.hyper", &method, |request| request.set_line(&method, &target));
    if target.starts_with("/covers/") {
        transaction.set_route_name(route(&method, "/covers/{book}"));
    }
    let response = {
        let mut handler = pin!(picture(request));
        std::future::poll_fn(|cx| transaction.poll(|| handler.as_mut().poll(cx))).await
    };
    let ends_here = transaction.start_response(response.status().as_u16()) || response.body().is_end_stream();
    Ok(response.map(|inner| MonitoredBody::new(inner, transaction, ends_here)))
}

/// The handler: draws a cover.
async fn picture(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(book) = request.uri().path().strip_prefix("/covers/") else {
        let mut response = Response::new(Full::from("this server has covers only"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let _drawing = span("draw cover", "code.draw");
    let lines: String = (0..200).map(|y| format!("<path d='M0 {y}h{}'/>", y * 7 % 90)).collect();
    Response::new(Full::from(format!("<svg xmlns='http://www.w3.org/2000/svg'>{lines}<!-- {book} --></svg>")))
}

/// A response body whose end is the end of the transaction.
struct MonitoredBody {
    inner: Full<Bytes>,
    transaction: Option<HttpTransaction>,
}

impl MonitoredBody {
    fn new(inner: Full<Bytes>, transaction: HttpTransaction, ends_here: bool) -> Self {
        let mut body = Self { inner, transaction: Some(transaction) };
        if ends_here {
            body.complete();
        }
        body
    }

    fn complete(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.complete();
        }
    }
}

impl Body for MonitoredBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if frame.is_ready() && self.inner.is_end_stream() {
            self.complete();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
