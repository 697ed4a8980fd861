//! Deployments: what is installed on each machine.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::changes::{InstalledModule, ModuleVcs};
use crate::store::read::{DeploymentRow, DeploymentSummaryRow, EarlierDeployment};

/// A deployment in a list: a machine, and a summary of its modules.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeploymentSummary {
    /// The machine's host name.
    pub(crate) machine: String,
    /// The time of the newest report, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) received_at: Timestamp,
    /// The components of the application. A list has at most 100 of each machine.
    pub(crate) components: Vec<ModuleView>,
    /// The number of components.
    pub(crate) component_count: i64,
    /// The number of other packages.
    pub(crate) packages: i64,
}

/// The machines of an app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeploymentList {
    /// The number of all machines of the app.
    pub(crate) total: i64,
    /// The requested part of the list, the machine with the newest report first.
    pub(crate) deployments: Vec<DeploymentSummary>,
}

/// The modules that are installed on one machine.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Deployment {
    /// The columns of lists, with all components.
    #[serde(flatten)]
    pub(crate) summary: DeploymentSummary,
    /// All other packages.
    pub(crate) package_list: Vec<ModuleView>,
    /// The reports before this one that are kept, the newest first.
    pub(crate) earlier: Vec<EarlierReport>,
}

/// An earlier report on a machine.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EarlierReport {
    /// The time of the report, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) received_at: Timestamp,
    /// The number of components.
    pub(crate) component_count: i64,
    /// The number of other packages.
    pub(crate) packages: i64,
}

/// A component of the application, or a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ModuleView {
    /// The name.
    pub(crate) name: String,
    /// `repository` for a component, else the package manager, such as `python` or `deb`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The version, if it is known.
    pub(crate) version: Option<String>,
    /// The path on the machine, if it is known.
    pub(crate) path: Option<String>,
    /// The state of the version control, if it is known.
    pub(crate) vcs: Option<VcsView>,
}

/// The state of a module's version control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct VcsView {
    /// The system, such as `git`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The revision.
    pub(crate) revision: Option<String>,
    /// The branch.
    pub(crate) branch: Option<String>,
    /// The address of the repository.
    pub(crate) repository: Option<String>,
}

impl Query {
    /// Returns what is installed on an app's machines, the machine with the newest report first.
    pub(crate) async fn deployments(
        &self,
        app: &AppIdentity,
        (limit, offset): (i64, i64),
    ) -> Result<DeploymentList, QueryError> {
        let (rows, total) = self.store.deployments(&app.id, limit, offset).await?;
        Ok(DeploymentList { total, deployments: rows.into_iter().map(Into::into).collect() })
    }

    /// Returns all that is installed on one of an app's machines.
    pub(crate) async fn deployment(&self, app: &AppIdentity, machine: &str) -> Result<Option<Deployment>, QueryError> {
        let Some((newest, earlier)) = self.store.deployment(&app.id, machine).await? else { return Ok(None) };
        let DeploymentRow { received_at, document } = newest;
        let summary = DeploymentSummary {
            machine: machine.to_owned(),
            received_at: from_micros(received_at),
            component_count: document.components.len() as i64,
            packages: document.packages.len() as i64,
            components: views(document.components),
        };
        let report = |row: &EarlierDeployment| EarlierReport {
            received_at: from_micros(row.received_at),
            component_count: row.component_count,
            packages: row.package_count,
        };
        let earlier = earlier.iter().map(report).collect();
        Ok(Some(Deployment { summary, package_list: views(document.packages), earlier }))
    }
}

impl From<DeploymentSummaryRow> for DeploymentSummary {
    fn from(row: DeploymentSummaryRow) -> Self {
        Self {
            machine: row.machine,
            received_at: from_micros(row.received_at),
            components: views(row.components),
            component_count: row.component_count,
            packages: row.package_count,
        }
    }
}

fn views(modules: Vec<InstalledModule>) -> Vec<ModuleView> {
    let view = |InstalledModule { name, kind, version, path, vcs }| ModuleView {
        name,
        kind,
        version,
        path,
        vcs: vcs.map(|ModuleVcs { kind, revision, branch, repository }| VcsView { kind, revision, branch, repository }),
    };
    modules.into_iter().map(view).collect()
}
