//! Reports of what is installed on machines.

use super::engine::{Connection, query};
use super::error::StoreError;
use crate::changes::{NewDeployment, pack};

/// The number of newest reports that are kept of each machine.
const KEPT: i64 = 20;

/// Adds reports, and removes those that are not kept.
pub(super) fn write(connection: &mut Connection, deployments: &[NewDeployment]) -> Result<(), StoreError> {
    for deployment in deployments {
        let id = insert(connection, deployment)?;
        for machine in &deployment.machines {
            add_machine(connection, id, machine, deployment)?;
            remove_surplus(connection, &deployment.app_id, machine)?;
        }
    }
    Ok(())
}

fn insert(connection: &mut Connection, deployment: &NewDeployment) -> Result<i64, StoreError> {
    let row = query(
        "INSERT INTO deployments (app_id, received_at, component_count, package_count, components, document)
         VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&deployment.app_id)
    .bind(deployment.received_at)
    .bind(i64::try_from(deployment.component_count).unwrap_or(i64::MAX))
    .bind(i64::try_from(deployment.package_count).unwrap_or(i64::MAX))
    .bind(pack(&deployment.first_components)?)
    .bind(pack(&deployment.document)?)
    .fetch_one(connection)?;
    Ok(row.try_get(0)?)
}

fn add_machine(
    connection: &mut Connection,
    id: i64,
    machine: &str,
    deployment: &NewDeployment,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO deployment_machines (app_id, hostname, received_at, deployment_id) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(&deployment.app_id)
    .bind(machine)
    .bind(deployment.received_at)
    .bind(id)
    .execute(connection)?;
    Ok(())
}

/// Removes the oldest reports on a machine, unless they are about another machine too.
fn remove_surplus(connection: &mut Connection, app_id: &str, machine: &str) -> Result<(), StoreError> {
    let removed = query(
        "DELETE FROM deployment_machines WHERE app_id = ?1 AND hostname = ?2 AND deployment_id IN (
             SELECT deployment_id FROM deployment_machines WHERE app_id = ?1 AND hostname = ?2
             ORDER BY received_at DESC, deployment_id DESC LIMIT 1000000000 OFFSET ?3
         ) RETURNING deployment_id",
    )
    .bind(app_id)
    .bind(machine)
    .bind(KEPT)
    .fetch_all(&mut *connection)?;
    for row in removed {
        query(
            "DELETE FROM deployments
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deployment_machines WHERE deployment_id = ?1)",
        )
        .bind(row.try_get::<i64, _>(0)?)
        .execute(&mut *connection)?;
    }
    Ok(())
}
