//! The apps that a reader may see.

use super::pattern;
use crate::store::access::Scope;
use crate::store::counts::count;
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::marks::TOTALS;
use crate::store::probe::ORGANIZATION as PROBE;
use crate::store::transactions::TOTAL_KIND;

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

/// The apps of a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AppFilter<'a> {
    /// The id or the short name of the organization that they belong to.
    pub(crate) organization: Option<&'a str>,
    /// A part of their names, in any case.
    pub(crate) search: Option<&'a str>,
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

    /// Returns some apps with their activity since a point in time (seconds since 1970), and the number of all.
    pub(crate) async fn apps(
        &self,
        scope: &Scope,
        filter: AppFilter<'_>,
        since: i64,
        (limit, offset): (i64, i64),
    ) -> Result<(Vec<AppActivity>, i64), StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT listed.organization_id, listed.organization, listed.id, listed.name,
                    coalesce(total.first_seen, (SELECT min(first_seen) FROM transactions WHERE app_id = listed.id))
                        AS first_transaction,
                    (SELECT min(first_seen) FROM error_groups WHERE app_id = listed.id) AS first_error,
                    coalesce(total.last_seen, (SELECT max(last_seen) FROM transactions WHERE app_id = listed.id))
                        AS last_transaction,
                    (SELECT max(last_seen) FROM error_groups WHERE app_id = listed.id) AS last_error,
                    (SELECT count(*) FROM error_groups WHERE app_id = listed.id AND status = 'open' AND merged_into IS NULL)
                        AS open_errors",
        );
        for column in ["count", "failed"] {
            query.push(", CASE WHEN totals.since <= ").push_bind(since);
            query.push(format!(" THEN (SELECT sum(CAST({column} AS DOUBLE PRECISION)) FROM rollups"));
            query.push(" WHERE transaction_id = total.id AND resolution = 60 AND start >= ").push_bind(since);
            query.push(format!(") ELSE (SELECT sum(CAST(rollups.{column} AS DOUBLE PRECISION))"));
            query.push(" FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id");
            query.push(" WHERE transactions.app_id = listed.id AND transactions.kind <> ").push_bind(TOTAL_KIND);
            query.push(" AND transactions.last_seen >= ").push_bind(since.saturating_mul(1_000_000));
            query.push(" AND rollups.resolution = 60 AND rollups.start >= ").push_bind(since);
            query.push(format!(") END AS {column}"));
        }
        query.push(
            " FROM (SELECT organizations.id AS organization_id, organizations.short_name AS organization,
                           apps.id AS id, apps.short_name AS name",
        );
        push_apps(&mut query, scope, filter);
        query.push(" ORDER BY organizations.short_name, apps.short_name LIMIT ").push_bind(limit);
        query.push(" OFFSET ").push_bind(offset);
        query.push(") AS listed LEFT JOIN transactions AS total ON total.app_id = listed.id AND total.kind = ");
        query.push_bind(TOTAL_KIND).push(" AND total.name = ''");
        query.push(" LEFT JOIN compactions AS totals ON totals.app_id = listed.id AND totals.resolution = ");
        query.push_bind(TOTALS).push(" ORDER BY listed.organization, listed.name");
        let rows = query.build().read_all(&self.readers).await?;
        let mut count = QueryBuilder::new("SELECT count(*)");
        push_apps(&mut count, scope, filter);
        let total: i64 = count.build().read_one(&self.readers).await?.try_get(0)?;
        let apps: Vec<AppActivity> = rows.iter().map(activity).collect::<Result<_, StoreError>>()?;
        Ok((apps, total))
    }

    /// Returns the times of an app's first and last transaction or error, in microseconds since 1970.
    pub(crate) async fn activity(&self, app_id: &str) -> Result<Option<(i64, i64)>, StoreError> {
        // Each subquery reads one entry of an index, unless the app has no sums of all its transactions yet.
        let row = query(
            "SELECT coalesce((SELECT first_seen FROM transactions WHERE app_id = ?1 AND kind = ?2 AND name = ''),
                             (SELECT min(first_seen) FROM transactions WHERE app_id = ?1)),
                    coalesce((SELECT last_seen FROM transactions WHERE app_id = ?1 AND kind = ?2 AND name = ''),
                             (SELECT max(last_seen) FROM transactions WHERE app_id = ?1)),
                    (SELECT min(first_seen) FROM error_groups WHERE app_id = ?1),
                    (SELECT max(last_seen) FROM error_groups WHERE app_id = ?1)",
        )
        .bind(app_id)
        .bind(TOTAL_KIND)
        .read_one(&self.readers)
        .await?;
        let column = |column: usize| row.try_get::<Option<i64>, _>(column);
        let first = [column(0)?, column(2)?].into_iter().flatten().min();
        Ok(first.zip(column(1)?.max(column(3)?)))
    }
}

/// Appends the tables and the conditions of a list of apps.
fn push_apps(query: &mut QueryBuilder<'_>, scope: &Scope, filter: AppFilter<'_>) {
    query.push(" FROM apps JOIN organizations ON organizations.id = apps.organization_id WHERE ");
    push_scope(query, scope);
    if let Some(organization) = filter.organization {
        query.push(" AND (organizations.id = ").push_bind(organization.to_owned());
        query.push(" OR organizations.short_name = ").push_bind(organization.to_owned()).push(")");
    }
    if let Some(search) = filter.search {
        query.push(" AND lower(organizations.short_name || ' / ' || apps.short_name) LIKE ");
        query.push_bind(pattern(search)).push(" ESCAPE '\\'");
    }
}

/// Appends the condition that a reader may see an organization.
pub(super) fn push_scope(query: &mut QueryBuilder<'_>, scope: &Scope) {
    match scope {
        Scope::Everything => query.push("organizations.short_name <> ").push_bind(PROBE),
        Scope::Organizations(roles) if roles.is_empty() => query.push("1 = 0"),
        Scope::Organizations(roles) => query.push("organizations.id IN ").push_row(roles.keys().cloned()),
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
