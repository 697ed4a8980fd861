//! The errors that are merged into another one.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::MergedRow;
use crate::text::shortened;

/// The maximum length of a type or a message, in characters.
const MAX_TEXT: usize = 200;

/// An error that is merged into another one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MergedError {
    /// Its number in the app.
    pub(crate) number: i64,
    /// The errors' type, or an empty string for plain messages.
    pub(crate) type_name: String,
    /// The message of its latest occurrence, shortened.
    pub(crate) message: String,
    /// The number of its occurrences.
    pub(crate) times_seen: i64,
}

impl From<MergedRow> for MergedError {
    fn from(row: MergedRow) -> Self {
        let MergedRow { number, type_name, message, times_seen } = row;
        let (type_name, message) = (shortened(&type_name, MAX_TEXT), shortened(&message, MAX_TEXT));
        Self { number, type_name, message, times_seen }
    }
}
