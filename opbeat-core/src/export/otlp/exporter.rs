//! The exporter to a receiver of OpenTelemetry.

use std::fmt;

use prost::Message;
use serde::Serialize;

use super::answer::Answer;
use super::histograms::Histograms;
use super::messages::ExportTraces;
use super::settings::{Settings, SignalSettings, is_configured};
use super::signal::Signal;
use super::source::Source;
use super::{logs, traces};
use crate::config::{Config, ConfigError};
use crate::export::http::Transport;
use crate::notice;
use crate::pipeline::{Batch, Contact, ExportError, Exporter};
use crate::record::Drops;

/// An exporter to a receiver of OpenTelemetry: a collector, or a service that accepts OTLP over HTTP.
///
/// It sends
///
/// - the sampled transactions and their spans as spans. Their ids are those that calls to other services contain in
///   `traceparent`;
/// - errors as `exception` events of their transaction's span. An error whose transaction is not sampled, or that is
///   sent before it, is a log record in the trace of the transaction, and so is each report below `Level::Error`;
/// - the durations of all transactions as histograms: `http.server.request.duration`, `rpc.server.call.duration` for
///   gRPC, and `opbeat.job.duration`.
///
/// Names follow the [semantic conventions]; names without one begin with `opbeat.`.
///
/// If a response is lost, a request is sent again. Receivers recognise spans by their ids, and the points of cumulative
/// histograms by their series. Points of delta histograms then count twice.
///
/// [semantic conventions]: https://opentelemetry.io/docs/specs/semconv/
///
/// # Examples
///
/// ```no_run
/// use opbeat_core::export::{IntakeExporter, OtlpExporter};
/// use opbeat_core::{Agent, Config};
///
/// let config = Config::from_env()?;
/// // Beside an Opbeat server. `Agent::with_exporter` uses a receiver of OpenTelemetry only.
/// let intake = IntakeExporter::new(&config)?;
/// let otlp = OtlpExporter::from_env(&config)?;
/// let agent = Agent::with_exporters(&config, vec![Box::new(intake), Box::new(otlp)]);
/// # Ok::<(), opbeat_core::config::ConfigError>(())
/// ```
pub struct OtlpExporter {
    source: Source,
    traces: Option<Signal>,
    logs: Option<Signal>,
    metrics: Option<Signal>,
    histograms: Histograms,
    transport: Option<Transport>,
    /// Whether a receiver's warning was logged.
    has_warned: bool,
}

impl OtlpExporter {
    /// Makes an exporter from the [standard environment variables]. It connects at the first delivery.
    ///
    /// | variable | default |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | `http://localhost:4318` |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf`; also `http/json`, but not `grpc` |
    /// | `OTEL_EXPORTER_OTLP_HEADERS` | none |
    /// | `OTEL_EXPORTER_OTLP_COMPRESSION` | `none`; also `gzip` |
    /// | `OTEL_EXPORTER_OTLP_TIMEOUT` | 10000, in milliseconds |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative`; also `delta` and `lowmemory` |
    /// | `OTEL_SERVICE_NAME` | the app's id |
    /// | `OTEL_RESOURCE_ATTRIBUTES` | none |
    /// | `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_LOGS_EXPORTER` | `otlp`; `none` switches a signal off |
    ///
    /// The first five have variants for a signal, such as `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. The configuration's
    /// release and host name become `service.version` and `host.name`.
    ///
    /// [standard environment variables]: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    ///
    /// # Errors
    ///
    /// Returns an error if a variable has an invalid value, or TLS is needed but not available.
    pub fn from_env(config: &Config) -> Result<Self, ConfigError> {
        Self::from_variables(config, |name| std::env::var(name).ok())
    }

    /// Makes an exporter from the same variables in another source, such as a file or a test.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`from_env`](Self::from_env).
    pub fn from_variables(config: &Config, get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::new(config, Settings::read(get)?)
    }

    /// Makes the exporters from the environment variables: one, or a second one for the metrics if not all signals have
    /// the same receiver. A failed batch is sent again before later ones, so metrics would wait for a dead receiver of
    /// traces.
    pub(crate) fn all_from_env(config: &Config) -> Result<Vec<Self>, ConfigError> {
        let mut settings = Settings::read(|name| std::env::var(name).ok())?;
        let metrics = settings.take_metrics();
        std::iter::once(settings).chain(metrics).map(|settings| Self::new(config, settings)).collect()
    }

    fn new(config: &Config, settings: Settings) -> Result<Self, ConfigError> {
        let source = Source::new(config, &settings);
        let histograms = Histograms::new(settings.temporality);
        let signal = |settings: Option<SignalSettings>| settings.map(|settings| Signal { settings });
        let [traces, logs, metrics] = [settings.traces, settings.logs, settings.metrics].map(signal);
        let peers: Vec<_> =
            [&traces, &logs, &metrics].into_iter().flatten().map(|signal| &signal.settings.peer).collect();
        // A client with TLS also connects without it.
        let peer = peers.iter().find(|peer| peer.is_https).or_else(|| peers.first());
        let transport = peer.map(|peer| Transport::new(peer)).transpose()?;
        Ok(Self { source, traces, logs, metrics, histograms, transport, has_warned: false })
    }

    /// Returns whether a variable of the environment names a receiver.
    pub(crate) fn is_configured() -> bool {
        is_configured(|name| std::env::var(name).ok())
    }

