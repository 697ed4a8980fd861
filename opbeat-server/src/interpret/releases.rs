//! Turns the bodies of `releases/` and `deployments/` into changes of the store.

use std::collections::BTreeSet;

use opbeat_protocol::{DeployedModule, DeploymentBody, ReleaseBody, Vcs};

use super::context::placed_time;
use super::origin::{OTHER_TIME, Origin};
use super::scrub;
use crate::changes::{Changes, DeploymentDocument, InstalledModule, ModuleVcs, NewDeployment, NewRelease, to_json};

/// The number of components of a machine that lists show.
const LISTED_COMPONENTS: usize = 100;

/// The type of the modules that are components of the application.
const COMPONENT: &str = "repository";

/// Returns the changes of a release. Without a time that can be true, it is completed when it is received.
pub(super) fn release(origin: &Origin, body: ReleaseBody) -> Changes {
    let ReleaseBody { rev, status, branch, machine, timestamp } = body;
    let placed = placed_time(origin, Some(timestamp.unwrap_or(origin.received)));
    let release = NewRelease {
        app_id: origin.app_id.clone(),
        rev: revision(rev),
        branch: scrubbed(branch.unwrap_or_default()),
        machine: scrubbed(machine.unwrap_or_default()),
        is_complete: status.as_deref() == Some("completed"),
        completed_at: placed.at.micros(),
    };
    let notes = placed.is_replaced().then(|| (origin.note(OTHER_TIME), 1));
    Changes { releases: vec![release], notes: notes.into_iter().collect(), ..Changes::default() }
}

/// Returns the changes of a deployment.
pub(super) fn deployment(origin: &Origin, body: DeploymentBody) -> Changes {
    let machines: BTreeSet<String> = body.machines.into_iter().map(|machine| scrubbed(machine.hostname)).collect();
    let (components, packages): (Vec<_>, Vec<_>) =
        body.releases.into_iter().map(installed).partition(|module| module.kind == COMPONENT);
    let first_components = &components[..components.len().min(LISTED_COMPONENTS)];
    let deployment = NewDeployment {
        app_id: origin.app_id.clone(),
        machines: machines.into_iter().collect(),
        received_at: origin.received.micros(),
        component_count: components.len(),
        package_count: packages.len(),
        first_components: to_json(&first_components),
        document: to_json(&DeploymentDocument { components, packages }),
    };
    Changes { deployments: vec![deployment], ..Changes::default() }
}

fn installed(deployed: DeployedModule) -> InstalledModule {
    let DeployedModule { module, version, path, vcs } = deployed;
    let vcs = vcs.map(|Vcs { kind, revision: rev, branch, repository }| ModuleVcs {
        kind: kind.map(scrubbed),
        revision: rev.map(revision),
        branch: branch.map(scrubbed),
        // An address can contain a password.
        repository: repository.map(scrubbed),
    });
    InstalledModule {
        name: scrubbed(module.name),
        kind: scrubbed(module.kind),
        version: version.map(revision),
        path: path.map(scrubbed),
        vcs,
    }
}

/// Removes secrets from a revision or version.
fn revision(mut rev: String) -> String {
    scrub::scrub_id(&mut rev);
    rev
}

fn scrubbed(mut text: String) -> String {
    scrub::scrub_text(&mut text);
    text
}
