//! Spans of tera's templates.
//!
//! # Examples
//!
//! ```
//! use tera::{Context, Tera};
//!
//! let mut tera = Tera::default();
//! tera.add_raw_template("book.html", "<h1>{{ title }}</h1>")?;
//! let mut values = Context::new();
//! values.insert("title", "Emma");
//! let page = opbeat_instrument::tera::render(&tera, "book.html", &values)?;
//! assert_eq!(page, "<h1>Emma</h1>");
//! # Ok::<(), tera::Error>(())
//! ```

use std::error::Error as _;
use std::io::Write;

use tera::{Context, Error, ErrorKind, Tera};

use crate::template;

const KIND: &str = "template.tera";

/// Renders a template in a span of its name.
///
/// # Errors
///
/// Returns an error if the template is missing or cannot be rendered.
pub fn render(tera: &Tera, name: &str, values: &Context) -> tera::Result<String> {
    template::render(KIND, name, || tera.render(name, values), kind_of)
}

/// Renders a template to a writer, in a span of its name.
///
/// # Errors
///
/// Returns an error if the template is missing or cannot be rendered, or if the writer fails.
pub fn render_to(tera: &Tera, name: &str, values: &Context, writer: impl Write) -> tera::Result<()> {
    template::render(KIND, name, || tera.render_to(name, values, writer), kind_of)
}

/// Returns the kind of an error. Those of the rendering are sources of a message about the template.
fn kind_of(error: &Error) -> String {
    let source = error.source().and_then(|source| source.downcast_ref::<Error>());
    let kind = match &source.unwrap_or(error).kind {
        ErrorKind::Msg(_) => "Render",
        ErrorKind::CircularExtend { .. } => "CircularExtend",
        ErrorKind::MissingParent { .. } => "MissingParent",
        ErrorKind::TemplateNotFound(_) => "TemplateNotFound",
        ErrorKind::FilterNotFound(_) => "FilterNotFound",
        ErrorKind::TestNotFound(_) => "TestNotFound",
        ErrorKind::InvalidMacroDefinition(_) => "InvalidMacroDefinition",
        ErrorKind::FunctionNotFound(_) => "FunctionNotFound",
        ErrorKind::Json(_) => "Json",
        ErrorKind::CallFunction(_) => "CallFunction",
        ErrorKind::CallFilter(_) => "CallFilter",
        ErrorKind::CallTest(_) => "CallTest",
        ErrorKind::Io(_) => "Io",
        ErrorKind::Utf8Conversion { .. } => "Utf8Conversion",
        _ => "Error",
    };
    kind.to_owned()
}
