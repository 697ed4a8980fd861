//! Histograms.

use serde::Serialize;

use super::json;
use super::values::{KeyValue, Resource, Scope};

/// A request with metrics.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ExportMetrics {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) resource_metrics: Vec<ResourceMetrics>,
}

/// The metrics of a resource.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) scope_metrics: Vec<ScopeMetrics>,
    /// The version of the semantic conventions.
    #[prost(string, tag = "3")]
    pub(in crate::export::otlp) schema_url: String,
}

/// The metrics of a library.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) metrics: Vec<Metric>,
}

/// A metric. All metrics of this project are histograms.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct Metric {
    #[prost(string, tag = "1")]
    pub(in crate::export::otlp) name: String,
    #[prost(string, tag = "2")]
    pub(in crate::export::otlp) description: String,
    #[prost(string, tag = "3")]
    pub(in crate::export::otlp) unit: String,
    /// The only member of a `oneof` that is used.
    #[prost(message, optional, tag = "9")]
    pub(in crate::export::otlp) histogram: Option<Histogram>,
}

/// Counts of values in buckets.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct Histogram {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) data_points: Vec<HistogramPoint>,
    #[prost(enumeration = "Temporality", tag = "2")]
    pub(in crate::export::otlp) aggregation_temporality: i32,
}

/// The time that a point covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(in crate::export::otlp) enum Temporality {
    Unspecified = 0,
    /// The time since the point before.
    Delta = 1,
    /// The time since the start of the process.
    Cumulative = 2,
}

/// The values with one set of attributes.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct HistogramPoint {
    #[prost(message, repeated, tag = "9")]
    pub(in crate::export::otlp) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) count: u64,
    #[prost(double, optional, tag = "5")]
    pub(in crate::export::otlp) sum: Option<f64>,
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(serialize_with = "json::texts")]
    pub(in crate::export::otlp) bucket_counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    pub(in crate::export::otlp) explicit_bounds: Vec<f64>,
    #[prost(double, optional, tag = "11")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::export::otlp) min: Option<f64>,
    #[prost(double, optional, tag = "12")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::export::otlp) max: Option<f64>,
}
