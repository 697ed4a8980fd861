//! The changes to the `Cargo.toml` of an application.

use std::fs;
use std::path::Path;

use crate::Failed;
use crate::application::Application;
use crate::folders::Folders;
use crate::names;

/// Replaces the paths of axum's crates by their versions: the layer uses the published ones.
pub fn use_published(manifest: &str, source: &Path) -> Result<String, Failed> {
    let mut manifest = manifest.to_owned();
    for name in ["axum", "axum-extra"] {
        let path = format!("path = \"../../{name}\"");
        if manifest.contains(&path) {
            let version = version(&fs::read_to_string(source.join(name).join("Cargo.toml"))?)?;
            manifest = manifest.replace(&path, &format!("version = {version:?}"));
        }
    }
    Ok(manifest)
}

fn version(manifest: &str) -> Result<String, Failed> {
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.split('"').next());
    Ok(version.ok_or("a Cargo.toml of axum contains no version")?.to_owned())
}

/// Adds the layer's crate. Packages and binaries of both copies need different names; a library keeps its name, which
/// `main.rs` uses.
pub fn add_layer(application: &Application, manifest: &str, package: &Path) -> String {
    let layer = application.framework.layer_crate();
    let path = Folders::repository().join(layer);
    let dependency = format!("[dependencies]\n{layer} = {{ path = {path:?} }}");
    let name = names::of(manifest);
    let mut manifest = manifest.replacen("[dependencies]", &dependency, 1);
    for line in manifest.clone().lines().filter(|line| line.starts_with("name = ")) {
        manifest = manifest.replacen(line, &format!("{}-monitored\"", line.trim_end_matches('"')), 1);
    }
    if package.join("src/lib.rs").exists() {
        manifest.push_str(&format!("\n[lib]\nname = {:?}\n", name.replace('-', "_")));
    }
    manifest
}
