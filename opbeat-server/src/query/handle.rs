//! The handle that pages and API read by.

use super::{QueryError, Rights};
use crate::intake::hash_token;
use crate::store::Store;

/// Reads the store. Clones share its connections.
///
/// All of its functions fail only if the database fails.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(super) store: Store,
}

impl Query {
    /// Makes a handle that reads a store.
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the rights of a token, or `None` if the token is unknown.
    pub(crate) async fn rights_of(&self, token: &str) -> Result<Option<Rights>, QueryError> {
        self.store.rights_of(&hash_token(token)).await
    }
}
