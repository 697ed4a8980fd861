//! The names of packages and binaries.

use std::fs;
use std::io;
use std::path::Path;

/// Returns the name of a package.
pub fn package(package: &Path) -> io::Result<String> {
    Ok(of(&fs::read_to_string(package.join("Cargo.toml"))?))
}

/// Returns the name of a package's first binary.
pub fn binary(package: &Path) -> io::Result<String> {
    let manifest = fs::read_to_string(package.join("Cargo.toml"))?;
    Ok(of(manifest.split_once("[[bin]]").map_or(manifest.as_str(), |(_, binaries)| binaries)))
}

/// Returns the first name in a manifest.
pub fn of(manifest: &str) -> String {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.split('"').next());
    name.unwrap_or_default().to_owned()
}
