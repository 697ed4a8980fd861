//! Spans of minijinja's templates.
//!
//! # Examples
//!
//! ```
//! use minijinja::Environment;
//! use std::collections::HashMap;
//!
//! let mut environment = Environment::new();
//! environment.add_template("book.html", "<h1>{{ title }}</h1>")?;
//! let values = HashMap::from([("title", "Emma")]);
//! let page = opbeat_instrument::minijinja::render(&environment, "book.html", values)?;
//! assert_eq!(page, "<h1>Emma</h1>");
//! # Ok::<(), minijinja::Error>(())
//! ```

use minijinja::{Environment, Error, Template};
use serde::Serialize;

use crate::template;

const KIND: &str = "template.minijinja";

/// Renders a template of an environment in a span of the template's name, which includes its compilation if it is
/// loaded on demand.
///
/// # Errors
///
/// Returns an error if the template is missing or invalid, or if it cannot be rendered.
pub fn render(environment: &Environment<'_>, name: &str, values: impl Serialize) -> Result<String, Error> {
    template::render(KIND, name, || environment.get_template(name)?.render(values), kind_of)
}

/// Renders a template in a span of its name.
///
/// # Errors
///
/// Returns an error if it cannot be rendered.
pub fn render_template(template: &Template<'_, '_>, values: impl Serialize) -> Result<String, Error> {
    template::render(KIND, template.name(), || template.render(values), kind_of)
}

fn kind_of(error: &Error) -> String {
    format!("{:?}", error.kind())
}
