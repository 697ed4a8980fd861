//! Reports of what is installed on machines.

use sqlx::{Row, SqliteConnection};

use super::document;
use super::error::StoreError;
use crate::changes::NewDeployment;

/// The number of newest reports that are kept of each machine.
const KEPT: i64 = 20;

/// Adds reports, and removes those that are not kept.
pub(super) async fn write(connection: &mut SqliteConnection, deployments: &[NewDeployment]) -> Result<(), StoreError> {
    for deployment in deployments {
        let id = insert(connection, deployment).await?;
        for machine in &deployment.machines {
            add_machine(connection, id, machine, deployment).await?;
            remove_surplus(connection, &deployment.app_id, machine).await?;
        }
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, deployment: &NewDeployment) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO deployments (app_id, received_at, component_count, package_count, components, document)
         VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&deployment.app_id)
    .bind(deployment.received_at)
    .bind(i64::try_from(deployment.component_count).unwrap_or(i64::MAX))
    .bind(i64::try_from(deployment.package_count).unwrap_or(i64::MAX))
    .bind(document::pack(&deployment.first_components)?)
    .bind(document::pack(&deployment.document)?)
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

async fn add_machine(
    connection: &mut SqliteConnection,
    id: i64,
    machine: &str,
    deployment: &NewDeployment,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO deployment_machines (app_id, hostname, received_at, deployment_id) VALUES (?, ?, ?, ?)",
    )
    .bind(&deployment.app_id)
    .bind(machine)
    .bind(deployment.received_at)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the oldest reports on a machine, unless they are about another machine too.
async fn remove_surplus(connection: &mut SqliteConnection, app_id: &str, machine: &str) -> Result<(), StoreError> {
    let removed = sqlx::query(
        "DELETE FROM deployment_machines WHERE app_id = ?1 AND hostname = ?2 AND deployment_id IN (
             SELECT deployment_id FROM deployment_machines WHERE app_id = ?1 AND hostname = ?2
             ORDER BY received_at DESC, deployment_id DESC LIMIT -1 OFFSET ?3
         ) RETURNING deployment_id",
    )
    .bind(app_id)
    .bind(machine)
    .bind(KEPT)
    .fetch_all(&mut *connection)
    .await?;
    for row in removed {
        sqlx::query(
            "DELETE FROM deployments
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deployment_machines WHERE deployment_id = ?1)",
        )
        .bind(row.try_get::<i64, _>(0)?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
