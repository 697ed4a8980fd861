//! The installed agents.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the folder of the programs.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents")
}

/// Returns the folder of an installed part. The first call installs what is missing, which needs package registries.
pub(crate) fn installed(part: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(install).join(part)
}

/// Runs the script, which returns at once if everything is installed. Its progress is shown while it runs.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("agents");
    let script = sources().join("install.sh");
    let status = Command::new("bash").arg(&script).arg(&folder).status();
    let is_installed = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(
        is_installed,
        "the agents are not installed in {}: run opbeat-server/tests/agents/install.sh, which says what is missing",
        folder.display()
    );
    folder
}
