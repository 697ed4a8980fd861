use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use opbeat_core::record::Outcome;
use opbeat_tower::OpbeatLayer;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::ResponseBodyTimeoutLayer;

use crate::{app, monitored};

const PATIENCE: Duration = Duration::from_secs(30);

async fn never(_: Request<()>) -> Result<Response<app::Body>, Infallible> {
    opbeat_tower::current().set_tag("plan", "gold");
    std::future::pending().await
}

#[tokio::test]
async fn inner_and_outer_time_limits_are_recorded() {
    let (agent, exporter) = monitored();
    let limit = Duration::from_millis(5);
    let inside = OpbeatLayer::new(&agent).layer(ServiceBuilder::new().timeout(limit).service_fn(never));
    assert!(inside.oneshot(Request::new(())).await.is_err());
    let outside = OpbeatLayer::new(&agent).outer_time_limit(limit).layer(service_fn(never));
    let outside = ServiceBuilder::new().timeout(limit).service(outside);
    assert!(outside.oneshot(Request::new(())).await.is_err());
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    assert_eq!(samples.len(), 2);
    for sample in samples {
        assert_eq!(sample.outcome, Outcome::TimedOut);
        assert_eq!(sample.tags, [("plan".into(), "gold".into())]);
    }
    assert!(exporter.errors().is_empty(), "a time limit is an outcome");
}

#[tokio::test]
async fn a_client_can_disconnect_before_the_time_limit() {
    let (agent, exporter) = monitored();
    let service = OpbeatLayer::new(&agent).outer_time_limit(PATIENCE).layer(service_fn(never));
    drop(service.oneshot(Request::new(())));
    let service = OpbeatLayer::new(&agent).outer_time_limit(PATIENCE).layer(service_fn(never));
    assert!(tokio::time::timeout(Duration::from_millis(1), service.oneshot(Request::new(()))).await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::ClientGone);
}

#[tokio::test]
async fn shed_load_is_recorded() {
    let (agent, exporter) = monitored();
    let full = ServiceBuilder::new().load_shed().concurrency_limit(0).service_fn(never);
    let service = OpbeatLayer::new(&agent).layer(full);
    assert!(service.oneshot(Request::new(())).await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::Shed);
    assert!(exporter.errors().is_empty());
}

#[tokio::test]
async fn a_panic_in_the_call_is_caught_if_configured() {
    let (agent, exporter) = monitored();
    let panics = |_: Request<()>| -> std::future::Ready<Result<Response<app::Body>, Infallible>> { panic!("no shelf") };
    let service = OpbeatLayer::new(&agent).catch_panics(true).error_id_header(true).layer(service_fn(panics));
    let response = service.oneshot(Request::new(())).await.unwrap();
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!((response.status().as_u16(), error.message.as_str()), (500, "no shelf"));
    assert_eq!(response.headers()["x-opbeat-id"], error.id.to_string().as_str());
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
}

#[tokio::test]
async fn a_time_limit_outside_of_other_layers_is_recorded() {
    let (agent, exporter) = monitored();
    let limit = Duration::from_millis(200);
    let inner = OpbeatLayer::new(&agent).outer_time_limit(limit).layer(service_fn(never));
    let between = service_fn(move |request| {
        let inner = inner.clone();
        async move {
            let _ = tokio::time::timeout(limit / 20, std::future::pending::<()>()).await;
            inner.oneshot(request).await
        }
    });
    assert!(ServiceBuilder::new().timeout(limit).service(between).oneshot(Request::new(())).await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn a_body_timeout_is_recorded() {
    let (agent, exporter) = monitored();
    let endless = async |_: Request<()>| Ok::<_, Infallible>(app::pending_body());
    let limit = Duration::from_millis(1);
    let inside = ServiceBuilder::new().layer(ResponseBodyTimeoutLayer::new(limit)).service_fn(endless);
    let service = OpbeatLayer::new(&agent).layer(inside);
    assert!(service.oneshot(Request::new(())).await.unwrap().into_body().collect().await.is_err());
    // The type of the same error in the version of tower-http before is another one.
    let before = tower_http_06::timeout::ResponseBodyTimeoutLayer::new(limit);
    let inside = ServiceBuilder::new().layer(before).service_fn(endless);
    let service = OpbeatLayer::new(&agent).layer(inside);
    assert!(service.oneshot(Request::new(())).await.unwrap().into_body().collect().await.is_err());
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    assert_eq!(samples.len(), 2);
    for sample in samples {
        assert_eq!((sample.outcome, sample.result.to_string().as_str()), (Outcome::TimedOut, "timed_out"));
    }
    assert!(exporter.errors().is_empty(), "a time limit is an outcome");
}

#[tokio::test]
async fn a_panic_that_another_layer_catches_is_recorded() {
    let (agent, exporter) = monitored();
    let panics = async |_: Request<()>| -> Result<Response<app::Body>, Infallible> { panic!("no books") };
    let caught = ServiceBuilder::new().layer(CatchPanicLayer::new()).service_fn(panics);
    let response = OpbeatLayer::new(&agent).layer(caught).oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), 500);
    response.into_body().collect().await.unwrap();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
    assert_eq!(exporter.errors().len(), 1, "one failure is reported once");
}
