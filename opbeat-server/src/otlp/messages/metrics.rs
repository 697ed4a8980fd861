//! Metrics, of which the server only counts the instruments.

use serde::Deserialize;

use super::json;

/// The request of `/v1/metrics`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ExportMetrics {
    /// The metrics by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) resource_metrics: Vec<ResourceMetrics>,
}

/// The metrics of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ResourceMetrics {
    /// The metrics by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) scope_metrics: Vec<ScopeMetrics>,
}

/// The metrics of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct ScopeMetrics {
    /// The metrics.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) metrics: Vec<Metric>,
}

/// A metric.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct Metric {
    /// The name.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) name: String,
}
