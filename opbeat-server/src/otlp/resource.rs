//! Resources: which app, release, environment and machine telemetry comes from.

use super::attributes::Attributes;
use super::messages::Resource;
use super::stacks::Language;
use crate::text::{shortened, start_of};

/// The maximum length of each value, in characters. Longer values are cut.
const MAX_VALUE: usize = 200;

/// The values of a resource that the server uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// The service's name. It is empty if the application sets none: SDKs send `unknown_service:<program>` then.
    pub(super) service: String,
    /// The release.
    pub(super) release: Option<String>,
    /// The environment, such as `production`.
    pub(super) environment: Option<String>,
    /// The name of the machine.
    pub(super) host: Option<String>,
    /// The language that stack traces are written in.
    pub(super) language: Option<Language>,
}

impl Source {
    /// Reads the attributes of a resource.
    pub(super) fn of(resource: Option<&Resource>) -> Self {
        let attributes = Attributes(resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default());
        let text = |names: &[&str]| attributes.text(names).map(|text| shortened(text, MAX_VALUE));
        Self {
            service: service(attributes).to_owned(),
            release: text(&["service.version"]),
            environment: text(&["deployment.environment.name", "deployment.environment"]),
            host: text(&["host.name"]),
            language: attributes.text(&["telemetry.sdk.language"]).and_then(Language::named),
        }
    }
}

fn service(attributes: Attributes<'_>) -> &str {
    let service = attributes.text(&["service.name"]).unwrap_or_default().trim();
    let is_default = service == "unknown_service" || service.starts_with("unknown_service:");
    if is_default { "" } else { start_of(service, MAX_VALUE) }
}
