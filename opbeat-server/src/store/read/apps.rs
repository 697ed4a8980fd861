//! The apps that a reader may see.

use super::rollups::count;
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::probe::ORGANIZATION as PROBE;

/// The largest number of apps in a list.
const MAX_APPS: i64 = 500;

/// The organizations that a reader may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All organizations, for readers who opened the sign-in link. The one of the server's own probe is not among them.
    Everything,
    /// One organization, by its id.
    Organization(String),
}

/// An app with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppName {
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The organization's short name.
    pub(crate) organization: String,
    /// The app's id.
    pub(crate) id: String,
    /// The app's short name.
    pub(crate) name: String,
}

/// An app's activity since a point in time.
#[derive(Clone, Debug)]
pub(crate) struct AppActivity {
    /// The app.
    pub(crate) app: AppName,
    /// The number of transactions.
    pub(crate) count: u64,
    /// The number of failed transactions.
    pub(crate) failed: u64,
    /// The time of its first transaction or error, in microseconds since 1970.
    pub(crate) first_seen: Option<i64>,
    /// The time of its last transaction or error, in microseconds since 1970.
    pub(crate) last_seen: Option<i64>,
    /// The number of open error groups.
    pub(crate) open_errors: i64,
}

impl Store {
    /// Returns the organization that a read token belongs to.
    pub(crate) async fn organization_of(&self, token_hash: &[u8; 32]) -> Result<Option<String>, StoreError> {
        let row = query("SELECT organization_id FROM read_tokens WHERE hash = ?")
            .bind(&token_hash[..])
            .read_optional(&self.readers)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Finds an app by ids or short names.
    pub(crate) async fn find_app(
        &self,
        scope: &Scope,
        organization: &str,
        app: &str,
    ) -> Result<Option<AppName>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT organizations.id AS organization_id, organizations.short_name AS organization,
                    apps.id AS id, apps.short_name AS name
             FROM apps JOIN organizations ON organizations.id = apps.organization_id WHERE ",
        );
        push_scope(&mut query, scope);
        query.push(" AND (organizations.id = ").push_bind(organization);
        query.push(" OR organizations.short_name = ").push_bind(organization);
        query.push(") AND (apps.id = ").push_bind(app).push(" OR apps.short_name = ").push_bind(app).push(")");
        let row = query.build().read_optional(&self.readers).await?;
        row.as_ref().map(app_name).transpose()
    }

    /// Returns all apps with their activity since a point in time (seconds since 1970).
    pub(crate) async fn apps(&self, scope: &Scope, since: i64) -> Result<Vec<AppActivity>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT organizations.id AS organization_id, organizations.short_name AS organization,
                    apps.id AS id, apps.short_name AS name,
                    (SELECT min(first_seen) FROM transactions WHERE app_id = apps.id) AS first_transaction,
                    (SELECT min(first_seen) FROM error_groups WHERE app_id = apps.id) AS first_error,
                    (SELECT max(last_seen) FROM transactions WHERE app_id = apps.id) AS last_transaction,
                    (SELECT max(last_seen) FROM error_groups WHERE app_id = apps.id) AS last_error,
                    (SELECT count(*) FROM error_groups WHERE app_id = apps.id AND status = 'open') AS open_errors,
                    activity.count AS count, activity.failed AS failed
             FROM apps JOIN organizations ON organizations.id = apps.organization_id
             LEFT JOIN (
                 SELECT transactions.app_id, sum(CAST(rollups.count AS DOUBLE PRECISION)) AS count,
                        sum(CAST(rollups.failed AS DOUBLE PRECISION)) AS failed
                 FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id
                 WHERE rollups.resolution = 60 AND rollups.start >= ",
        );
        query.push_bind(since).push(" GROUP BY transactions.app_id) AS activity ON activity.app_id = apps.id WHERE ");
        push_scope(&mut query, scope);
        query.push(" ORDER BY organizations.short_name, apps.short_name LIMIT ").push_bind(MAX_APPS);
        let rows = query.build().read_all(&self.readers).await?;
        rows.iter().map(activity).collect()
    }

    /// Returns the times of an app's first and last transaction or error, in microseconds since 1970.
    pub(crate) async fn activity(&self, app_id: &str) -> Result<Option<(i64, i64)>, StoreError> {
        let row = query(
            "SELECT min(first_seen), max(last_seen) FROM (
                 SELECT min(first_seen) AS first_seen, max(last_seen) AS last_seen FROM transactions WHERE app_id = ?1
                 UNION ALL SELECT min(first_seen), max(last_seen) FROM error_groups WHERE app_id = ?1
             ) AS seen",
        )
        .bind(app_id)
        .read_one(&self.readers)
        .await?;
        let (first, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(first.zip(last))
    }
}

fn push_scope(query: &mut QueryBuilder<'_>, scope: &Scope) {
    match scope {
        Scope::Everything => query.push("organizations.short_name <> ").push_bind(PROBE),
        Scope::Organization(id) => query.push("organizations.id = ").push_bind(id.clone()),
    };
}

fn app_name(row: &Row<'_>) -> Result<AppName, StoreError> {
    Ok(AppName {
        organization_id: row.try_get("organization_id")?,
        organization: row.try_get("organization")?,
        id: row.try_get("id")?,
        name: row.try_get("name")?,
    })
}

fn activity(row: &Row<'_>) -> Result<AppActivity, StoreError> {
    let last_transaction: Option<i64> = row.try_get("last_transaction")?;
    let first: [Option<i64>; 2] = [row.try_get("first_transaction")?, row.try_get("first_error")?];
    let number = |column| row.try_get::<Option<f64>, _>(column).map(|sum| count(sum.unwrap_or(0.0)));
    Ok(AppActivity {
        app: app_name(row)?,
        count: number("count")?,
        failed: number("failed")?,
        first_seen: first.into_iter().flatten().min(),
        last_seen: last_transaction.max(row.try_get("last_error")?),
        open_errors: row.try_get("open_errors")?,
    })
}
