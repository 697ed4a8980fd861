//! The body of `releases/`: one release, or its arrival on one machine.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The body of `releases/`, as release-tracker, the agents and deploy scripts send it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseBody {
    /// The revision, usually a commit hash.
    pub rev: String,
    /// The status: `completed`, or `machine-completed` for one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The host name of the machine; only with `machine-completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// *Extension.* When the release was completed, if not at its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}
