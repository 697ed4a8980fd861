//! Reads releases and deployments, and checks that they say what was released.

use opbeat_protocol::read::{ReadLimits, Received, Unreadable, read_deployment, read_release};
use opbeat_protocol::{DeploymentBody, ReleaseBody};

use super::report::Undecodable;

/// The largest number of machines that one body is about. No agent sends more than one.
const MAX_MACHINES: usize = 1_000;

/// The statuses of a release.
const STATUSES: [&str; 2] = ["completed", "machine-completed"];

/// Reads the body of `releases/`: JSON or a form, as its first bytes say.
///
/// # Errors
///
/// Returns an error that names the missing or invalid field.
pub(super) fn parse_release(body: &[u8]) -> Result<Received<ReleaseBody>, Undecodable> {
    let release = read_release(body, &ReadLimits::default()).map_err(|error| match error {
        Unreadable::NoContent { .. } => {
            Undecodable::field("rev", "it is missing; send the revision, as in `rev=a1b2c3&status=completed`")
        }
        error => error.into(),
    })?;
    match release.body.status.as_deref() {
        Some(status) if STATUSES.contains(&status) => Ok(release),
        Some(status) => Err(invalid_status(&format!("it is {status:?}"))),
        None => Err(invalid_status("it is missing")),
    }
}

fn invalid_status(reason: &str) -> Undecodable {
    let remedy = "send `completed`, or `machine-completed` with the host name as `machine`";
    Undecodable::field("status", format!("{reason}; {remedy}"))
}

/// Reads the body of `deployments/`.
///
/// # Errors
///
/// Returns an error that names the missing or invalid field.
pub(super) fn parse_deployment(json: &[u8]) -> Result<Received<DeploymentBody>, Undecodable> {
    let mut deployment = read_deployment(json, &ReadLimits::default())?;
    let body = &mut deployment.body;
    body.machines.retain(|machine| !machine.hostname.is_empty());
    match body.machines.len() {
        0 => Err(Undecodable::field("machines", "it names no machine; send `[{\"hostname\": \"web-1\"}]`")),
        1..=MAX_MACHINES => Ok(deployment),
        count => Err(Undecodable::field("machines", format!("it names {count} machines, more than {MAX_MACHINES}"))),
    }
}
