//! Configuration by environment variables.

use std::time::Duration;

use super::{Config, ConfigError};
use crate::record::Level;

/// An environment variable that configures the agent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value if it is not set; `None` if it is required.
    pub default: Option<&'static str>,
    /// A description, as a phrase.
    pub meaning: &'static str,
    set: fn(&mut Config, &str) -> Result<(), &'static str>,
}

/// The variables that [`Config::from_env`] reads, for your documentation and your `--help`.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "OPBEAT_ORGANIZATION_ID",
        default: None,
        meaning: "the organization's id",
        set: |config, value| set(&mut config.organization_id, value),
    },
    Variable {
        name: "OPBEAT_APP_ID",
        default: None,
        meaning: "the app's id",
        set: |config, value| set(&mut config.app_id, value),
    },
    Variable {
        name: "OPBEAT_SECRET_TOKEN",
        default: None,
        meaning: "the app's secret token",
        set: |config, value| set(&mut config.secret_token, value),
    },
    Variable {
        name: "OPBEAT_SERVER_URL",
        default: Some("http://127.0.0.1:8200"),
        meaning: "the server's address",
        set: |config, value| set(&mut config.server_url, value),
    },
    Variable {
        name: "OPBEAT_DISABLE_SEND",
        default: Some("false"),
        meaning: "`true` or `1`: nothing is recorded or sent, for example in tests",
        set: |config, value| boolean(value).map(|disabled| config.enabled = !disabled),
    },
    Variable {
        name: "OPBEAT_RELEASE",
        default: Some(""),
        meaning: "the running release: a commit hash or a version",
        set: |config, value| set(config.release.get_or_insert_default(), value),
    },
    Variable {
        name: "OPBEAT_HOSTNAME",
        default: Some("the system's"),
        meaning: "the machine's name",
        set: |config, value| set(config.hostname.get_or_insert_default(), value),
    },
    Variable {
        name: "OPBEAT_FLUSH_INTERVAL",
        default: Some("5"),
        meaning: "the time between two deliveries in seconds, such as `0.5`",
        set: |config, value| seconds(value).map(|interval| config.flush_interval = interval),
    },
    Variable {
        name: "OPBEAT_PANIC_HOOK",
        default: Some("true"),
        meaning: "`false` or `0`: no panic hook is installed",
        set: |config, value| boolean(value).map(|panic_hook| config.panic_hook = panic_hook),
    },
    Variable {
        name: "OPBEAT_IGNORE_NAMES",
        default: Some("health checks"),
        meaning: "further transactions that are not recorded, such as `GET /metrics, * /internal/*`; \
                  with a leading `none`, health checks are recorded",
        set: |config, value| add_names(&mut config.ignore_names, value),
    },
    Variable {
        name: "OPBEAT_IGNORE_USER_AGENTS",
        default: Some(""),
        meaning: "user agents whose requests are not recorded, such as `kube-probe/*, *UptimeRobot*`",
        set: |config, value| list(&mut config.ignore_user_agents, value),
    },
    Variable {
        name: "OPBEAT_SECRET_NAMES",
        default: Some(""),
        meaning: "further names whose values never leave the process, such as `*iban*`",
        set: |config, value| list(&mut config.secret_names, value),
    },
    Variable {
        name: "OPBEAT_BLOCKING_THRESHOLD",
        default: Some("0.1"),
        meaning: "the time in seconds after which a poll of a handler is reported",
        set: |config, value| seconds(value).map(|threshold| config.blocking_threshold = threshold),
    },
    Variable {
        name: "OPBEAT_N_PLUS_ONE",
        default: Some("5"),
        meaning: "the number of equal queries or calls of one transaction from which on they are flagged as N+1; with \
                  `0`, none is",
        set: |config, value| count(value).map(|number| config.n_plus_one = number),
    },
    Variable {
        name: "OPBEAT_SAMPLES",
        default: Some("1 for each name"),
        meaning: "the number of random span trees that are kept of each name in an interval, such as \
                  `GET /metrics=0, POST /checkout=20`; with 0, none of any kind",
        set: |config, value| samples(value).map(|samples| config.samples = samples),
    },
    Variable {
        name: "OPBEAT_RESPONSE_HEADERS",
        default: Some(""),
        meaning: "the response headers that error reports show, such as `x-request-id, retry-after`",
        set: |config, value| list(&mut config.response_headers, value),
    },
    Variable {
        name: "OPBEAT_LOG_LINES",
        default: Some("info"),
        meaning: "the lowest level of the log lines that error reports show: `debug`, `info`, `warning`, `error`, or \
                  `off`",
        set: |config, value| level(value).map(|lowest| config.log_lines = lowest),
    },
];

