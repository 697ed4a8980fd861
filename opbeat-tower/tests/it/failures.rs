use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use opbeat_core::record::Outcome;
use opbeat_tower::OpbeatLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::app::NoShelf;
use crate::{app, monitored};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_boxed_service_error_is_reported_with_its_type() {
    let (agent, exporter) = monitored();
    let fail = async |_: Request<()>| Err::<Response<app::Body>, Box<dyn Error + Send + Sync>>(Box::new(NoShelf));
    let service = OpbeatLayer::new(&agent).kind("web.test").layer(service_fn(fail));
    assert!(service.oneshot(Request::new(())).await.is_err());
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("NoShelf"), "there is no shelf"));
    assert_eq!(exporter.samples()[0].outcome, Outcome::ServerError);
    assert_eq!(exporter.errors().len(), 1);
}

#[tokio::test]
async fn any_other_service_error_is_reported_with_its_display_text() {
    let (agent, exporter) = monitored();
    let fail = async |_: Request<()>| Err::<Response<app::Body>, _>("out of paper");
    let service = OpbeatLayer::new(&agent).layer(service_fn(fail));
    assert!(service.oneshot(Request::new(())).await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors()[0].message, "out of paper");
}

/// Returns a gRPC response: status 200, and the gRPC status in the trailers.
fn grpc(status: &'static str) -> Response<impl http_body::Body<Data = Bytes, Error = Infallible>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    let frames = [Ok(Frame::data(Bytes::from_static(b"message"))), Ok(Frame::trailers(trailers))];
    Response::new(StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test]
async fn a_grpc_call_fails_by_its_trailers() {
    for (status, outcome) in [("0", Outcome::Ok), ("13", Outcome::ServerError)] {
        let (agent, exporter) = monitored();
        let respond = async move |_: Request<()>| Ok::<_, Infallible>(grpc(status));
        let service = OpbeatLayer::new_for_grpc(&agent).layer(service_fn(respond));
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(exporter.samples().is_empty(), "the transaction ends with the trailers");
        assert!(response.into_body().collect().await.unwrap().trailers().is_some());
        agent.flush(PATIENCE).unwrap();
        assert_eq!(exporter.samples()[0].outcome, outcome, "grpc-status {status}");
        assert_eq!(exporter.samples()[0].kind, "web.grpc");
    }
}

#[tokio::test]
async fn a_body_error_is_a_failure() {
    let (agent, exporter) = monitored();
    let respond = async |_: Request<()>| {
        let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err(std::io::Error::other("the disk was removed"))];
        Ok::<_, Infallible>(Response::new(StreamBody::new(futures_util::stream::iter(frames))))
    };
    let service = OpbeatLayer::new(&agent).layer(service_fn(respond));
    assert!(service.oneshot(Request::new(())).await.unwrap().into_body().collect().await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::ServerError);
    assert_eq!(exporter.errors()[0].message, "the disk was removed");
}

/// An error whose source is itself.
#[derive(Debug)]
struct Circle;

impl std::fmt::Display for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("round and round")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_circular_chain_of_sources_ends() {
    assert_eq!(opbeat_tower::failure::outcome_of(&Circle), Outcome::ServerError);
}

/// An error with a source, which is not boxed.
#[derive(Debug)]
struct Typed(NoShelf);

impl std::fmt::Display for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot load the cart")
    }
}

impl Error for Typed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn a_registered_error_type_is_reported_with_its_causes() {
    let (agent, exporter) = monitored();
    let fail = async |_: Request<()>| Err::<Response<app::Body>, _>(Typed(NoShelf));
    let service = OpbeatLayer::new(&agent).downcast::<Typed>().layer(service_fn(fail));
    assert!(service.oneshot(Request::new(())).await.is_err());
    let respond = async |_: Request<()>| {
        let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err(Typed(NoShelf))];
        Ok::<_, Infallible>(Response::new(StreamBody::new(futures_util::stream::iter(frames))))
    };
    let service = OpbeatLayer::new(&agent).downcast::<Typed>().layer(service_fn(respond));
    assert!(service.oneshot(Request::new(())).await.unwrap().into_body().collect().await.is_err());
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 2);
    for error in errors {
        assert_eq!((error.type_name.as_deref(), &*error.causes[0].message), (Some("Typed"), "there is no shelf"));
        assert_eq!(error.location, None, "the location would be that of the layer");
    }
}

#[tokio::test]
async fn only_failed_responses_have_the_error_id() {
    for (status, has_id) in [(200, false), (404, false), (503, true)] {
        let (agent, _exporter) = monitored();
        let respond = move |_: Request<()>| {
            opbeat_tower::capture_error(&NoShelf);
            let response = Response::builder().status(status).body(app::Body::default()).unwrap();
            std::future::ready(Ok::<_, Infallible>(response))
        };
        let service = OpbeatLayer::new(&agent).error_id_header(true).layer(service_fn(respond));
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.headers().contains_key("x-opbeat-id"), has_id, "{status}");
    }
}
