//! The environment variables of OpenTelemetry.

use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::messages::Temporality;
use crate::config::ConfigError;
use crate::export::http::{Peer, parse_url};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";

/// The names of a signal's variables. A variable of the signal has priority over the one for all signals.
pub(super) struct Names {
    /// The name in messages, such as `traces`.
    pub(super) signal: &'static str,
    path: &'static str,
    pub(super) endpoint: &'static str,
    headers: [&'static str; 2],
    protocol: [&'static str; 2],
    compression: [&'static str; 2],
    timeout: [&'static str; 2],
    /// The variable that switches the signal off.
    pub(super) exporter: &'static str,
}

macro_rules! names {
    ($signal:literal, $upper:literal) => {
        Names {
            signal: $signal,
            path: concat!("/v1/", $signal),
            endpoint: concat!("OTEL_EXPORTER_OTLP_", $upper, "_ENDPOINT"),
            headers: [concat!("OTEL_EXPORTER_OTLP_", $upper, "_HEADERS"), "OTEL_EXPORTER_OTLP_HEADERS"],
            protocol: [concat!("OTEL_EXPORTER_OTLP_", $upper, "_PROTOCOL"), "OTEL_EXPORTER_OTLP_PROTOCOL"],
            compression: [concat!("OTEL_EXPORTER_OTLP_", $upper, "_COMPRESSION"), "OTEL_EXPORTER_OTLP_COMPRESSION"],
            timeout: [concat!("OTEL_EXPORTER_OTLP_", $upper, "_TIMEOUT"), "OTEL_EXPORTER_OTLP_TIMEOUT"],
            exporter: concat!("OTEL_", $upper, "_EXPORTER"),
        }
    };
}

static TRACES: Names = names!("traces", "TRACES");
static METRICS: Names = names!("metrics", "METRICS");
static LOGS: Names = names!("logs", "LOGS");

/// The encoding of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Protobuf,
    Json,
}

/// The settings of the exporter. A signal is `None` if it is switched off.
pub(super) struct Settings {
    pub(super) traces: Option<SignalSettings>,
    pub(super) metrics: Option<SignalSettings>,
    pub(super) logs: Option<SignalSettings>,
    pub(super) temporality: Temporality,
    pub(super) service_name: Option<String>,
    pub(super) resource: Vec<(String, String)>,
}

/// The settings of a signal.
pub(super) struct SignalSettings {
    pub(super) names: &'static Names,
    pub(super) peer: Peer,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) protocol: Protocol,
    pub(super) is_gzip: bool,
    pub(super) timeout: Duration,
}

/// Returns whether a variable names a receiver, and none switches OpenTelemetry off.
pub(super) fn is_configured(get: impl Fn(&str) -> Option<String>) -> bool {
    let variables = Variables(get);
    let endpoints = [ENDPOINT, TRACES.endpoint, METRICS.endpoint, LOGS.endpoint];
    !variables.is_disabled() && endpoints.iter().any(|name| variables.get(name).is_some())
}

impl Settings {
    /// Reads the variables. An empty variable counts as not set.
    pub(super) fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables(get);
        Ok(Self {
            traces: variables.signal(&TRACES)?,
            metrics: variables.signal(&METRICS)?,
            logs: variables.signal(&LOGS)?,
            temporality: variables.temporality()?,
            service_name: variables.get("OTEL_SERVICE_NAME"),
            resource: variables.resource()?,
        })
    }

    /// Takes the metrics out, for an exporter of their own, if not all signals have the same receiver.
    ///
    /// Traces and logs stay together: an error is an event of a span or a log record, depending on the other data of
    /// its batch, and the batches of two exporters differ.
    pub(super) fn take_metrics(&mut self) -> Option<Self> {
        let mut others = [&self.traces, &self.logs].into_iter().flatten();
        let metrics = self.metrics.take_if(|metrics| others.any(|other| other.peer.url != metrics.peer.url))?;
        Some(Self {
            traces: None,
            metrics: Some(metrics),
            logs: None,
            temporality: self.temporality,
            service_name: self.service_name.clone(),
            resource: self.resource.clone(),
        })
    }
}

struct Variables<G>(G);

impl<G: Fn(&str) -> Option<String>> Variables<G> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Returns the first variable that is set, with its name.
    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        names.into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    fn is_disabled(&self) -> bool {
        self.get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn signal(&self, names: &'static Names) -> Result<Option<SignalSettings>, ConfigError> {
        let exporters = self.get(names.exporter);
        let is_chosen = exporters.is_none_or(|list| list.split(',').any(|exporter| exporter.trim() == "otlp"));
        if self.is_disabled() || !is_chosen {
            return Ok(None);
        }
        let (peer, uri) = self.endpoint(names)?;
        Ok(Some(SignalSettings {
            names,
            peer,
            uri,
            headers: self.headers(names)?,
            protocol: self.protocol(names)?,
            is_gzip: self.is_gzip(names)?,
            timeout: self.timeout(names)?,
        }))
    }

    /// Returns the receiver and its URL for a signal. The path of the signal is appended to the URL for all signals
    /// only.
    fn endpoint(&self, names: &Names) -> Result<(Peer, Uri), ConfigError> {
        let of_signal = self.get(names.endpoint);
        let variable = if of_signal.is_some() { names.endpoint } else { ENDPOINT };
        let is_base = of_signal.is_none();
        let value = of_signal.or_else(|| self.get(ENDPOINT)).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let url = if is_base { format!("{}{}", value.trim_end_matches('/'), names.path) } else { value.clone() };
        let parsed = parse_url(&url).filter(|(uri, _)| !is_base || uri.query().is_none());
        let Some((uri, is_https)) = parsed else { return Err(invalid_endpoint(variable, value)) };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        if authority.contains('@') {
            return Err(invalid_endpoint(variable, value));
        }
        let scheme = if is_https { "https" } else { "http" };
        let peer = Peer {
            url: format!("{scheme}://{authority}"),
            is_https,
            name: "OTLP receiver",
            start: "Start it",
            variable,
        };
        Ok((peer, uri))
    }

    fn headers(&self, names: &Names) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        let Some((name, list)) = self.first(names.headers) else { return Ok(headers) };
        for (key, value) in pairs(&list).ok_or_else(|| invalid_headers(name))? {
            let key = HeaderName::try_from(key).map_err(|_| invalid_headers(name))?;
            let mut value = HeaderValue::try_from(value).map_err(|_| invalid_headers(name))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(headers)
    }

    fn protocol(&self, names: &Names) -> Result<Protocol, ConfigError> {
        let Some((name, value)) = self.first(names.protocol) else { return Ok(Protocol::Protobuf) };
        match value.as_str() {
            "http/protobuf" => Ok(Protocol::Protobuf),
            "http/json" => Ok(Protocol::Json),
            "grpc" => Err(ConfigError::Invalid {
                name,
                value,
                expected: "supported: set `http/protobuf`, and the port for HTTP in the endpoint, usually 4318",
            }),
            _ => Err(ConfigError::Invalid { name, value, expected: "`http/protobuf` or `http/json`" }),
        }
    }

    fn is_gzip(&self, names: &Names) -> Result<bool, ConfigError> {
        let Some((name, value)) = self.first(names.compression) else { return Ok(false) };
        match value.as_str() {
            "gzip" => Ok(true),
            "none" => Ok(false),
            _ => Err(ConfigError::Invalid { name, value, expected: "`gzip` or `none`" }),
        }
    }

    fn timeout(&self, names: &Names) -> Result<Duration, ConfigError> {
        let Some((name, value)) = self.first(names.timeout) else { return Ok(DEFAULT_TIMEOUT) };
        match value.parse() {
            Ok(milliseconds @ 1..=3_600_000) => Ok(Duration::from_millis(milliseconds)),
            _ => Err(ConfigError::Invalid { name, value, expected: "a number of milliseconds between 1 and 3600000" }),
        }
    }

    fn temporality(&self) -> Result<Temporality, ConfigError> {
        let Some(value) = self.get(TEMPORALITY) else { return Ok(Temporality::Cumulative) };
        match value.to_ascii_lowercase().as_str() {
            "cumulative" => Ok(Temporality::Cumulative),
            "delta" | "lowmemory" => Ok(Temporality::Delta),
            _ => {
                Err(ConfigError::Invalid { name: TEMPORALITY, value, expected: "`cumulative`, `delta` or `lowmemory`" })
            }
        }
    }

    fn resource(&self) -> Result<Vec<(String, String)>, ConfigError> {
        const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(value) = self.get(NAME) else { return Ok(Vec::new()) };
        let expected = "a list such as `deployment.environment.name=production,service.namespace=shop`";
        pairs(&value).ok_or(ConfigError::Invalid { name: NAME, value, expected })
    }
}

/// Reads a list of `key=value`, where values are percent-encoded. Returns `None` if an entry is invalid.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(pair).collect()
}

fn pair(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    Some((decoded(key)?, decoded(value)?)).filter(|(key, _)| !key.is_empty())
}

fn invalid_endpoint(name: &'static str, url: String) -> ConfigError {
    // User names, passwords and keys belong into the headers, and never into a message.
    let value = match url.split_once('?') {
        _ if url.contains('@') => "[REDACTED]".to_owned(),
        Some((address, _)) => format!("{address}?[REDACTED]"),
        None => url,
    };
    ConfigError::Invalid { name, value, expected: "an address such as `http://localhost:4318`, without a user name" }
}

fn invalid_headers(name: &'static str) -> ConfigError {
    let expected = "a list such as `api-key=secret,tenant=shop`, with percent-encoded values";
    ConfigError::Invalid { name, value: "[REDACTED]".to_owned(), expected }
}
