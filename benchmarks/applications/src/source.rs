//! Fetches the sources of the examples.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Failed;
use crate::folders::Folders;
use crate::framework::Framework;

/// Checks out the pinned revision of a framework's repository, unless the work folder already contains it.
pub fn fetch(framework: Framework, source: &str, folders: &Folders) -> Result<(), Failed> {
    let folder = folders.source(framework);
    let marker = folder.join(".git/fetched-revision");
    if fs::read_to_string(&marker).is_ok_and(|fetched| fetched == framework.revision()) {
        return Ok(());
    }
    eprintln!("fetching {} of {source}", framework.revision());
    fs::create_dir_all(&folder)?;
    git(&folder, &["init", "--quiet"])?;
    // One commit is enough. Unlike `git clone`, this also works with a commit, a bare mirror and an existing folder.
    git(&folder, &["fetch", "--quiet", "--depth", "1", &absolute(source), framework.revision()])?;
    git(&folder, &["checkout", "--quiet", "--force", "FETCH_HEAD"])?;
    Ok(fs::write(marker, framework.revision())?)
}

/// Returns a source that git can use in another folder: a path becomes absolute, a URL stays.
fn absolute(source: &str) -> String {
    match fs::canonicalize(source) {
        Ok(path) => path.display().to_string(),
        Err(_) => source.to_owned(),
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let status = Command::new("git").current_dir(folder).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {} failed: {status}", arguments.join(" ")).into()) }
}
