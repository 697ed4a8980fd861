//! The agent, which an application starts once.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::{allow_stacks, error_record, message_record};
use crate::config::{Config, ConfigError};
#[cfg(feature = "intake")]
use crate::destinations::Destinations;
use crate::diagnosis::{Diagnosis, Probe, run_probe};
use crate::pipeline::{Build, Contact, Exporter, FlushError, Ignore, Pipeline, Recorder, SampleLimits, Settings};
use crate::record::{ErrorId, ErrorRecord, Level};
use crate::reported_panic::is_hook_replaced;
use crate::running_agent::RunningAgent;
use crate::transaction::{
    Active, CurrentTransaction, Transaction, current, spans_without_transaction, unfinished_spans,
};
use crate::{latest, main_thread, notice, panic_hook};
use opbeat_secrets::Secrets;

/// Monitors an application: begins transactions, reports errors and delivers both in the background.
///
/// Cloning it is cheap. When the last clone is dropped, the recorded data is delivered within
/// [`Config::shutdown_timeout`], and the dropping thread waits for that. In asynchronous code, call
/// [`shutdown`](Self::shutdown) from `spawn_blocking` before.
///
/// The end of the main thread delivers too, if the agent was started on that thread: also at `std::process::exit`,
/// and while other threads still hold clones. This depends on destructors of thread-local values, which Linux with glibc
/// and macOS run on the main thread, and other systems may not.
///
/// # Examples
///
/// ```no_run
/// use opbeat_core::Agent;
///
/// let agent = Agent::from_env();
/// let transaction = agent.begin_transaction("task.newsletter");
/// transaction.end("shop.newsletter", "ok");
/// ```
#[derive(Clone)]
#[must_use = "monitoring ends when the last clone of the agent is dropped"]
pub struct Agent {
    running: Option<Arc<RunningAgent>>,
}

/// The start.
impl Agent {
    /// Starts an agent with the configuration in the environment variables that
    /// [`VARIABLES`](crate::config::VARIABLES) lists.
    ///
    /// Invalid variables are logged as one error, and the application then runs without monitoring.
    ///
    /// With the feature `otlp`, the agent also delivers to a receiver of OpenTelemetry if
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` is set, or the variable of a signal, such as
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. Then the organization, the app and the token of an Opbeat server are
    /// not required: without all three, the agent delivers to the receiver only. If the variables of OpenTelemetry are
    /// invalid, that is logged as an error, and the Opbeat server still receives its data.
    ///
    /// Do not let both lead to the same Opbeat server: it would count each request twice.
    #[cfg(feature = "intake")]
    pub fn from_env() -> Self {
        let started = Destinations::from_env().and_then(|found| found.map_or(Ok(Self::disabled()), Self::start_with));
        started.unwrap_or_else(|error| Self::disabled_by(&error))
    }

    /// Starts an agent that delivers to an Opbeat server.
    ///
    /// # Errors
    ///
    /// Returns an error if the configuration has no token, an invalid URL, or an HTTPS URL while TLS is not available.
    /// It also returns one if the system cannot start a thread.
    #[cfg(feature = "intake")]
    pub fn start(config: &Config) -> Result<Self, ConfigError> {
        if !config.enabled {
            return Ok(Self::disabled());
        }
        Self::start_with(Destinations::intake(config)?)
    }

    #[cfg(feature = "intake")]
    fn start_with(destinations: Destinations) -> Result<Self, ConfigError> {
        let Destinations { config, exporters, probe } = destinations;
        Self::launch(&config, exporters, probe).map_err(ConfigError::Thread)
    }

    /// Starts an agent that delivers with an exporter of the application.
    ///
    /// If the system cannot start its threads, that is logged as an error, and the application then runs without
    /// monitoring.
    pub fn with_exporter(config: &Config, exporter: impl Exporter) -> Self {
        Self::with_exporters(config, vec![Box::new(exporter)])
    }

    /// Starts an agent that delivers with several exporters of the application, such as to an Opbeat server and to a
    /// receiver of OpenTelemetry. Each of them receives all data.
    ///
    /// Each exporter has a thread and a memory for undelivered data of its own. An exporter that fails or hangs neither
    /// delays nor loses the data of the others. A flush waits for all of them.
    ///
    /// If the system cannot start its threads, that is logged as an error, and the application then runs without
    /// monitoring.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config};
    /// # use opbeat_testing::MemoryExporter;
    /// let (one, other) = (MemoryExporter::default(), MemoryExporter::default());
    /// let agent = Agent::with_exporters(&Config::default(), vec![Box::new(one.clone()), Box::new(other.clone())]);
    /// agent.begin_transaction("task.example").end("example", "ok");
    /// agent.flush(std::time::Duration::from_secs(5))?;
    /// assert_eq!((one.count("example"), other.count("example")), (1, 1));
    /// # Ok::<(), opbeat_core::export::FlushError>(())
    /// ```
    pub fn with_exporters(config: &Config, exporters: Vec<Box<dyn Exporter>>) -> Self {
        if !config.enabled {
            return Self::disabled();
        }
        let probe = || Contact::new("an exporter of the application's own");
        Self::launch(config, exporters, Arc::new(probe))
            .unwrap_or_else(|error| Self::disabled_by(&ConfigError::Thread(error)))
    }

