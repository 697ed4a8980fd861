//! From the path that an agent reports to the file of the repository.

use std::collections::HashMap;

use gix::bstr::{BString, ByteSlice};

use crate::Error;
use crate::blame::Reason;
use crate::error::clip;
use crate::objects::Objects;

/// The parts of a path that are compared.
const PARTS: usize = 256;
/// The files that are compared with the source of a frame.
const CANDIDATES: usize = 20;
/// The folders of dependencies and of results of builds.
const FOREIGN_FOLDERS: [&str; 14] = [
    ".cargo",
    ".venv",
    "__generated__",
    "bower_components",
    "dist-packages",
    "generated",
    "node_modules",
    "rustc",
    "site-packages",
    "target",
    "third-party",
    "third_party",
    "vendor",
    "venv",
];
/// The ends of the names of generated files.
const GENERATED_ENDINGS: [&str; 8] =
    [".min.js", ".pb.go", ".pb.rs", "_pb2.py", "_pb2_grpc.py", ".g.dart", ".generated.rs", ".bundle.js"];

/// The files of a revision, by their names.
pub(crate) struct Files {
    by_name: HashMap<String, Vec<String>>,
}

/// The files that a frame can stand for.
pub(crate) struct Match {
    /// The paths in the repository, at most [`CANDIDATES`].
    pub(crate) paths: Vec<String>,
    /// The evidence that the path gives without the line of source.
    pub(crate) evidence: Evidence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The first path is the file.
    Certain,
    /// Only the name is equal, and the folders differ.
    NameOnly,
    /// Several paths fit equally well.
    Several,
}

impl Files {
    pub(crate) fn new(paths: Vec<BString>) -> Self {
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for path in paths {
            // A path that is not UTF-8 cannot be reported: agents send JSON.
            let Ok(path) = path.to_str() else { continue };
            let name = path.rsplit('/').next().unwrap_or_default();
            by_name.entry(name.to_owned()).or_default().push(path.to_owned());
        }
        Self { by_name }
    }

    /// Finds the files whose paths have the longest common end with the reported path.
    ///
    /// The repository's own path, `src/main.rs`, is the file of that path. Of a longer one, `/app/src/main.rs`, both
    /// `src/main.rs` and `shop/src/main.rs` can be the file: the application may be a folder of the repository.
    pub(crate) fn find(&self, objects: &Objects<'_>, reported: &str) -> Result<Result<Match, Reason>, Error> {
        let Some(parts) = normalise(reported) else { return Ok(Err(Reason::PathOutside)) };
        let Some(name) = parts.last() else { return Ok(Err(Reason::NotInTree)) };
        if is_foreign(&parts) {
            return Ok(Err(Reason::Vendored));
        }
        let named = self.by_name.get(*name).map(Vec::as_slice).unwrap_or_default();
        objects.spend_lines(named)?;
        Ok(choose(named, &parts))
    }

    /// Finds the files whose paths end with all of `wanted`.
    fn find_whole(&self, objects: &Objects<'_>, wanted: &str) -> Result<Result<Match, Reason>, Error> {
        let found = self.find(objects, wanted)?;
        let ends = |path: &str| path.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let is_whole = |found: &Match| found.paths.iter().all(|path| ends(path));
        Ok(found.and_then(|found| if is_whole(&found) { Ok(found) } else { Err(Reason::NotInTree) }))
    }

    /// Finds the file of a module path, such as `shop::orders::total` or `shop.orders`, by the files that can contain it.
    pub(crate) fn find_module(&self, objects: &Objects<'_>, module: &str) -> Result<Result<Match, Reason>, Error> {
        let rust = module.contains("::");
        let parts = module.split(if rust { "::" } else { "." }).filter(|part| is_plain(part));
        let parts: Vec<&str> = parts.take(PARTS).collect();
        let (ending, index) = if rust { (".rs", "mod.rs") } else { (".py", "__init__.py") };
        // The last parts may be a type and a function; the first one is the crate.
        for end in (1..=parts.len()).rev() {
            let start = usize::from(rust && end > 1);
            let folders = parts[start..end].join("/");
            let file = self.find_whole(objects, &format!("{folders}{ending}"))?;
            let folder = self.find_whole(objects, &format!("{folders}/{index}"))?;
            match (file, folder) {
                (Ok(found), Err(Reason::NotInTree)) | (Err(Reason::NotInTree), Ok(found)) => return Ok(Ok(found)),
                (Err(Reason::NotInTree), Err(Reason::NotInTree)) => {}
                (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
                (Ok(_), Ok(_)) => return Ok(Err(Reason::Ambiguous { files: 2 })),
            }
        }
        Ok(Err(Reason::NotInTree))
    }
}

/// Chooses the files with the longest end in common with the parts of a path, among those of the same name.
fn choose(named: &[String], parts: &[&str]) -> Result<Match, Reason> {
    let mut longest = 0;
    let mut best: Vec<&String> = Vec::new();
    for path in named {
        let common = path.rsplit('/').zip(parts.iter().rev()).take_while(|(a, b)| a == *b).count();
        if common > longest {
            best.clear();
            longest = common;
        }
        if common == longest {
            best.push(path);
        }
    }
    let same = best.iter().position(|path| path.split('/').eq(parts.iter().copied()));
    if let Some(same) = same {
        best.swap(0, same);
    }
    let Some(first) = best.first() else { return Err(Reason::NotInTree) };
    if best.len() > CANDIDATES && same.is_none() {
        return Err(Reason::Ambiguous { files: best.len() });
    }
    let whole = first.split('/').count() == longest;
    let evidence = match best.len() {
        _ if same.is_some() => Evidence::Certain,
        // Neither path contains the other: the equal name may be chance.
        1 if longest == 1 && !whole && parts.len() > 1 => Evidence::NameOnly,
        1 => Evidence::Certain,
        _ => Evidence::Several,
    };
    best.retain(|path| !is_foreign(&path.split('/').collect::<Vec<_>>()));
    if best.is_empty() {
        return Err(Reason::Vendored);
    }
    best.truncate(CANDIDATES);
    Ok(Match { paths: best.into_iter().cloned().collect(), evidence })
}

/// Whether the text is the start of a file that a tool wrote.
pub(crate) fn is_generated(text: &[u8]) -> bool {
    let start = text[..text.len().min(1_000)].to_str_lossy();
    start.contains("@generated") || (start.contains("DO NOT EDIT") && start.to_lowercase().contains("generated"))
}

/// Splits a reported path into folders and the name, without `.` and `..`. `None` if it leaves its root.
fn normalise(reported: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for part in reported.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part if part.contains('\0') => return None,
            part => parts.push(part),
        }
        if parts.len() > PARTS {
            return None;
        }
    }
    // `C:` of Windows and schemes such as `webpack:` are no folders.
    if parts.first().is_some_and(|first| first.ends_with(':')) {
        parts.remove(0);
    }
    Some(parts)
}

fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn is_foreign(parts: &[&str]) -> bool {
    let Some((name, folders)) = parts.split_last() else { return false };
    folders.iter().any(|folder| FOREIGN_FOLDERS.contains(folder))
        || GENERATED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Returns the reported path for a page, at most 300 characters.
pub(crate) fn shown(reported: &str) -> String {
    clip(reported, 300)
}
