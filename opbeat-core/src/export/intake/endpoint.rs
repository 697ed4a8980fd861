//! The URLs of the server.

use hyper::Uri;

use crate::config::{Config, ConfigError};
use crate::export::http::{Peer, parse_url};

/// The URLs of one app's intake.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) peer: Peer,
    pub(super) errors: Uri,
    pub(super) transactions: Uri,
    /// The URL that responds whether the token is accepted.
    pub(super) app: Uri,
}

impl Endpoint {
    /// Checks the configuration and makes the URLs.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        require("OPBEAT_ORGANIZATION_ID", &config.organization_id)?;
        require("OPBEAT_APP_ID", &config.app_id)?;
        require("OPBEAT_SECRET_TOKEN", &config.secret_token)?;
        let server = config.server_url.trim_end_matches('/').to_owned();
        let without_query = parse_url(&server).filter(|(uri, _)| uri.query().is_none());
        let (_, is_https) = without_query.ok_or_else(|| invalid_url(config))?;
        let url = |what| {
            let Config { organization_id, app_id, .. } = config;
            let url = format!("{server}/api/v1/organizations/{organization_id}/apps/{app_id}/{what}");
            url.parse().map_err(|_| invalid_ids(config))
        };
        let (errors, transactions, app) = (url("errors/")?, url("transactions/")?, url("")?);
        let peer = Peer {
            url: server,
            is_https,
            name: "Opbeat server",
            start: "Start it with `opbeat serve`",
            variable: "OPBEAT_SERVER_URL",
        };
        Ok(Self { peer, errors, transactions, app })
    }
}

fn require(name: &'static str, value: &str) -> Result<(), ConfigError> {
    if value.is_empty() { Err(ConfigError::Missing(name)) } else { Ok(()) }
}

fn invalid_url(config: &Config) -> ConfigError {
    ConfigError::Invalid {
        name: "OPBEAT_SERVER_URL",
        value: config.server_url.clone(),
        expected: "an address such as `https://opbeat.example.com` or `http://127.0.0.1:8200`",
    }
}

fn invalid_ids(config: &Config) -> ConfigError {
    ConfigError::Invalid {
        name: "OPBEAT_ORGANIZATION_ID or OPBEAT_APP_ID",
        value: format!("{}/{}", config.organization_id, config.app_id),
        expected: "made of letters, digits, `-` and `_`, as `opbeat app create` prints it",
    }
}
