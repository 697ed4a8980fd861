//! Limits on the requests of agents.

use std::time::Duration;

/// Limits on the memory and the time that requests may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntakeLimits {
    /// The largest body as it is sent, in bytes.
    pub body: usize,
    /// The largest inflated body, in bytes.
    pub inflated: usize,
    /// The time in which a body must arrive.
    pub body_timeout: Duration,
    /// The largest number of large bodies that are decoded at the same time. Those of one organization are decoded one by
    /// one.
    pub at_once: usize,
    /// The largest number of bytes of bodies that are received and decoded at the same time. One organization
    /// may have a quarter of each sort: small bodies, large ones, and those of browsers.
    pub in_flight: usize,
    /// The largest body that a browser may send without a token, in bytes, before and after inflating.
    pub client_side_body: usize,
    /// The number of requests that the browsers of one app may send in a second.
    pub client_side_rate: u32,
    /// The number of requests that the browsers of one app may send at once.
    pub client_side_burst: u32,
    /// The number of events that one app may send in a second, unless the app has a limit of its own.
    ///
    /// An event is an error, a sampled transaction, a count of transactions with one name, minute and result, a span or an
    /// error log of OpenTelemetry, a check-in, a release or a deployment.
    pub events_per_second: u64,
    /// The number of bytes that one app may send in a second, before inflating, unless the app has a limit of its own.
    pub bytes_per_second: u64,
    /// The time for which an app may save up events and bytes that it has not sent.
    pub rate_burst: Duration,
    /// The number of events that one app may send in `quota_days`, unless the app has a quota of its own. `None` is no
    /// quota.
    pub quota_events: Option<u64>,
    /// The number of days of a quota, with the present one. Days begin at midnight in UTC.
    pub quota_days: u32,
    /// The free space in bytes of the data folder's disk below which all bodies are refused. `None` is 256 MiB, or a
    /// hundredth of a disk that is smaller than 25 GiB.
    pub min_free_bytes: Option<u64>,
}

/// The time in which the body of a browser must arrive: anybody can send one, and slowly.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(10);

impl IntakeLimits {
    /// Returns the limits of requests without a token.
    pub(super) fn of_browsers(self) -> Self {
        let largest = self.client_side_body;
        let body_timeout = self.body_timeout.min(BROWSER_TIMEOUT);
        Self { body: self.body.min(largest), inflated: self.inflated.min(largest), body_timeout, ..self }
    }
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            inflated: 32 << 20,
            body_timeout: Duration::from_secs(30),
            at_once: 2,
            in_flight: 64 << 20,
            client_side_body: 256 << 10,
            client_side_rate: 100,
            client_side_burst: 200,
            events_per_second: 100_000,
            bytes_per_second: 64 << 20,
            rate_burst: Duration::from_secs(5),
            quota_events: None,
            quota_days: 30,
            min_free_bytes: None,
        }
    }
}
