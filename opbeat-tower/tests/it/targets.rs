//! The recorded targets of requests.

use std::convert::Infallible;
use std::time::Duration;

use http::{Method, Request, Response};
use opbeat_tower::record::RequestRecord;
use opbeat_tower::{OpbeatLayer, RequestHead, RouteName, TransactionName};
use tower::{Layer, ServiceExt, service_fn};

use crate::app::Body;
use crate::monitored;

/// A router that shortens the target, and keeps the original one.
#[derive(Clone)]
struct Original;

impl RouteName for Original {
    fn route_name(&self, _: &RequestHead<'_>) -> Option<TransactionName> {
        None
    }

    fn target<'a>(&self, head: &RequestHead<'a>) -> &'a http::Uri {
        head.extensions.get().unwrap_or(head.uri)
    }
}

async fn recorded(request: Request<()>) -> RequestRecord {
    let (agent, exporter) = monitored();
    let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Body::default())));
    drop(OpbeatLayer::new(&agent).route_name(Original).layer(service).oneshot(request).await);
    agent.flush(Duration::from_secs(30)).unwrap();
    exporter.take().samples.remove(0).request.unwrap()
}

#[tokio::test]
async fn a_connect_has_its_authority_as_target() {
    for target in ["example.com:443", "user:pass@example.com:443"] {
        let request = recorded(Request::builder().method(Method::CONNECT).uri(target).body(()).unwrap()).await;
        assert_eq!(request.target(), "example.com:443");
        assert!(!format!("{:?}", request.headers().collect::<Vec<_>>()).contains("pass"));
    }
}

#[tokio::test]
async fn an_extended_connect_has_its_path_as_target() {
    let request = Request::builder().method(Method::CONNECT).uri("https://example.com/chat?room=1").body(()).unwrap();
    assert_eq!(recorded(request).await.target(), "/chat?room=1");
}

#[tokio::test]
async fn a_request_to_the_whole_server_has_an_asterisk_as_target() {
    let request = Request::builder().method(Method::OPTIONS).uri("*").body(()).unwrap();
    assert_eq!(recorded(request).await.target(), "*");
}

#[tokio::test]
async fn a_shortened_target_is_recorded_as_the_client_sent_it() {
    let mut request = Request::builder().uri("/3").body(()).unwrap();
    request.extensions_mut().insert(http::Uri::from_static("/cart/3?page=2"));
    assert_eq!(recorded(request).await.target(), "/cart/3?page=2");
}
