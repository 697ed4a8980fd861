//! The settings of a layer, which its services share.

use std::borrow::Cow;

use super::errors::ErrorTypes;
use super::protocol::Protocol;

/// The settings of a layer, which its services share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) kind: Cow<'static, str>,
    pub(super) protocol: Protocol,
    pub(super) error_types: ErrorTypes,
}
