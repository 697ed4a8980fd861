//! What services fail with.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;

use opbeat_core::http::HttpTransaction;

type BoxError = Box<dyn Error + Send + Sync>;

/// Reports what a service or a body failed with: with its causes, where it is a boxed error, as it is most often.
pub(crate) fn report<E: Display + 'static>(transaction: &HttpTransaction, failure: &E) {
    match (failure as &dyn Any).downcast_ref::<BoxError>() {
        Some(error) => {
            transaction.current().capture_error(&**error);
        }
        None => transaction.capture_failure(failure),
    }
}
