//! A proxy between the agents and the server. It keeps each request and its response.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use flate2::read::ZlibDecoder;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// A timeout that no working test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The headers that belong to one connection.
const HOP_BY_HOP: [header::HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// A request with its response.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) status: StatusCode,
    pub(crate) answer_headers: HeaderMap,
    pub(crate) answer: String,
}

impl Exchange {
    /// Returns the last part of the path: `errors`, or `client-side/errors`.
    pub(crate) fn endpoint(&self) -> &str {
        let below = self.path.split_once("/apps/").and_then(|(_, rest)| rest.split_once('/'));
        below.map_or(self.path.as_str(), |(_, endpoint)| endpoint).trim_matches('/')
    }

    /// Returns the body. The agents send JSON, plain or in a zlib stream, which the headers do not say.
    pub(crate) fn json(&self) -> Value {
        let mut inflated = Vec::new();
        let body = if self.body.first() == Some(&0x78) {
            ZlibDecoder::new(self.body.as_slice()).read_to_end(&mut inflated).unwrap();
            &inflated
        } else {
            &self.body
        };
        serde_json::from_slice(body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Log {
    exchanges: Mutex<Vec<Exchange>>,
    added: Notify,
}

/// The proxy. It stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Recorder {
    server: String,
    client: reqwest::Client,
    log: Arc<Log>,
}

impl Recorder {
    /// Starts a proxy before a server, and returns it with its URL.
    pub(crate) async fn start(server: &str) -> (Self, String) {
        let recorder = Self { server: server.to_owned(), client: reqwest::Client::new(), log: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(forward).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (recorder, url)
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.log.exchanges.lock().unwrap().clone()
    }

    /// Returns the JSON bodies that were posted to an endpoint.
    pub(crate) fn bodies(&self, endpoint: &str) -> Vec<Value> {
        let exchanges = self.exchanges();
        exchanges.iter().filter(|exchange| exchange.is_post_to(endpoint)).map(Exchange::json).collect()
    }

    /// Waits until the requests satisfy a condition.
    pub(crate) async fn until(&self, what: &str, is_complete: impl Fn(&Self) -> bool) {
        let complete = async {
            loop {
                let added = self.log.added.notified();
                tokio::pin!(added);
                added.as_mut().enable();
                if is_complete(self) {
                    return;
                }
                added.await;
            }
        };
        if tokio::time::timeout(PATIENCE, complete).await.is_err() {
            let paths: Vec<String> = self.exchanges().into_iter().map(|exchange| exchange.path).collect();
            panic!("{what} did not arrive; these requests did: {paths:#?}");
        }
    }

    /// Sends a request again, as an exporter does that got no response.
    pub(crate) async fn repeat(&self, exchange: &Exchange) -> StatusCode {
        let mut headers = exchange.headers.clone();
        for name in HOP_BY_HOP {
            headers.remove(name);
        }
        let request = self.client.request(exchange.method.clone(), format!("{}{}", self.server, exchange.path));
        request.headers(headers).body(exchange.body.clone()).send().await.unwrap().status()
    }

    /// Fails unless the server accepted each body.
    pub(crate) fn assert_all_accepted(&self) {
        let exchanges = self.exchanges();
        assert!(!exchanges.is_empty(), "the agent sent nothing");
        for Exchange { method, path, status, answer, .. } in &exchanges {
            if method == Method::POST {
                assert_eq!(*status, StatusCode::ACCEPTED, "{path}: {answer}");
                assert_eq!(answer, "", "{path}: agents take an empty answer");
            }
        }
    }
}

impl Exchange {
    fn is_post_to(&self, endpoint: &str) -> bool {
        self.method == Method::POST && self.endpoint() == endpoint
    }
}

async fn forward(State(recorder): State<Recorder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let mut headers = parts.headers.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    let url = format!("{}{path}", recorder.server);
    let sent = recorder.client.request(parts.method.clone(), url).headers(headers).body(body.clone());
    let response = sent.send().await.unwrap();
    let (status, answer_headers) = (response.status(), response.headers().clone());
    let answer = response.bytes().await.unwrap();
    let exchange = Exchange {
        method: parts.method,
        path,
        headers: parts.headers,
        body,
        status,
        answer_headers: answer_headers.clone(),
        answer: String::from_utf8_lossy(&answer).into_owned(),
    };
    recorder.log.exchanges.lock().unwrap().push(exchange);
    recorder.log.added.notify_waiters();
    let mut copy = Response::new(Body::from(answer));
    *copy.status_mut() = status;
    for (name, value) in &answer_headers {
        if !HOP_BY_HOP.contains(name) {
            copy.headers_mut().append(name, value.clone());
        }
    }
    copy
}
