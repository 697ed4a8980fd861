//! The folders that the program writes to.

use std::path::{Path, PathBuf};

use crate::application::Application;
use crate::framework::Framework;

/// One of the two copies of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    Unchanged,
    Monitored,
}

impl Copy {
    pub const BOTH: [Self; 2] = [Self::Unchanged, Self::Monitored];

    /// Returns the copy's folder in the workspace.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Monitored => "monitored",
        }
    }
}

/// The work folder.
pub struct Folders {
    work: PathBuf,
}

impl Folders {
    /// Uses a folder, or `benchmarks/target/applications`.
    pub fn new(work: Option<&Path>) -> Self {
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/applications");
        let work = work.map_or_else(default, Path::to_owned);
        // Cargo and the applications run in other folders.
        Self { work: std::path::absolute(&work).unwrap_or(work) }
    }

    /// Returns the folder of this repository.
    pub fn repository() -> PathBuf {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        path.canonicalize().unwrap_or(path)
    }

    /// Returns the checkout of a framework's repository.
    pub fn source(&self, framework: Framework) -> PathBuf {
        self.work.join("sources").join(framework.name())
    }

    /// Returns the workspace that contains both copies of a framework's applications.
    pub fn workspace(&self, framework: Framework) -> PathBuf {
        self.work.join("workspaces").join(framework.name())
    }

    /// Returns the package of an application's copy.
    pub fn package(&self, application: &Application, copy: Copy) -> PathBuf {
        self.workspace(application.framework).join(copy.name()).join(application.path)
    }

    /// Returns the target directory, which the workspaces share.
    pub fn target(&self) -> PathBuf {
        self.work.join("target")
    }

    /// Returns the folder that an application runs in.
    pub fn run(&self, application: &Application, copy: Copy) -> PathBuf {
        self.work.join("runs").join(copy.name()).join(application.framework.name()).join(application.path)
    }

    /// Returns the file that contains the output of an application's last run.
    pub fn log(&self, application: &Application, copy: Copy) -> PathBuf {
        let name = format!("{application}-{}.log", copy.name()).replace('/', "-");
        self.work.join("logs").join(name)
    }
}
