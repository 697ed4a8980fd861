//! What handlers and middlewares fail with.

use std::error::Error as StdError;
use std::{fmt, io};

use actix_web::Error;
use opbeat_core::http::HttpTransaction;

/// Reports an error that ends a request, if it is the application's fault: with its causes where its type is known.
///
/// `actix_web::Error` hides what it was made of from all but those who know the type.
pub(crate) fn report(transaction: &HttpTransaction, error: &Error) {
    if error.as_response_error().status_code().is_server_error() && transaction.is_recording() {
        report_known::<Box<dyn StdError>>(transaction, error, |error| &**error)
            .or_else(|| report_known::<io::Error>(transaction, error, |error| error))
            .unwrap_or_else(|| {
                transaction.current().capture_error::<dyn StdError + '_>(&Hidden(error));
            });
    }
}

fn report_known<T: actix_web::ResponseError + 'static>(
    transaction: &HttpTransaction,
    error: &Error,
    chain: impl FnOnce(&T) -> &(dyn StdError + 'static),
) -> Option<()> {
    let known = error.as_error::<T>()?;
    transaction.current().capture_error(chain(known));
    Some(())
}

/// An error of a type that is not known here: it says and prints what the hidden one does, so that it is named after it.
struct Hidden<'a>(&'a Error);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_response_error(), f)
    }
}

impl fmt::Display for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_response_error(), f)
    }
}

impl StdError for Hidden<'_> {}
