//! What an agent is told at its start.

mod env;
mod error;
mod health_checks;

use std::time::Duration;

pub use env::{VARIABLES, Variable};
pub use error::ConfigError;
pub use health_checks::HEALTH_CHECKS;

/// Where the server listens when it is started without options.
const DEFAULT_SERVER_URL: &str = "http://127.0.0.1:8200";

/// What an agent is told at its start.
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
    /// The server's address, without a path unless it lies behind one. Default: `http://127.0.0.1:8200`.
    pub server_url: String,
    /// Whether anything is recorded and sent. Default: true.
    pub enabled: bool,
    /// The release that runs: a commit's hash or a version.
    pub release: Option<String>,
    /// The machine's name. Default: what the system says.
    pub hostname: Option<String>,
    /// The time from an event to its delivery, between 10 ms and an hour. Default: 5 s.
    pub flush_interval: Duration,
    /// How long the end of the process may wait for the last delivery. Default: 2 s.
    pub shutdown_timeout: Duration,
    /// Whether panics are reported by a hook, which the process then keeps. Default: true.
    pub panic_hook: bool,
    /// Names of transactions that are not recorded, as patterns with `*` and `?`. Default: health checks, as
    /// [`HEALTH_CHECKS`] lists them; an empty list records these too.
    pub ignore_names: Vec<String>,
    /// User agents whose requests are not recorded, as patterns with `*` and `?`. Default: none.
    pub ignore_user_agents: Vec<String>,
    /// Names of headers, cookies, parameters and values that are secret beside those that always are, as patterns with
    /// `*` and `?`. Default: none.
    pub secret_names: Vec<String>,
    /// A poll of a handler that takes longer is reported: it holds up the others on its executor's thread. Default:
    /// 100 ms.
    pub blocking_threshold: Duration,
}

/// Shorter intervals keep a processor busy with nothing, and longer ones are most likely a mistake.
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
        }
    }
}

impl Config {
    /// Makes a configuration for an app, with defaults for the rest.
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

    /// Sets the release that runs.
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

    /// Sets the time from an event to its delivery.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Sets how long the end of the process may wait for the last delivery.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Sets whether anything is recorded and sent.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Does not record transactions of these names, as patterns with `*` and `?`, beside health checks.
    #[must_use]
    pub fn ignore_name(mut self, pattern: impl Into<String>) -> Self {
        self.ignore_names.push(pattern.into());
        self
    }

    /// Does not record requests of these user agents, as patterns with `*` and `?`.
    #[must_use]
    pub fn ignore_user_agent(mut self, pattern: impl Into<String>) -> Self {
        self.ignore_user_agents.push(pattern.into());
        self
    }

    /// Treats the values of these names as secret too: of headers, cookies, parameters, tags, extra values.
    ///
    /// `*` stands for any characters, `?` for one, in whatever case.
    #[must_use]
    pub fn secret_name(mut self, pattern: impl Into<String>) -> Self {
        self.secret_names.push(pattern.into());
        self
    }

    /// Sets how long a poll of a handler may take before it is reported.
    #[must_use]
    pub fn blocking_threshold(mut self, threshold: Duration) -> Self {
        self.blocking_threshold = threshold;
        self
    }

    /// Returns the interval, within the bounds that it can have.
    pub(crate) fn bounded_flush_interval(&self) -> Duration {
        self.flush_interval.clamp(FLUSH_INTERVALS.0, FLUSH_INTERVALS.1)
    }

    /// Sets whether panics are reported by a hook.
    #[must_use]
    pub fn panic_hook(mut self, panic_hook: bool) -> Self {
        self.panic_hook = panic_hook;
        self
    }
}

/// The token stays out of logs.
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
    fn intervals_have_bounds() {
        let bounded = |interval| Config::default().flush_interval(interval).bounded_flush_interval();
        assert_eq!(bounded(Duration::ZERO), Duration::from_millis(10));
        assert_eq!(bounded(Duration::MAX), Duration::from_secs(3_600));
        assert_eq!(bounded(Duration::from_secs(1)), Duration::from_secs(1));
    }
}