impl Config {
    /// Reads the [`VARIABLES`] of the environment. An empty variable counts as not set.
    ///
    /// # Errors
    ///
    /// Returns an error if a variable has an invalid value. Also returns an error if a required variable is not set,
    /// unless `OPBEAT_DISABLE_SEND` is true.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads the [`VARIABLES`] of the environment, where those of an Opbeat server's app are required only if one of
    /// them is set.
    #[cfg(feature = "otlp")]
    pub(crate) fn from_env_without_app() -> Result<Self, ConfigError> {
        let get = |name: &str| std::env::var(name).ok();
        let has_app = VARIABLES
            .iter()
            .filter(|variable| variable.default.is_none())
            .any(|variable| get(variable.name).is_some_and(|value| !value.trim().is_empty()));
        Self::read(get, has_app)
    }

    /// Reads the same variables from another source, such as a file or a test.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`from_env`](Self::from_env).
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(get, true)
    }

    fn read(get: impl Fn(&str) -> Option<String>, needs_app: bool) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut missing = None;
        for variable in VARIABLES {
            let value = get(variable.name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            match value {
                Some(value) => variable.read(&mut config, value)?,
                None if variable.default.is_none() => missing = missing.or(Some(variable.name)),
                None => {}
            }
        }
        match missing {
            Some(name) if config.enabled && needs_app => Err(ConfigError::Missing(name)),
            _ => Ok(config),
        }
    }
}

impl Variable {
    fn read(&self, config: &mut Config, value: String) -> Result<(), ConfigError> {
        (self.set)(config, &value).map_err(|expected| ConfigError::Invalid { name: self.name, value, expected })
    }
}

fn set(field: &mut String, value: &str) -> Result<(), &'static str> {
    value.clone_into(field);
    Ok(())
}

/// Adds a comma-separated list to the default. If the list starts with `none`, it replaces the default.
fn add_names(field: &mut Vec<String>, value: &str) -> Result<(), &'static str> {
    let mut names = Vec::new();
    list(&mut names, value)?;
    if names.first().is_some_and(|first| first.eq_ignore_ascii_case("none")) {
        names.remove(0);
        field.clear();
    }
    field.append(&mut names);
    Ok(())
}

/// Replaces the default by a comma-separated list.
fn list(field: &mut Vec<String>, value: &str) -> Result<(), &'static str> {
    *field = value.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).map(str::to_owned).collect();
    Ok(())
}

/// Reads a comma-separated list of patterns with numbers.
fn samples(value: &str) -> Result<Vec<(String, usize)>, &'static str> {
    let mut entries = Vec::new();
    list(&mut entries, value)?;
    let entry = |entry: String| {
        let (pattern, number) = entry.rsplit_once('=')?;
        Some((pattern.trim().to_owned(), number.trim().parse().ok()?))
    };
    let entries: Option<_> = entries.into_iter().map(entry).collect();
    entries.ok_or("a list such as `GET /metrics=0, POST /checkout=20`")
}

fn count(value: &str) -> Result<u32, &'static str> {
    value.parse().map_err(|_| "a whole number")
}

fn boolean(value: &str) -> Result<bool, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("`true` or `false`"),
    }
}

