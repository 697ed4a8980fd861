//! The modules that are installed on machines.

use crate::changes::{DeploymentDocument, InstalledModule, unpack};
use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;

/// The newest report on a machine, without its packages.
#[derive(Clone, Debug)]
pub(crate) struct DeploymentSummaryRow {
    /// The machine's host name.
    pub(crate) machine: String,
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// The number of components.
    pub(crate) component_count: i64,
    /// The number of packages.
    pub(crate) package_count: i64,
    /// The first components.
    pub(crate) components: Vec<InstalledModule>,
}

/// The newest report on a machine.
#[derive(Clone, Debug)]
pub(crate) struct DeploymentRow {
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// The installed modules.
    pub(crate) document: DeploymentDocument,
}

/// An earlier report on a machine.
#[derive(Clone, Debug)]
pub(crate) struct EarlierDeployment {
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// The number of components.
    pub(crate) component_count: i64,
    /// The number of packages.
    pub(crate) package_count: i64,
}

impl Store {
    /// Returns the newest report on each of some of an app's machines, the newest first, and the number of all machines.
    pub(crate) async fn deployments(
        &self,
        app_id: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<DeploymentSummaryRow>, i64), StoreError> {
        let rows = query(
            "SELECT newest.hostname, newest.received_at, component_count, package_count, components
             FROM (
                 SELECT hostname, received_at, deployment_id FROM (
                     SELECT hostname, received_at, deployment_id,
                            row_number() OVER (PARTITION BY hostname ORDER BY received_at DESC, deployment_id DESC) AS age
                     FROM deployment_machines WHERE app_id = ?
                 ) AS reports WHERE age = 1 ORDER BY received_at DESC, hostname LIMIT ? OFFSET ?
             ) AS newest JOIN deployments ON deployments.id = newest.deployment_id
             ORDER BY newest.received_at DESC, newest.hostname",
        )
        .bind(app_id)
        .bind(limit)
        .bind(offset)
        .read_all(&self.readers)
        .await?;
        let total = query("SELECT count(DISTINCT hostname) FROM deployment_machines WHERE app_id = ?");
        let total = total.bind(app_id).read_one(&self.readers).await?.try_get(0)?;
        Ok((rows.iter().map(summary).collect::<Result<_, _>>()?, total))
    }

    /// Returns the newest report on one of an app's machines, and the reports before it, the newest first.
    pub(crate) async fn deployment(
        &self,
        app_id: &str,
        machine: &str,
    ) -> Result<Option<(DeploymentRow, Vec<EarlierDeployment>)>, StoreError> {
        let rows = query(
            "SELECT deployments.id, deployment_machines.received_at, component_count, package_count
             FROM deployment_machines JOIN deployments ON deployments.id = deployment_id
             WHERE deployment_machines.app_id = ? AND hostname = ?
             ORDER BY deployment_machines.received_at DESC, deployments.id DESC",
        )
        .bind(app_id)
        .bind(machine)
        .read_all(&self.readers)
        .await?;
        let Some((newest, earlier)) = rows.split_first() else { return Ok(None) };
        let document = query("SELECT document FROM deployments WHERE app_id = ? AND id = ?")
            .bind(app_id)
            .bind(newest.try_get::<i64, _>(0)?)
            .read_optional(&self.readers)
            .await?;
        // Retention may have removed it since.
        let Some(document) = document else { return Ok(None) };
        let row = DeploymentRow { received_at: newest.try_get(1)?, document: unpack(document.try_get(0)?)? };
        let reference = |row: &Row<'_>| {
            Ok(EarlierDeployment {
                received_at: row.try_get(1)?,
                component_count: row.try_get(2)?,
                package_count: row.try_get(3)?,
            })
        };
        Ok(Some((row, earlier.iter().map(reference).collect::<Result<_, StoreError>>()?)))
    }
}

fn summary(row: &Row<'_>) -> Result<DeploymentSummaryRow, StoreError> {
    Ok(DeploymentSummaryRow {
        machine: row.try_get(0)?,
        received_at: row.try_get(1)?,
        component_count: row.try_get(2)?,
        package_count: row.try_get(3)?,
        // A list shows the other machines even if one document is damaged.
        components: unpack(row.try_get(4)?).unwrap_or_default(),
    })
}
