//! The organizations that a reader may see.

use super::apps::push_scope;
use crate::store::access::Scope;
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row};
use crate::store::error::StoreError;

/// An organization with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrganizationName {
    /// The id.
    pub(crate) id: String,
    /// The short name.
    pub(crate) name: String,
}

impl Store {
    /// Finds an organization by its id or its short name.
    pub(crate) async fn find_organization(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<OrganizationName>, StoreError> {
        let mut query = QueryBuilder::new("SELECT id, short_name FROM organizations WHERE ");
        push_scope(&mut query, scope);
        query.push(" AND (organizations.id = ").push_bind(name.to_owned());
        query.push(" OR organizations.short_name = ").push_bind(name.to_owned()).push(")");
        let row = query.build().read_optional(&self.readers).await?;
        row.as_ref().map(organization_name).transpose()
    }

    /// Returns some organizations in the order of their names.
    pub(crate) async fn organizations(&self, scope: &Scope, limit: i64) -> Result<Vec<OrganizationName>, StoreError> {
        let mut query = QueryBuilder::new("SELECT id, short_name FROM organizations WHERE ");
        push_scope(&mut query, scope);
        query.push(" ORDER BY short_name LIMIT ").push_bind(limit);
        query.build().read_all(&self.readers).await?.iter().map(organization_name).collect()
    }
}

fn organization_name(row: &Row<'_>) -> Result<OrganizationName, StoreError> {
    Ok(OrganizationName { id: row.try_get("id")?, name: row.try_get("short_name")? })
}
