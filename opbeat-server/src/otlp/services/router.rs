//! The routes of both transports, on one port.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use super::accept::Otlp;
use super::directory::ServiceDirectory;
use super::{grpc, http};
use crate::intake::Intake;
use crate::otlp::messages::{ExportLogs, ExportMetrics, ExportTraces};

/// Returns the routes of OTLP.
pub(crate) fn router(intake: Intake, services: Arc<dyn ServiceDirectory>) -> Router {
    let package = "/opentelemetry.proto.collector";
    Router::new()
        .route("/v1/traces", post(http::export::<ExportTraces>).fallback(http::method_not_allowed))
        .route("/v1/logs", post(http::export::<ExportLogs>).fallback(http::method_not_allowed))
        .route("/v1/metrics", post(http::export::<ExportMetrics>).fallback(http::method_not_allowed))
        .route(&format!("{package}.trace.v1.TraceService/Export"), post(grpc::export::<ExportTraces>))
        .route(&format!("{package}.logs.v1.LogsService/Export"), post(grpc::export::<ExportLogs>))
        .route(&format!("{package}.metrics.v1.MetricsService/Export"), post(grpc::export::<ExportMetrics>))
        // Intake limits bodies, by `IntakeLimits`.
        .layer(DefaultBodyLimit::disable())
        .with_state(Otlp { intake, services })
}
