//! The handle that pages and API read by.

use super::{QueryError, Scope};
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

    /// Returns the data that a read token gives access to, or `None` if the token is unknown.
    pub(crate) async fn scope_of(&self, read_token: &str) -> Result<Option<Scope>, QueryError> {
        let organization = self.store.organization_of(&hash_token(read_token)).await?;
        Ok(organization.map(Scope::Organization))
    }
}
