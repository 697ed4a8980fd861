//! The application that telemetry comes from.

use super::attributes::Attributes;
use super::messages::{Resource, Scope};
use super::settings::Settings;
use crate::config::Config;
use crate::export::host::system_hostname;

/// The version of the semantic conventions that names of attributes and metrics follow.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The resource and the scope that every message contains.
pub(super) struct Source {
    pub(super) resource: Resource,
    pub(super) scope: Scope,
}

impl Source {
    /// Describes this process. The variables of OpenTelemetry have priority over the agent's configuration.
    pub(super) fn new(config: &Config, settings: &Settings) -> Self {
        let mut attributes = Attributes::default();
        attributes.set_some("service.name", settings.service_name.as_ref());
        for (key, value) in &settings.resource {
            attributes.set(key.clone(), value);
        }
        let app = Some(&config.app_id).filter(|app| !app.is_empty()).cloned();
        attributes.set("service.name", app.unwrap_or_else(unknown_service));
        attributes.set_some("service.version", config.release.as_ref().filter(|release| !release.is_empty()));
        // Cumulative metrics of several processes must not be mixed up.
        attributes.set("service.instance.id", random_uuid());
        attributes.set("host.name", config.hostname.clone().unwrap_or_else(system_hostname));
        attributes.set("telemetry.sdk.name", "opbeat");
        attributes.set("telemetry.sdk.language", "rust");
        attributes.set("telemetry.sdk.version", VERSION);
        let scope = Scope { name: "opbeat-core".to_owned(), version: VERSION.to_owned() };
        Self { resource: Resource { attributes: attributes.into_list() }, scope }
    }
}

/// Returns the name that the specification requires if none is set.
fn unknown_service() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    name.map_or_else(|| "unknown_service".to_owned(), |name| format!("unknown_service:{name}"))
}

/// Returns a random UUID (RFC 9562, version 4).
fn random_uuid() -> String {
    let random = fastrand::u128(..);
    let id = random & !(0xF << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
