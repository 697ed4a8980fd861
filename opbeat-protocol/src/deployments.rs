//! The body of `deployments/`: the modules that are installed on machines.

use serde::{Deserialize, Serialize};

use super::fields::Machine;

/// The body of `deployments/`, as opbeatcli sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentBody {
    /// The machines.
    #[serde(default)]
    pub machines: Vec<Machine>,
    /// The modules that are installed on them.
    #[serde(default)]
    pub releases: Vec<DeployedModule>,
}

/// An installed module in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedModule {
    /// The module.
    pub module: Module,
    /// The version. Either it or the revision in `vcs` is present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The path; only for components of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The location in version control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcs: Option<Vcs>,
}

/// A component of the application, or a package that it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// The name.
    pub name: String,
    /// The type: `repository` for a component, else `python`, `nodejs`, `ruby`, `deb`, `rpm` or `other`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A location in version control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vcs {
    /// The system: `git`, `mercurial`, `subversion` or `bazaar`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The address of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}
