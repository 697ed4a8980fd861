//! Errors of which nothing is known but what they print.

use std::error::Error as StdError;
use std::fmt;

use actix_web::Error;

/// An error of a type that is not known here: it says and prints what the hidden one does, so that it is named after it.
///
/// `anyhow` and `eyre` print their causes behind the line `Caused by:`, whatever they are wrapped in.
pub(crate) struct Printed {
    message: String,
    printed: String,
    source: Option<Box<Self>>,
}

impl Printed {
    pub(crate) fn of(error: &Error) -> Self {
        let hidden = error.as_response_error();
        let printed = format!("{hidden:?}");
        let source = causes(&printed).into_iter().rev().fold(None, |source, message| {
            Some(Box::new(Self { message: message.clone(), printed: String::new(), source }))
        });
        Self { message: hidden.to_string(), printed, source }
    }
}

/// Returns the causes that an error prints, the nearest first.
fn causes(printed: &str) -> Vec<String> {
    let Some((_, causes)) = printed.split_once("Caused by:") else { return Vec::new() };
    let lines = causes.lines().map(str::trim).skip_while(|line| line.is_empty());
    lines.take_while(|line| !line.is_empty() && *line != ")").map(without_number).collect()
}

/// Several causes are numbered: `0: the shelf is broken`.
fn without_number(line: &str) -> String {
    match line.split_once(": ") {
        Some((number, cause)) if number.bytes().all(|byte| byte.is_ascii_digit()) => cause.to_owned(),
        _ => line.to_owned(),
    }
}

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed)
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Printed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