    /// Checks whether a delivery would work, for a diagnosis: with a request without spans.
    pub(crate) fn contact(&mut self) -> Contact {
        let Some(signal) = [&self.traces, &self.metrics, &self.logs].into_iter().find_map(Option::as_ref) else {
            return Contact::new("OpenTelemetry: all signals are switched off");
        };
        let Some(transport) = &mut self.transport else { return Contact::default() };
        let url = &signal.settings.peer.url;
        let mut contact = match signal.send(transport, &ExportTraces::default()) {
            Ok(Answer::Rejected(reason)) => {
                let mut contact = Contact::new(reason);
                contact.is_reached = Some(true);
                contact
            }
            Ok(_) => {
                let mut contact = Contact::new(format!("delivers to the OTLP receiver at {url}"));
                (contact.is_reached, contact.is_token_accepted) = (Some(true), Some(true));
                contact
            }
            Err(error) => Contact::failed(error),
        };
        contact.is_tls = Some(signal.settings.peer.is_https);
        contact
    }

    fn export_traces(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let Some(signal) = &self.traces else {
            batch.samples.clear();
            return Ok(());
        };
        while let Some(chunk) = traces::next(batch, &self.source) {
            let answer = send(signal, &mut self.transport, &chunk.message, &mut self.has_warned)?;
            let contents = chunk.remove_from(batch);
            settle(batch, answer, contents, |spans| Drops { spans, ..Drops::default() });
        }
        Ok(())
    }

    fn export_logs(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let Some(signal) = &self.logs else {
            // An error stays if it waits for the request with the sample of its transaction.
            let mut errors = std::mem::take(&mut batch.errors);
            errors.retain(|error| traces::is_event(error, batch));
            batch.errors = errors;
            return Ok(());
        };
        while let Some(chunk) = logs::next(batch, &self.source) {
            let answer = send(signal, &mut self.transport, &chunk.message, &mut self.has_warned)?;
            let contents = chunk.remove_from(batch);
            settle(batch, answer, contents, |errors| Drops { errors, ..Drops::default() });
        }
        Ok(())
    }

    fn export_metrics(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let Some(signal) = &self.metrics else {
            batch.durations.clear();
            return Ok(());
        };
        while let Some(chunk) = self.histograms.next(batch, &self.source) {
            let answer = send(signal, &mut self.transport, &chunk.message, &mut self.has_warned)?;
            let contents = chunk.remove_from(batch);
            if !matches!(answer, Answer::Rejected(_)) {
                self.histograms.commit(chunk);
            }
            // A point stands for many transactions, whose number the answer does not contain.
            settle(batch, answer, contents, |_| Drops { rejected: 1, ..Drops::default() });
        }
        Ok(())
    }

    fn is_same_peer(one: Option<&Signal>, other: Option<&Signal>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one.settings.peer.url == other.settings.peer.url)
    }
}

/// Sends a message. A receiver's warning is logged once.
fn send<M: Message + Serialize>(
    signal: &Signal,
    transport: &mut Option<Transport>,
    message: &M,
    has_warned: &mut bool,
) -> Result<Answer, ExportError> {
    let Some(transport) = transport else { return Ok(Answer::Accepted) };
    let answer = signal.send(transport, message)?;
    if let Answer::Warning(warning) = &answer
        && !std::mem::replace(has_warned, true)
    {
        notice::warn(format_args!("{warning}"));
    }
    Ok(answer)
}

/// Counts the data that a receiver rejected.
fn settle(batch: &mut Batch, answer: Answer, contents: Drops, partial: impl Fn(u64) -> Drops) {
    match answer {
        Answer::Accepted | Answer::Warning(_) => {}
        Answer::Partial(rejected, reason) => batch.reject(partial(rejected), reason),
        Answer::Rejected(reason) => batch.reject(contents, reason),
    }
}

impl Exporter for OtlpExporter {
    /// Sends each signal. If one fails, the others are sent only if they have another receiver: each attempt may last
    /// until its timeout.
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        // The time by kind of span follows from the spans, and a receiver knows no dropped data and no check-ins.
        batch.breakdown.clear();
        batch.check_ins.clear();
        batch.drops = Drops::default();
        let traces = self.export_traces(batch);
        let is_traces_away =
            |other: &Option<Signal>| traces.is_err() && Self::is_same_peer(self.traces.as_ref(), other.as_ref());
        let (skips_logs, skips_metrics) = (is_traces_away(&self.logs), is_traces_away(&self.metrics));
        let logs = if skips_logs { Ok(()) } else { self.export_logs(batch) };
        let is_logs_away = logs.is_err() && Self::is_same_peer(self.logs.as_ref(), self.metrics.as_ref());
        let metrics = if skips_metrics || is_logs_away { Ok(()) } else { self.export_metrics(batch) };
        traces.and(logs).and(metrics)
    }
}

impl fmt::Debug for OtlpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query of an address may contain a key.
        let shown = |SignalSettings { peer, uri, .. }: &SignalSettings| format!("{}{}", peer.url, uri.path());
        let url = |signal: &Option<Signal>| signal.as_ref().map(|signal| shown(&signal.settings));
        f.debug_struct("OtlpExporter")
            .field("traces", &url(&self.traces))
            .field("logs", &url(&self.logs))
            .field("metrics", &url(&self.metrics))
            .finish_non_exhaustive()
    }
}
