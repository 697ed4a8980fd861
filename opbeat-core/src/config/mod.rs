//! The configuration of an agent.

mod env;
mod error;
mod health_checks;

use std::sync::Arc;
use std::time::Duration;

pub use env::{VARIABLES, Variable};
pub use error::ConfigError;
pub use health_checks::HEALTH_CHECKS;

use crate::pipeline::BeforeSend;
use crate::record::{ErrorRecord, Level, TransactionRecord};

/// The address on which a server listens that is started without options.
const DEFAULT_SERVER_URL: &str = "http://127.0.0.1:8200";

/// The configuration of an agent.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use opbeat_core::Config;
///
/// let config = Config::new("acme", "shop", "s3cret")
///     .server_url("https://opbeat.acme.example")
///     .release("2024-06-01-a1b2c3")
///     .flush_interval(Duration::from_secs(1));
/// assert!(config.enabled);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The organization's id.
    pub organization_id: String,
    /// The app's id.
    pub app_id: String,
    /// The app's secret token.
    pub secret_token: String,
    /// The server's address, with a path only if a proxy serves it under one. Default: `http://127.0.0.1:8200`.
    pub server_url: String,
    /// Whether the agent records and sends data. Default: true.
    pub enabled: bool,
    /// The running release: a commit hash or a version.
    pub release: Option<String>,
    /// The machine's name. Default: the system's host name.
    pub hostname: Option<String>,
    /// The time between two deliveries, between 10 ms and one hour. Default: 5 s.
    pub flush_interval: Duration,
    /// The longest time that the end of the process waits for the last delivery. Default: 2 s.
    pub shutdown_timeout: Duration,
    /// Whether a panic hook reports panics. Once installed, the hook stays until the process ends. Default: true.
    pub panic_hook: bool,
    /// Names of transactions that are not recorded, as patterns with `*` and `?`. Default: [`HEALTH_CHECKS`]. With an
    /// empty list, health checks are recorded too.
    pub ignore_names: Vec<String>,
    /// User agents whose requests are not recorded, as patterns with `*` and `?`. Default: none.
    pub ignore_user_agents: Vec<String>,
    /// Names of headers, cookies, parameters, tags and extra values that are secret, as patterns with `*` and `?`, in
    /// addition to the names that always are. Default: none.
    pub secret_names: Vec<String>,
    /// The time after which a poll of a handler is reported, because it blocks all other tasks of its executor's
    /// thread. Default: 100 ms.
    pub blocking_threshold: Duration,
    /// The number of equal queries or calls of one transaction from which on they are flagged as N+1, with the line that
    /// issues them. 0 flags none. Default: 5.
    pub n_plus_one: u32,
    /// The number of random span trees that are kept of each name in an interval, by patterns of names with `*` and
    /// `?`. The last pattern that matches counts. Default: one for each name.
    pub samples: Vec<(String, usize)>,
    /// Names of the response headers that error reports show. Default: none.
    pub response_headers: Vec<String>,
    /// The lowest level of the log lines that error reports show; `None` if they show none. Default: [`Level::Info`]. The
    /// lines come from the layer or the logger in `events`.
    pub log_lines: Option<Level>,
    /// The functions that change or drop what is sent.
    pub(crate) before_send: BeforeSend,
}

/// The smallest and the largest flush interval. Shorter ones keep a processor busy for nothing, and longer ones are
/// most likely a mistake.
const FLUSH_INTERVALS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3_600));

impl Default for Config {
    fn default() -> Self {
        Self {
            organization_id: String::new(),
            app_id: String::new(),
            secret_token: String::new(),
            server_url: DEFAULT_SERVER_URL.to_owned(),
            enabled: true,
            release: None,
            hostname: None,
            flush_interval: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(2),
            panic_hook: true,
            ignore_names: HEALTH_CHECKS.iter().map(|&name| name.to_owned()).collect(),
            ignore_user_agents: Vec::new(),
            secret_names: Vec::new(),
            blocking_threshold: Duration::from_millis(100),
            n_plus_one: 5,
            samples: Vec::new(),
            response_headers: Vec::new(),
            log_lines: Some(Level::Info),
            before_send: BeforeSend::default(),
        }
    }
}

impl Config {
    /// Makes a configuration for an app. All other settings have their defaults.
    #[must_use]
    pub fn new(organization_id: impl Into<String>, app_id: impl Into<String>, secret_token: impl Into<String>) -> Self {
        Self {
            organization_id: organization_id.into(),
            app_id: app_id.into(),
            secret_token: secret_token.into(),
            ..Self::default()
        }
    }

