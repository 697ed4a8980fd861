//! What a panic was given.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;

use super::text::{cut, shown};

/// Returns what a panic says by its payload: text or a number.
///
/// No code of the application's runs for that: a panic inside of the hook would end the process.
pub(super) fn words(payload: &(dyn Any + Send)) -> String {
    let found = text(payload).or_else(|| number(payload));
    found.unwrap_or_else(|| "a panic whose payload is no text".to_owned())
}

/// Returns what a panic says that has been caught, by its payload: a boxed error, too.
pub(super) fn words_of_error(payload: &(dyn Any + Send)) -> String {
    error(payload).unwrap_or_else(|| words(payload))
}

fn text(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.or_else(|| payload.downcast_ref::<Box<str>>().map(|text| &**text));
    text.or_else(|| payload.downcast_ref::<Cow<'static, str>>().map(|text| &**text)).map(|text| cut(text.to_owned()))
}

fn error(payload: &(dyn Any + Send)) -> Option<String> {
    let error = payload.downcast_ref::<Box<dyn Error + Send + Sync>>().map(shown);
    error.or_else(|| payload.downcast_ref::<Box<dyn Error + Send>>().map(shown))
}

fn number(payload: &(dyn Any + Send)) -> Option<String> {
    let number = payload.downcast_ref::<i32>().map(ToString::to_string);
    let number = number.or_else(|| payload.downcast_ref::<u32>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<i64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<u64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<usize>().map(ToString::to_string));
    number.map(|number| format!("a panic with {number}"))
}
