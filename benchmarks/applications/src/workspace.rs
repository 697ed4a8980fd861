//! Makes a workspace with both copies of each application.

use std::fs;
use std::path::Path;

use crate::Failed;
use crate::application::Application;
use crate::change;
use crate::files;
use crate::folders::{Copy, Folders};
use crate::framework::Framework;
use crate::manifest;

/// Writes the workspace of all applications of a framework. Its `Cargo.lock` does not depend on the chosen ones.
///
/// Files that are up to date are not written again, since cargo would build them again.
pub fn prepare(
    framework: Framework,
    applications: impl Iterator<Item = &'static Application>,
    folders: &Folders,
) -> Result<(), Failed> {
    let (source, workspace) = (folders.source(framework), folders.workspace(framework));
    let mut members = Vec::new();
    for application in applications.filter(|application| application.framework == framework) {
        for copy in Copy::BOTH {
            members.push(format!("{:?}", format!("{}/{}", copy.name(), application.path)));
            copy_package(application, copy, folders)?;
        }
    }
    files::write(&workspace.join("Cargo.toml"), root_manifest(framework, &source, &members.join(", "))?.as_bytes())?;
    // The versions that the framework's authors use; cargo adds those of the layer.
    if !workspace.join("Cargo.lock").exists() {
        fs::copy(source.join("Cargo.lock"), workspace.join("Cargo.lock"))?;
    }
    Ok(())
}

fn root_manifest(framework: Framework, source: &Path, members: &str) -> Result<String, Failed> {
    let profile = "\n[profile.dev]\ndebug = false\n";
    match framework {
        Framework::Axum => Ok(format!("[workspace]\nresolver = \"2\"\nmembers = [{members}]\n{profile}")),
        // The manifest at the root has the versions of the dependencies.
        Framework::Actix => {
            let root = fs::read_to_string(source.join("Cargo.toml"))?;
            let parts =
                root.split_once("members = [").and_then(|(before, rest)| Some((before, rest.split_once(']')?.1)));
            let (before, after) = parts.ok_or("the Cargo.toml of actix's examples lists no members")?;
            Ok(format!("{before}members = [{members}]{after}{profile}"))
        }
    }
}

fn copy_package(application: &Application, copy: Copy, folders: &Folders) -> Result<(), Failed> {
    let examples = folders.source(application.framework).join(application.framework.examples());
    let (from, to) = (examples.join(application.path), folders.package(application, copy));
    files::copy_folder(&from, &to, &["Cargo.toml", "main.rs"])?;
    let main = change::listen(application, &fs::read_to_string(from.join("src/main.rs"))?)?;
    let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
    let manifest = manifest::use_published(&manifest, &folders.source(application.framework))?;
    let (main, manifest) = match copy {
        Copy::Unchanged => (main, manifest),
        Copy::Monitored => (change::add_layer(application, &main)?, manifest::add_layer(application, &manifest, &from)),
    };
    files::write(&to.join("src/main.rs"), main.as_bytes())?;
    Ok(files::write(&to.join("Cargo.toml"), manifest.as_bytes())?)
}
