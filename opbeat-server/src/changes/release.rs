//! Releases and deployments.

use serde::{Deserialize, Serialize};

/// A report that a release is completed, on one machine or as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewRelease {
    /// The app's id.
    pub(crate) app_id: String,
    /// The revision, such as a commit's hash.
    pub(crate) rev: String,
    /// The branch, or an empty string.
    pub(crate) branch: String,
    /// The host name of the machine that the release is completed on, or an empty string.
    pub(crate) machine: String,
    /// Whether the whole release is completed.
    pub(crate) is_complete: bool,
    /// When it was completed, in microseconds since 1970.
    pub(crate) completed_at: i64,
}

/// A report of what is installed on machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewDeployment {
    /// The app's id.
    pub(crate) app_id: String,
    /// The machines' host names, each once.
    pub(crate) machines: Vec<String>,
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// The number of components.
    pub(crate) component_count: usize,
    /// The number of packages.
    pub(crate) package_count: usize,
    /// The first components, as lists show them: an array of [`InstalledModule`]s as JSON.
    #[serde(with = "serde_bytes")]
    pub(crate) first_components: Vec<u8>,
    /// The installed modules: a [`DeploymentDocument`] as JSON.
    #[serde(with = "serde_bytes")]
    pub(crate) document: Vec<u8>,
}

/// The modules that are installed on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeploymentDocument {
    /// The components of the application.
    pub(crate) components: Vec<InstalledModule>,
    /// All other packages.
    pub(crate) packages: Vec<InstalledModule>,
}

/// One component or package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstalledModule {
    /// The name.
    pub(crate) name: String,
    /// `repository` for a component, else the package manager, such as `python` or `deb`; an empty string if unknown.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The version.
    pub(crate) version: Option<String>,
    /// The path of a component on the machine.
    pub(crate) path: Option<String>,
    /// The state of the version control.
    pub(crate) vcs: Option<ModuleVcs>,
}

/// The state of a module's version control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModuleVcs {
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
