//! What an application starts once, and reports through.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::{allow_stacks, error_record, message_record};
use crate::config::{Config, ConfigError};
use crate::diagnosis::{Diagnosis, Probe, run_probe};
use crate::pipeline::{Build, Contact, Exporter, FlushError, Ignore, Pipeline, Recorder, Settings};
use crate::record::{ErrorId, ErrorRecord, Level};
use crate::transaction::{Active, CurrentTransaction, Transaction, current, spans_without_transaction};
use crate::{latest, notice, panic_hook};
use opbeat_secrets::Secrets;

/// Monitors an application: begins transactions, reports errors, delivers both in the background.
///
/// It is cheap to clone. When the last clone is dropped, what was recorded is delivered within
/// [`Config::shutdown_timeout`], and the thread that drops it waits for that: on an executor, call
/// [`shutdown`](Self::shutdown) from `spawn_blocking` before.
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
    running: Option<Arc<Running>>,
}

/// What stops when nobody holds it any more.
pub(crate) struct Running {
    pipeline: Pipeline,
    shutdown_timeout: Duration,
    /// Asks the way out once more, besides the thread that delivers.
    probe: Probe,
}

impl Agent {
    /// Starts an agent from the environment, by the variables that [`VARIABLES`](crate::config::VARIABLES) lists.
    ///
    /// What is wrong with them is logged as one error; the application then runs unmonitored.
    #[cfg(feature = "intake")]
    pub fn from_env() -> Self {
        Self::start_or_disable(Config::from_env())
    }

    /// Starts an agent that delivers to an Opbeat server.
    ///
    /// # Errors
    ///
    /// Returns an error if the configuration cannot work: no token, a URL that is none, no TLS.
    #[cfg(feature = "intake")]
    pub fn start(config: &Config) -> Result<Self, ConfigError> {
        if !config.enabled {
            return Ok(Self::disabled());
        }
        let exporter = crate::export::IntakeExporter::new(config)?;
        let copy = config.clone();
        Self::launch(config, exporter, Arc::new(move || probe_intake(&copy))).map_err(ConfigError::Thread)
    }

    /// Starts an agent that delivers through an exporter of your own.
    pub fn with_exporter(config: &Config, exporter: impl Exporter) -> Self {
        if !config.enabled {
            return Self::disabled();
        }
        let probe = || Contact::new("an exporter of the application's own");
        Self::launch(config, exporter, Arc::new(probe)).unwrap_or_else(|error| {
            let error = ConfigError::Thread(error).with_sources();
            notice::error(format_args!("{error}; the application runs unmonitored"));
            Self::disabled()
        })
    }

    /// Makes an agent that records nothing.
    pub const fn disabled() -> Self {
        Self { running: None }
    }

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

    /// Delivers what was recorded until now. It blocks: call it from `spawn_blocking` in asynchronous code.
    ///
    /// # Errors
    ///
    /// Returns an error if the deadline came first, or as soon as a delivery failed: nothing is lost by that. It returns
    /// [`FlushError::Rejected`] if all was delivered but what the server refused for good.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.running.as_ref().map_or(Ok(()), |running| running.pipeline.flush(timeout))
    }

    /// Delivers what was recorded until now, and stops. It blocks, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Returns an error if not everything was delivered; what is left then is lost.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.running.as_ref().map_or(Ok(()), |running| running.pipeline.shut_down(timeout))
    }

    /// Finds out what works and what does not. It asks the server, and blocks for five seconds at the most.
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
            drops: self.running.as_ref().map(|running| running.pipeline.drops()).unwrap_or_default(),
            spans_without_transaction: spans_without_transaction(),
        }
    }

    /// Returns whether anything is recorded. After a [`shutdown`](Self::shutdown), nothing is.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorder().is_some_and(Recorder::is_open)
    }

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.running.as_ref().map(|running| running.pipeline.recorder())
    }

    #[cfg(feature = "intake")]
    fn start_or_disable(config: Result<Config, ConfigError>) -> Self {
        config.and_then(|config| Self::start(&config)).unwrap_or_else(|error| {
            notice::error(format_args!("{}; the application runs unmonitored", error.with_sources()));
            Self::disabled()
        })
    }

    fn launch(config: &Config, exporter: impl Exporter, probe: Probe) -> std::io::Result<Self> {
        let pipeline = Pipeline::start(exporter, settings(config))?;
        let running = Arc::new(Running { pipeline, shutdown_timeout: config.shutdown_timeout, probe });
        allow_stacks();
        latest::enroll(&running, running.pipeline.recorder());
        if config.panic_hook {
            panic_hook::install(latest::recorder, flush_latest);
        }
        Ok(Self { running: Some(running) })
    }

    fn report(&self, record: ErrorRecord) -> Option<ErrorId> {
        report(record, || self.recorder().cloned())
    }
}

/// Reports a record with the current transaction, to its agent, or else to where `recorder` says.
fn report(record: ErrorRecord, recorder: impl FnOnce() -> Option<Recorder>) -> Option<ErrorId> {
    let current = current();
    if current.is_recording() { current.report(record) } else { recorder()?.capture(record, None) }
}

/// Returns whether a report would find anybody.
fn is_anybody_there() -> bool {
    current().is_recording() || latest::recorder().is_some()
}

fn settings(config: &Config) -> Settings {
    Settings {
        flush_interval: config.bounded_flush_interval(),
        blocking_threshold: u64::try_from(config.blocking_threshold.as_nanos()).unwrap_or(u64::MAX),
        ignore: Ignore::new(&config.ignore_names, &config.ignore_user_agents),
        secrets: Secrets::new(&config.secret_names),
    }
}

/// Reports an error, to the current transaction's agent or else to the one that was started last.
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
    if !is_anybody_there() {
        return None;
    }
    report(error_record(error), latest::recorder)
}

/// Reports a message, to the current transaction's agent or else to the one that was started last.
///
/// Returns the report's id.
#[track_caller]
pub fn capture_message(level: Level, message: impl Into<String>) -> Option<ErrorId> {
    if !is_anybody_there() {
        return None;
    }
    report(message_record(level, message.into()), latest::recorder)
}

/// Reports a record, to the current transaction's agent or else to the one that was started last.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn report_latest(record: ErrorRecord) -> Option<ErrorId> {
    report(record, latest::recorder)
}

#[cfg(feature = "intake")]
fn probe_intake(config: &Config) -> Contact {
    match crate::export::IntakeExporter::new(config) {
        Ok(mut exporter) => exporter.contact(),
        Err(error) => Contact::new(format!("not asked: {error}")),
    }
}

/// Delivers what there is while there still is a process.
fn flush_latest() {
    if let Some(running) = latest::agent() {
        // There is nobody left to tell.
        let _ = running.pipeline.flush(running.shutdown_timeout);
    }
}

/// Delivers what is left, within the deadline.
impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants to know calls `shutdown`; after that, this does nothing.
        let _ = self.pipeline.shut_down(self.shutdown_timeout);
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("recording", &self.is_recording()).finish()
    }
}
