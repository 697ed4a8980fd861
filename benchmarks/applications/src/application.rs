//! An example application: its location, the change that adds the layer, and the requests to send.

use std::fmt;

use crate::framework::Framework;
use crate::request::Request;

/// A text of the application's `src/main.rs`, and its replacement.
pub type Replacement = (&'static str, &'static str);

/// An application of a framework's repository.
#[derive(Debug)]
pub struct Application {
    pub framework: Framework,
    /// The package's folder below the folder of the examples.
    pub path: &'static str,
    /// The replacements that add the layer; the framework's usual ones if empty.
    pub layer: &'static [Replacement],
    pub requests: &'static [Request],
}

impl Application {
    pub const fn axum(path: &'static str, requests: &'static [Request]) -> Self {
        Self { framework: Framework::Axum, path, layer: &[], requests }
    }

    pub const fn actix(path: &'static str, requests: &'static [Request]) -> Self {
        Self { framework: Framework::Actix, path, layer: &[], requests }
    }

    /// Adds the layer with these replacements.
    pub const fn layer(self, layer: &'static [Replacement]) -> Self {
        Self { layer, ..self }
    }

    /// Returns whether a name on the command line chooses this application: a framework, a path, or both.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.framework.name() || name == self.path || name == self.to_string()
    }
}

impl fmt::Display for Application {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.framework, self.path)
    }
}
