//! The configuration of a server as plain data.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::listener::ConnectionLimits;
use super::tls::TlsFiles;
use crate::intake::IntakeLimits;
use crate::notify::NotificationConfig;
use crate::openid_connect::SignInConfig;
use crate::queue::{QueueAddress, QueueLimits};
use crate::repositories::RepositoryLimits;
use crate::site::{self, Network, PublicUrl};
use crate::store::{AppSettings, Setting, Store};
use crate::text::without_password;

/// The configuration of a server.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The folder that holds the database, the queue and all other state of this process.
    pub data: PathBuf,
    /// The addresses to listen on. Port 0 selects a free port.
    pub listen: Vec<SocketAddr>,
    /// The parts of the server that run in this process.
    pub roles: Roles,
    /// The place of the queue.
    pub queue: QueueAddress,
    /// The URL of the PostgreSQL database. Without it, the database is a SQLite file in the data folder.
    pub store: Option<String>,
    /// The URL at which applications and browsers reach the server. Without it, the first address is used.
    pub public_url: Option<PublicUrl>,
    /// The proxies whose headers `X-Forwarded-…` and `Forwarded` are believed: by default, those on this machine.
    pub trusted_proxies: Vec<Network>,
    /// The files of the certificate. Without them, the server uses plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The limits of connections.
    pub connections: ConnectionLimits,
    /// The limits of one request of an agent.
    pub intake: IntakeLimits,
    /// The limits of the queue in the data folder.
    pub queue_limits: QueueLimits,
    /// The time for which the data of an app without settings of its own is kept.
    pub retention: Retention,
    /// The limits of fetches of Git repositories.
    pub repositories: RepositoryLimits,
    /// The notifications that a process with the role worker sends.
    pub notifications: NotificationConfig,
    /// The ways by which people sign in.
    pub sign_in: SignInConfig,
    /// The times after which the health check reports that data is not stored.
    pub health: HealthLimits,
    /// The end-to-end probe, which a process with the role web sends.
    pub probe: ProbeConfig,
    /// Whether an empty database is created if it is missing, although the data folder was used before.
    pub create_database: bool,
    /// The longest time that a page or a query of the API may take.
    pub page_timeout: Duration,
}

/// The parts of the server that run in a process. Each process answers the health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Accepts data from agents and from OpenTelemetry, and appends it to the queue.
    pub intake: bool,
    /// Stores the data of the queue.
    pub worker: bool,
    /// Answers pages and the API.
    pub web: bool,
}

impl Roles {
    /// All roles in one process.
    pub const ALL: Self = Self { intake: true, worker: true, web: true };
    /// Intake only.
    pub const INTAKE: Self = Self { intake: true, worker: false, web: false };
    /// The worker only.
    pub const WORKER: Self = Self { intake: false, worker: true, web: false };
    /// Pages and API only.
    pub const WEB: Self = Self { intake: false, worker: false, web: true };
}

/// The times after which the health check reports that data is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthLimits {
    /// The age of the oldest data that is not stored at which the worker is behind.
    pub behind: Duration,
    /// The time without progress at which the worker is stuck.
    pub stuck: Duration,
}

impl Default for HealthLimits {
    fn default() -> Self {
        Self { behind: Duration::from_secs(60), stuck: Duration::from_secs(30) }
    }
}

/// The end-to-end probe: a synthetic transaction that is sent again and again, to measure how long data takes until it can
/// be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeConfig {
    /// The time between two probes, or `None` for no probes.
    pub interval: Option<Duration>,
    /// The URL of the intake that gets them. Without it, they are sent to the intake of this process, if it has one.
    pub url: Option<String>,
    /// The time in which a transaction must be visible.
    pub time_limit: Duration,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { interval: Some(Duration::from_secs(60)), url: None, time_limit: Duration::from_secs(30) }
    }
}

/// The time for which data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The days for which samples are kept.
    pub sample_days: u64,
    /// The days for which occurrences of errors are kept. The first one, the latest one, and the latest one of each release
    /// are always kept.
    pub error_days: u64,
    /// The days for which rollups by day are kept, or `None` for ever.
    pub rollup_days: Option<u64>,
    /// The size in bytes from which on the oldest data of an app is removed, or `None` for any size.
    pub disk_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { sample_days: 14, error_days: 90, rollup_days: None, disk_bytes: None }
    }
}

impl From<Retention> for AppSettings {
    fn from(retention: Retention) -> Self {
        let Retention { sample_days, error_days, rollup_days, disk_bytes } = retention;
        let values = [
            (Setting::SampleDays, Some(sample_days)),
            (Setting::ErrorDays, Some(error_days)),
            (Setting::RollupDays, rollup_days),
            (Setting::DiskBytes, disk_bytes),
        ];
        let known = values.into_iter().filter_map(|(setting, value)| Some((setting, i64::try_from(value?).ok()?)));
        known.collect()
    }
}

impl ServerConfig {
    /// Makes a configuration with all roles, an embedded queue, an embedded database, and the default limits.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            listen: vec![listen],
            roles: Roles::ALL,
            queue: QueueAddress::Embedded,
            store: None,
            public_url: None,
            trusted_proxies: site::loopback(),
            tls: None,
            connections: ConnectionLimits::default(),
            intake: IntakeLimits::default(),
            queue_limits: QueueLimits::default(),
            retention: Retention::default(),
            repositories: RepositoryLimits::default(),
            notifications: NotificationConfig::default(),
            sign_in: SignInConfig::default(),
            health: HealthLimits::default(),
            probe: ProbeConfig::default(),
            create_database: false,
            page_timeout: Store::TIME_LIMIT,
        }
    }

    /// Returns whether this process keeps state in its data folder.
    ///
    /// Intake keeps data there while the queue is unavailable. Worker and web use it for an embedded database only.
    #[must_use]
    pub fn needs_data_folder(&self) -> bool {
        self.roles.intake || self.store.is_none()
    }
}

/// The password in the database's URL is hidden, and most limits are omitted.
impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("data", &self.data)
            .field("listen", &self.listen)
            .field("roles", &self.roles)
            .field("queue", &self.queue)
            .field("store", &self.store.as_deref().map(without_password))
            .field("public_url", &self.public_url)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