    /// Makes an agent that records nothing.
    pub const fn disabled() -> Self {
        Self { running: None }
    }

    fn disabled_by(error: &ConfigError) -> Self {
        notice::error(format_args!("{}; the application runs unmonitored", error.with_sources()));
        Self::disabled()
    }

    fn launch(config: &Config, exporters: Vec<Box<dyn Exporter>>, probe: Probe) -> std::io::Result<Self> {
        let pipeline = Pipeline::start(exporters, settings(config))?;
        let running = Arc::new(RunningAgent { pipeline, shutdown_timeout: config.shutdown_timeout, probe });
        allow_stacks();
        latest::add(&running);
        main_thread::deliver_at_end(&running.pipeline, config.shutdown_timeout);
        if config.panic_hook {
            panic_hook::install(latest::recorder, flush_latest);
        }
        Ok(Self { running: Some(running) })
    }
}

impl Agent {
    /// Begins a transaction of a dotted kind, such as `task.newsletter`.
    pub fn begin_transaction(&self, kind: impl Into<Cow<'static, str>>) -> Transaction {
        let active = self.recorder().map(|recorder| Active::begin(recorder, kind.into(), |_| ()));
        Transaction::new(CurrentTransaction { active })
    }

    /// Reports an error, with the current transaction if there is one. Returns the report's id.
    #[track_caller]
    pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> Option<ErrorId> {
        if !self.is_recording() {
            return None;
        }
        self.report(error_record(error))
    }

    /// Reports a message, with the current transaction if there is one. Returns the report's id.
    #[track_caller]
    pub fn capture_message(&self, level: Level, message: impl Into<String>) -> Option<ErrorId> {
        if !self.is_recording() {
            return None;
        }
        self.report(message_record(level, message.into()))
    }

