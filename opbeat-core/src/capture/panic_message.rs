//! The message of a panic, from its payload.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;

use super::text::{cut, display};

/// Returns the message of a panic whose payload is a text or a number.
///
/// It runs no code of the application, because a panic inside the panic hook ends the process.
pub(super) fn in_hook(payload: &(dyn Any + Send)) -> String {
    let found = text(payload).or_else(|| number(payload));
    found.unwrap_or_else(|| "a panic whose payload is not text".to_owned())
}

/// Returns the message of a caught panic, whose payload may also be a boxed error.
pub(super) fn of_caught(payload: &(dyn Any + Send)) -> String {
    error(payload).unwrap_or_else(|| in_hook(payload))
}

fn text(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.or_else(|| payload.downcast_ref::<Box<str>>().map(|text| &**text));
    text.or_else(|| payload.downcast_ref::<Cow<'static, str>>().map(|text| &**text)).map(|text| cut(text.to_owned()))
}

fn error(payload: &(dyn Any + Send)) -> Option<String> {
    let error = payload.downcast_ref::<Box<dyn Error + Send + Sync>>().map(display);
    error.or_else(|| payload.downcast_ref::<Box<dyn Error + Send>>().map(display))
}

fn number(payload: &(dyn Any + Send)) -> Option<String> {
    let number = payload.downcast_ref::<i32>().map(ToString::to_string);
    let number = number.or_else(|| payload.downcast_ref::<u32>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<i64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<u64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<usize>().map(ToString::to_string));
    number.map(|number| format!("a panic with {number}"))
}