    /// Sets the server's address.
    #[must_use]
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.server_url = url.into();
        self
    }

    /// Sets the running release.
    #[must_use]
    pub fn release(mut self, release: impl Into<String>) -> Self {
        self.release = Some(release.into());
        self
    }

    /// Sets the machine's name.
    #[must_use]
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// Sets the time between two deliveries.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Sets the longest time that the end of the process waits for the last delivery.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Sets whether the agent records and sends data.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Ignores transactions whose name matches a pattern with `*` and `?`, in addition to those ignored already.
    #[must_use]
    pub fn ignore_name(mut self, pattern: impl Into<String>) -> Self {
        self.ignore_names.push(pattern.into());
        self
    }

    /// Ignores requests whose user agent matches a pattern with `*` and `?`.
    #[must_use]
    pub fn ignore_user_agent(mut self, pattern: impl Into<String>) -> Self {
        self.ignore_user_agents.push(pattern.into());
        self
    }

    /// Treats values whose name matches a pattern as secret: values of headers, cookies, parameters, tags and extra
    /// values.
    ///
    /// `*` stands for any characters, `?` for one. Case does not matter.
    #[must_use]
    pub fn secret_name(mut self, pattern: impl Into<String>) -> Self {
        self.secret_names.push(pattern.into());
        self
    }

    /// Sets the time after which a poll of a handler is reported.
    #[must_use]
    pub fn blocking_threshold(mut self, threshold: Duration) -> Self {
        self.blocking_threshold = threshold;
        self
    }

    /// Sets how many equal queries or calls of one transaction are flagged as N+1: queries of a database, calls of other
    /// services, accesses to a cache, and messages. 0 flags none.
    #[must_use]
    pub fn n_plus_one(mut self, number: u32) -> Self {
        self.n_plus_one = number;
        self
    }

    /// Sets how many random span trees are kept in an interval of each name that matches a pattern with `*` and `?`.
    ///
    /// Beside these, the first transaction ever, up to three failed ones and the slowest one of a name are kept. If the
    /// number is 0, no span tree of such names is kept at all. All transactions are counted in any case.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_core::Config;
    ///
    /// let config = Config::default().sample("GET /metrics", 0).sample("POST /checkout", 20);
    /// assert_eq!(config.samples.len(), 2);
    /// ```
    #[must_use]
    pub fn sample(mut self, pattern: impl Into<String>, number: usize) -> Self {
        self.samples.push((pattern.into(), number));
        self
    }

    /// Records a header of failed responses (4xx and 5xx), which error reports and samples of the request then show.
    /// Case does not matter. Values of secret names are removed.
    #[must_use]
    pub fn response_header(mut self, name: impl Into<String>) -> Self {
        self.response_headers.push(name.into());
        self
    }

    /// Sets the lowest level of the log lines that error reports show, or shows none with `None`.
    ///
    /// A report shows the last 20 lines that its transaction logged before it, of at most 500 bytes each and 8 KiB in
    /// total. Secrets in them are removed.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_core::{Config, Level};
    ///
    /// let config = Config::default().log_lines(Level::Debug);
    /// assert_eq!(config.log_lines(None).log_lines, None);
    /// ```
    #[must_use]
    pub fn log_lines(mut self, lowest: impl Into<Option<Level>>) -> Self {
        self.log_lines = lowest.into();
        self
    }

    /// Sets a function that is called with each error report before it is sent. The function may change the report, and
    /// drops it by returning false. It replaces an earlier function.
    ///
    /// It runs on the agent's own thread, and so it delays no request, only the next delivery. Secrets are removed after
    /// it. If it panics, the report is dropped and counted.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_core::Config;
    ///
    /// let config = Config::default().before_send_error(|error| {
    ///     error.user = None;
    ///     error.message != "the cache is cold"
    /// });
    /// ```
    #[must_use]
    pub fn before_send_error(mut self, hook: impl Fn(&mut ErrorRecord) -> bool + Send + Sync + 'static) -> Self {
        self.before_send.error = Some(Arc::new(hook));
        self
    }

    /// Sets a function that is called with each sampled transaction before it is sent. It works as the one of
    /// [`before_send_error`](Self::before_send_error). The counts of all transactions do not pass through it.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_core::Config;
    ///
    /// let config = Config::default().before_send_sample(|sample| {
    ///     sample.spans.iter_mut().for_each(|span| span.extra.clear());
    ///     true
    /// });
    /// ```
    #[must_use]
    pub fn before_send_sample(mut self, hook: impl Fn(&mut TransactionRecord) -> bool + Send + Sync + 'static) -> Self {
        self.before_send.sample = Some(Arc::new(hook));
        self
    }

    /// Returns the flush interval within its limits.
    pub(crate) fn bounded_flush_interval(&self) -> Duration {
        self.flush_interval.clamp(FLUSH_INTERVALS.0, FLUSH_INTERVALS.1)
    }

    /// Sets whether a panic hook reports panics.
    #[must_use]
    pub fn panic_hook(mut self, panic_hook: bool) -> Self {
        self.panic_hook = panic_hook;
        self
    }
}

/// Omits the token, which must not appear in logs.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("organization_id", &self.organization_id)
            .field("app_id", &self.app_id)
            .field("server_url", &self.server_url)
            .field("enabled", &self.enabled)
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flush_intervals_are_limited() {
        let bounded = |interval| Config::default().flush_interval(interval).bounded_flush_interval();
        assert_eq!(bounded(Duration::ZERO), Duration::from_millis(10));
        assert_eq!(bounded(Duration::MAX), Duration::from_secs(3_600));
        assert_eq!(bounded(Duration::from_secs(1)), Duration::from_secs(1));
    }
}
