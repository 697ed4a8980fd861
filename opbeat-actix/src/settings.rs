//! The settings that a response needs.

use std::sync::Arc;

use crate::report::Downcast;

/// The settings that a response needs. Each request has a copy.
#[derive(Clone, Debug)]
pub(crate) struct ResponseSettings {
    pub(crate) catches_panics: bool,
    pub(crate) sends_error_id: bool,
    /// The error types that the application registered, if any.
    pub(crate) downcasts: Option<Arc<[Downcast]>>,
}
