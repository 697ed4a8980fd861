//! Spans of askama's templates.
//!
//! # Examples
//!
//! ```
//! use askama::Template;
//!
//! #[derive(Template)]
//! #[template(source = "<h1>{{ title }}</h1>", ext = "html")]
//! struct BookPage<'a> {
//!     title: &'a str,
//! }
//!
//! let page = opbeat_instrument::askama::render(&BookPage { title: "Emma" })?;
//! assert_eq!(page, "<h1>Emma</h1>");
//! # Ok::<(), askama::Error>(())
//! ```

use std::any::type_name;

use askama::{Error, Template};

use crate::template;

const KIND: &str = "template.askama";

/// Renders a template in a span that is named after the template's type.
///
/// # Errors
///
/// Returns the error of the template.
pub fn render<T: Template + ?Sized>(template: &T) -> askama::Result<String> {
    template::render(KIND, name_of::<T>(), || template.render(), kind_of)
}

/// Renders a template into a buffer, in a span that is named after the template's type.
///
/// # Errors
///
/// Returns the error of the template or of the buffer.
pub fn render_into<T: Template + ?Sized, W: std::fmt::Write + ?Sized>(
    template: &T,
    buffer: &mut W,
) -> askama::Result<()> {
    template::render(KIND, name_of::<T>(), || template.render_into(buffer), kind_of)
}

/// Returns the type's name without its module and its arguments.
fn name_of<T: ?Sized>() -> &'static str {
    let full = type_name::<T>();
    let path = full.split('<').next().unwrap_or(full);
    path.rsplit("::").next().unwrap_or(path)
}

fn kind_of(error: &Error) -> String {
    let kind = match error {
        Error::Fmt => "Fmt",
        Error::ValueMissing => "ValueMissing",
        Error::ValueType => "ValueType",
        Error::Custom(_) => "Custom",
        _ => "Error",
    };
    kind.to_owned()
}