    /// Delivers the data that was recorded until now. It blocks: call it from `spawn_blocking` in asynchronous code.
    ///
    /// # Errors
    ///
    /// Returns an error at the deadline, or as soon as a delivery fails. The data is then kept and delivered later. It
    /// returns [`FlushError::Rejected`] if the server rejected some data for good, and everything else was delivered.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.running.as_ref().map_or(Ok(()), |running| running.pipeline.flush(timeout))
    }

    /// Delivers the data that was recorded until now, and stops. It blocks for at most `timeout`.
    ///
    /// Requests and jobs that are still open are counted as dropped transactions, because their end comes too late.
    /// Stop the server first, so that few requests are open.
    ///
    /// # Errors
    ///
    /// Returns an error if not everything was delivered. The rest is dropped.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.running.as_ref().map_or(Ok(()), |running| running.pipeline.shut_down(timeout))
    }

    /// Reports whether the agent records, whether the server accepts its data, and how the application was built. It
    /// also reports how much data was dropped, and how many spans were started outside of a running transaction.
    ///
    /// It contacts the server, and blocks for at most five seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config};
    /// # use opbeat_testing::MemoryExporter;
    /// let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// println!("{}", agent.diagnose());
    /// ```
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        let server = self.running.as_ref().map(|running| run_probe(&running.probe));
        Diagnosis {
            is_recording: self.is_recording(),
            server: server.unwrap_or_else(|| Contact::new("not asked: the agent is disabled, or could not start")),
            build: Build::of_this_process(),
            open_transactions: self.open_transactions(),
            drops: self.running.as_ref().map(|running| running.pipeline.drops()).unwrap_or_default(),
            spans_without_transaction: spans_without_transaction(),
            unfinished_spans: unfinished_spans(),
            is_panic_hook_replaced: is_hook_replaced(),
        }
    }

    /// Returns whether the agent records: it is not disabled, and [`shutdown`](Self::shutdown) was not called.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorder().is_some_and(Recorder::is_open)
    }

    /// Returns the number of transactions that have begun and not ended: requests in flight, and running jobs.
    ///
    /// A request lasts to the end of its response body. Ignored requests, such as health checks, are included.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config};
    /// # use opbeat_testing::MemoryExporter;
    /// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// let job = agent.begin_transaction("task.newsletter");
    /// assert_eq!(agent.open_transactions(), 1);
    /// drop(job);
    /// assert_eq!(agent.open_transactions(), 0);
    /// ```
    #[must_use]
    pub fn open_transactions(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.pipeline.open_transactions())
    }

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.running.as_ref().map(|running| running.pipeline.recorder())
    }

    fn report(&self, record: ErrorRecord) -> Option<ErrorId> {
        report(record, || self.recorder().cloned())
    }
}

/// Reports a record with the current transaction, to its agent, or else to the given recorder.
fn report(record: ErrorRecord, recorder: impl FnOnce() -> Option<Recorder>) -> Option<ErrorId> {
    let current = current();
    if current.is_recording() { current.report(record) } else { recorder()?.capture(record, None) }
}

/// Returns whether any agent would receive a report. If not, no record is made.
fn has_receiver() -> bool {
    current().is_recording() || latest::recorder().is_some()
}

fn settings(config: &Config) -> Settings {
    Settings {
        flush_interval: config.bounded_flush_interval(),
        // Each request compares its longest poll with this, and counts in nanoseconds.
        blocking_threshold: u64::try_from(config.blocking_threshold.as_nanos()).unwrap_or(u64::MAX),
        n_plus_one: config.n_plus_one,
        ignore: Ignore::new(&config.ignore_names, &config.ignore_user_agents),
        samples: SampleLimits::new(&config.samples),
        before_send: config.before_send.clone(),
        response_headers: config.response_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
        log_lines: config.log_lines,
        secrets: Secrets::new(&config.secret_names),
    }
}

/// Reports an error to the current transaction's agent, or else to the running agent that was started last.
///
/// Returns the report's id.
///
/// # Examples
///
/// ```
/// if let Err(error) = "twelve".parse::<u32>() {
///     opbeat_core::capture_error(&error);
/// }
/// ```
#[track_caller]
pub fn capture_error<E: Error + ?Sized>(error: &E) -> Option<ErrorId> {
    if !has_receiver() {
        return None;
    }
    report(error_record(error), latest::recorder)
}

/// Reports a message to the current transaction's agent, or else to the running agent that was started last.
///
/// Returns the report's id.
#[track_caller]
pub fn capture_message(level: Level, message: impl Into<String>) -> Option<ErrorId> {
    if !has_receiver() {
        return None;
    }
    report(message_record(level, message.into()), latest::recorder)
}

/// Reports a record to the current transaction's agent, or else to the running agent that was started last.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn report_latest(record: ErrorRecord) -> Option<ErrorId> {
    report(record, latest::recorder)
}

/// Delivers the recorded data of the latest agent, from the panic hook, before the process ends.
fn flush_latest() {
    if let Some(running) = latest::agent() {
        running.flush_before_exit();
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("recording", &self.is_recording()).finish()
    }
}
