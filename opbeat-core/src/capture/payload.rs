//! What a panic was given.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;

/// Returns what a panic says by its payload: text, a boxed error, or a number.
pub(super) fn words(payload: &(dyn Any + Send)) -> String {
    let found = text(payload).or_else(|| error(payload)).or_else(|| number(payload));
    found.unwrap_or_else(|| "a panic whose payload is no text".to_owned())
}

fn text(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.or_else(|| payload.downcast_ref::<Box<str>>().map(|text| &**text));
    text.or_else(|| payload.downcast_ref::<Cow<'static, str>>().map(|text| &**text)).map(str::to_owned)
}

fn error(payload: &(dyn Any + Send)) -> Option<String> {
    let error = payload.downcast_ref::<Box<dyn Error + Send + Sync>>().map(ToString::to_string);
    error.or_else(|| payload.downcast_ref::<Box<dyn Error + Send>>().map(ToString::to_string))
}

fn number(payload: &(dyn Any + Send)) -> Option<String> {
    let number = payload.downcast_ref::<i32>().map(ToString::to_string);
    let number = number.or_else(|| payload.downcast_ref::<u32>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<i64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<u64>().map(ToString::to_string));
    let number = number.or_else(|| payload.downcast_ref::<usize>().map(ToString::to_string));
    number.map(|number| format!("a panic with {number}"))
}