/// Reads a level; `None` for `off`.
fn level(value: &str) -> Result<Option<Level>, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "debug" => Ok(Some(Level::Debug)),
        "info" => Ok(Some(Level::Info)),
        "warn" | "warning" => Ok(Some(Level::Warning)),
        "error" => Ok(Some(Level::Error)),
        "off" | "none" | "false" | "0" => Ok(None),
        _ => Err("`debug`, `info`, `warning`, `error` or `off`"),
    }
}

fn seconds(value: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "a number of seconds between 0.01 and 3600";
    let seconds: f64 = value.parse().map_err(|_| EXPECTED)?;
    if (0.01..=3_600.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Config::from_variables(get).map_err(|error| error.to_string())
    }

    const REQUIRED: [(&str, &str); 3] =
        [("OPBEAT_ORGANIZATION_ID", "org"), ("OPBEAT_APP_ID", "app"), ("OPBEAT_SECRET_TOKEN", "token")];

    #[test]
    fn three_variables_are_required() {
        let config = read(&REQUIRED).unwrap();
        assert_eq!((config.app_id.as_str(), config.server_url.as_str()), ("app", "http://127.0.0.1:8200"));
        assert!(config.enabled);
    }

    #[test]
    fn names_to_ignore_are_added_to_the_health_checks() {
        let ignored = |value| {
            read(&[REQUIRED[0], REQUIRED[1], REQUIRED[2], ("OPBEAT_IGNORE_NAMES", value)]).unwrap().ignore_names
        };
        let added = ignored("GET /metrics, * /internal/*");
        assert_eq!((added.len(), added[0].as_str()), (super::super::HEALTH_CHECKS.len() + 2, "* /health"));
        assert_eq!(added, Config::default().ignore_name("GET /metrics").ignore_name("* /internal/*").ignore_names);
        assert_eq!(ignored("none, GET /metrics"), ["GET /metrics"]);
        assert!(ignored("none").is_empty());
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = read(&REQUIRED[..2]).unwrap_err();
        assert!(error.starts_with("OPBEAT_SECRET_TOKEN is not set"), "{error}");
        assert!(
            !read(&[("OPBEAT_DISABLE_SEND", "1")]).unwrap().enabled,
            "no variable is required if sending is disabled"
        );
    }

    #[test]
    fn invalid_values_are_shown() {
        let with = |name, value| read(&[REQUIRED[0], REQUIRED[1], REQUIRED[2], (name, value)]);
        let error = with("OPBEAT_FLUSH_INTERVAL", "soon").unwrap_err();
        assert_eq!(error, r#"OPBEAT_FLUSH_INTERVAL is "soon", which is not a number of seconds between 0.01 and 3600"#);
        assert_eq!(with("OPBEAT_FLUSH_INTERVAL", "0.5").unwrap().flush_interval, Duration::from_millis(500));
        assert!(with("OPBEAT_DISABLE_SEND", "perhaps").is_err());
        assert_eq!(with("OPBEAT_LOG_LINES", "Warn").unwrap().log_lines, Some(Level::Warning));
        assert_eq!(with("OPBEAT_LOG_LINES", "off").unwrap().log_lines, None);
        assert!(with("OPBEAT_LOG_LINES", "all").is_err());
        assert_eq!(with("OPBEAT_N_PLUS_ONE", "20").unwrap().n_plus_one, 20);
        assert!(with("OPBEAT_N_PLUS_ONE", "few").unwrap_err().ends_with("which is not a whole number"));
        assert_eq!(
            with("OPBEAT_SAMPLES", "GET /metrics=0, POST /a=b = 20").unwrap().samples,
            [("GET /metrics".to_owned(), 0), ("POST /a=b".to_owned(), 20)]
        );
        let error = with("OPBEAT_SAMPLES", "GET /metrics").unwrap_err();
        assert!(error.ends_with("which is not a list such as `GET /metrics=0, POST /checkout=20`"), "{error}");
    }
}
