//! What is done with an answer.

use std::sync::Arc;

use crate::failure::Downcast;

/// What is done with an answer.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) catches_panics: bool,
    pub(crate) tells_error_id: bool,
    /// The application's own types of errors, if there are any.
    pub(crate) downcasts: Option<Arc<[Downcast]>>,
}
