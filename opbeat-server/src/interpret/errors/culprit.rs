//! The culprit: the function or the transaction that an error is attributed to.

use opbeat_protocol::{ErrorBody, Frame};

use crate::interpret::frames::Order;

/// The traits by which an application in Rust converts an error, each with its method.
const CONVERSIONS: [(&str, &str); 4] = [
    ("IntoResponse", ">::into_response"),
    ("ResponseError", ">::error_response"),
    ("From", ">::from"),
    ("Into", ">::into"),
];

/// Returns the culprit as the agent sent it, or else the application's own function in which the error was raised, or
/// else the transaction.
///
/// The culprit of a stack that arrived with the newest call first is not used: the agent took the oldest call for it.
pub(super) fn culprit(body: &ErrorBody, order: Order) -> String {
    if let Some(handler) = handler_behind_conversion(body) {
        return handler.to_owned();
    }
    let is_given = |culprit: &&String| !culprit.is_empty() && !is_conversion(culprit);
    let given = body.culprit.as_ref().filter(|culprit| order == Order::OldestFirst && is_given(culprit)).cloned();
    let transaction = || body.transaction.as_ref().map(|transaction| transaction.name.clone());
    given.or_else(|| raising_function(body)).or_else(transaction).unwrap_or_default()
}

/// Returns the transaction of an error that the application's own conversion reported.
///
/// The handlers of all routes return the same error type, so that its conversion does not identify the failure.
pub(super) fn handler_behind_conversion(body: &ErrorBody) -> Option<&str> {
    let newest = newest_own(body).and_then(|frame| frame.function.as_deref());
    let is_converted = newest.or(body.culprit.as_deref()).is_some_and(is_conversion);
    let transaction = body.transaction.as_ref().filter(|transaction| !transaction.name.is_empty());
    transaction.filter(|_| is_converted).map(|transaction| transaction.name.as_str())
}

/// Returns whether a function converts an error into a response or into another error.
///
/// Both forms are recognised: `<E as From<A>>::from` and `module::<impl From<A> for E>::from`.
pub(super) fn is_conversion(function: &str) -> bool {
    let Some((_, path)) = function.split_once(" as ").or_else(|| function.split_once("<impl ")) else { return false };
    let path = path.split(['<', '>', ' ']).next().unwrap_or_default();
    let name = path.rsplit("::").next().unwrap_or_default();
    CONVERSIONS.iter().any(|(converter, method)| *converter == name && function.contains(method))
}

/// Returns the application's own function in which the error was raised, or the newest function if none is its own.
fn raising_function(body: &ErrorBody) -> Option<String> {
    let frames = &body.stacktrace.as_ref()?.frames;
    let converts = |frame: &&Frame| frame.function.as_deref().is_some_and(is_conversion);
    let own = || frames.iter().rev().filter(|frame| frame.in_app == Some(true));
    let frame = own().find(|frame| !converts(frame)).or_else(|| own().next()).or_else(|| frames.last())?;
    let file = frame.module.as_deref().unwrap_or(&frame.filename);
    match frame.function.as_deref() {
        Some(function) => Some(format!("{file}.{function}")),
        None => Some(file.to_owned()),
    }
}

fn newest_own(body: &ErrorBody) -> Option<&Frame> {
    body.stacktrace.as_ref()?.frames.iter().rev().find(|frame| frame.in_app == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_of_errors_are_recognised() {
        let conversions = [
            "<shop::Error as axum_core::response::into_response::IntoResponse>::into_response",
            "<shop::Error as actix_web::error::ResponseError>::error_response",
            "<shop::Error as core::convert::From<io::Error>>::from",
            "<shop::Error as core::convert::From<io::Error>>::from::{{closure}}",
            "shop::error::<impl core::convert::From<io::Error> for shop::error::Error>::from",
            "<shop::Error as From>::from",
        ];
        for function in conversions {
            assert!(is_conversion(function), "{function}");
        }
        let others = [
            "shop::cart::from",
            "<Cart as Checkout>::pay",
            "shop::into_response",
            "<shop::Id as axum::extract::FromRequest<S>>::from_request",
            "<shop::Error as core::fmt::Display>::fmt",
        ];
        for function in others {
            assert!(!is_conversion(function), "{function}");
        }
    }
}
