//! The receivers that the configuration chooses.

use std::sync::Arc;

use crate::config::{Config, ConfigError};
use crate::diagnosis::Probe;
use crate::export::{Exporter, IntakeExporter};
use crate::pipeline::Contact;

/// The exporters of an agent, and the check of their receivers for a diagnosis.
pub(crate) struct Destinations {
    pub(crate) config: Config,
    pub(crate) exporters: Vec<Box<dyn Exporter>>,
    pub(crate) probe: Probe,
}

impl Destinations {
    /// Returns an Opbeat server.
    pub(crate) fn intake(config: &Config) -> Result<Self, ConfigError> {
        let exporters: Vec<Box<dyn Exporter>> = vec![Box::new(IntakeExporter::new(config)?)];
        let copy = config.clone();
        Ok(Self { config: config.clone(), exporters, probe: Arc::new(move || probe_intake(&copy)) })
    }

    /// Returns the receivers that the environment variables choose; `None` if they disable the agent.
    #[cfg(not(feature = "otlp"))]
    pub(crate) fn from_env() -> Result<Option<Self>, ConfigError> {
        let config = Config::from_env()?;
        config.enabled.then(|| Self::intake(&config)).transpose()
    }

    /// Returns the receivers that the environment variables choose; `None` if they disable the agent.
    #[cfg(feature = "otlp")]
    pub(crate) fn from_env() -> Result<Option<Self>, ConfigError> {
        if !crate::export::OtlpExporter::is_configured() {
            let config = Config::from_env()?;
            return config.enabled.then(|| Self::intake(&config)).transpose();
        }
        let config = Config::from_env_without_app()?;
        if !config.enabled {
            return Ok(None);
        }
        let has_app = !config.app_id.is_empty();
        if !has_app {
            return Self::otlp(&config).map(Some);
        }
        let mut intake = Self::intake(&config)?;
        match Self::otlp(&config) {
            Ok(otlp) => intake.add(otlp),
            // These variables often configure other programs too. The Opbeat server still receives its data.
            Err(error) => {
                crate::notice::error(format_args!("{}; the data goes to the Opbeat server only", error.with_sources()))
            }
        }
        Ok(Some(intake))
    }

    #[cfg(feature = "otlp")]
    fn otlp(config: &Config) -> Result<Self, ConfigError> {
        let exporters = crate::export::OtlpExporter::all_from_env(config)?;
        let exporters = exporters.into_iter().map(|exporter| Box::new(exporter) as Box<dyn Exporter>).collect();
        let copy = config.clone();
        let probe = Arc::new(move || match crate::export::OtlpExporter::from_env(&copy) {
            Ok(mut exporter) => exporter.contact(),
            Err(error) => Contact::new(format!("not asked: {error}")),
        });
        Ok(Self { config: config.clone(), exporters, probe })
    }

    #[cfg(feature = "otlp")]
    fn add(&mut self, more: Self) {
        self.exporters.extend(more.exporters);
        let (first, second) = (Arc::clone(&self.probe), more.probe);
        self.probe = Arc::new(move || {
            let (mut contact, other) = (first(), second());
            contact.message = format!("{}. {other}", contact.message);
            contact
        });
    }
}

fn probe_intake(config: &Config) -> Contact {
    match IntakeExporter::new(config) {
        Ok(mut exporter) => exporter.contact(),
        Err(error) => Contact::new(format!("not asked: {error}")),
    }
}
