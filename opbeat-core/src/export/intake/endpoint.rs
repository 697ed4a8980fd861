//! The URLs of the server.

use hyper::Uri;

use crate::config::{Config, ConfigError};

/// The URLs of one app's intake.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) server: String,
    pub(super) errors: Uri,
    pub(super) transactions: Uri,
    /// The URL that responds whether the token is accepted.
    pub(super) app: Uri,
    pub(super) is_https: bool,
}

impl Endpoint {
    /// Checks the configuration and makes the URLs.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        require("OPBEAT_ORGANIZATION_ID", &config.organization_id)?;
        require("OPBEAT_APP_ID", &config.app_id)?;
        require("OPBEAT_SECRET_TOKEN", &config.secret_token)?;
        let server = config.server_url.trim_end_matches('/').to_owned();
        let uri: Uri = server.parse().map_err(|_| invalid_url(config))?;
        let is_https = uri.scheme_str() == Some("https");
        if !is_https && uri.scheme_str() != Some("http")
            || uri.host().is_none_or(str::is_empty)
            || uri.query().is_some()
        {
            return Err(invalid_url(config));
        }
        let url = |what| {
            let Config { organization_id, app_id, .. } = config;
            let url = format!("{server}/api/v1/organizations/{organization_id}/apps/{app_id}/{what}");
            url.parse().map_err(|_| invalid_ids(config))
        };
        Ok(Self { errors: url("errors/")?, transactions: url("transactions/")?, app: url("")?, is_https, server })
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
