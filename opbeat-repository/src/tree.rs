//! Trees: the file at a path, all files, and the files that differ.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::BString;
use gix::objs::TreeRefIter;

use crate::Error;
use crate::error::damaged;
use crate::objects::Objects;

/// The depth of folders that is followed. Git itself stops at 2,048.
const DEPTH: usize = 256;
/// The length of a path that is read, in bytes.
const PATH_LENGTH: usize = 4_096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    /// A link, or the commit of a submodule.
    Other,
}

/// The ids from the root's tree to the file at a path: the last one is the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trail(Vec<ObjectId>);

impl Trail {
    pub(crate) fn blob(&self) -> ObjectId {
        *self.0.last().expect("a trail has the file's id")
    }
}

/// A file that two trees do not share.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: BString,
    pub(crate) before: Option<ObjectId>,
    pub(crate) after: Option<ObjectId>,
}

impl Objects<'_> {
    fn entries(&self, tree: ObjectId) -> Result<Vec<(BString, Kind, ObjectId)>, Error> {
        let object = self.repo.find_tree(tree).map_err(damaged)?;
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
            let entry = entry.map_err(damaged)?;
            entries.push((entry.filename.to_owned(), kind(entry.mode), entry.oid.to_owned()));
        }
        Ok(entries)
    }

    /// Finds the file at `path` in the tree. With the trail of the same path in another tree, equal folders are not read.
    pub(crate) fn find(&self, tree: ObjectId, path: &[u8], known: Option<&Trail>) -> Result<Option<Trail>, Error> {
        let mut trail = vec![tree];
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let here = trail[trail.len() - 1];
            if let Some(known) = known
                && known.0.get(trail.len() - 1) == Some(&here)
            {
                return Ok(Some(known.clone()));
            }
            let object = self.repo.find_tree(here).map_err(damaged)?;
            let wanted = if parts.peek().is_some() { Kind::Folder } else { Kind::File };
            let mut found = None;
            for entry in TreeRefIter::from_bytes(&object.data, here.kind()) {
                let entry = entry.map_err(damaged)?;
                if entry.filename == part && kind(entry.mode) == wanted {
                    found = Some(entry.oid.to_owned());
                    break;
                }
            }
            match found {
                Some(id) => trail.push(id),
                None => return Ok(None),
            }
        }
        Ok(Some(Trail(trail)))
    }

    /// Lists the files of a tree. `None` if there are more than the limit, or if folders are too deep.
    pub(crate) fn files(&self, tree: ObjectId) -> Result<Option<Vec<BString>>, Error> {
        let mut files = Vec::new();
        let mut seen = 0_usize;
        let mut folders = vec![(BString::default(), tree, 0_usize)];
        while let Some((folder, id, depth)) = folders.pop() {
            self.budget.check()?;
            for (name, kind, id) in self.entries(id)? {
                seen += 1;
                let path = join(&folder, &name);
                if seen > self.limits.tree_files || depth >= DEPTH || path.len() > PATH_LENGTH {
                    return Ok(None);
                }
                match kind {
                    Kind::Folder => folders.push((path, id, depth + 1)),
                    Kind::File => files.push(path),
                    Kind::Other => {}
                }
            }
        }
        Ok(Some(files))
    }

    /// Lists the files that differ between two trees. `None` if there are more than `limit`.
    pub(crate) fn changes(
        &self,
        before: Option<ObjectId>,
        after: ObjectId,
        limit: usize,
    ) -> Result<Option<Vec<Change>>, Error> {
        let mut changes = Vec::new();
        let mut folders = vec![(BString::default(), before, Some(after), 0_usize)];
        while let Some((folder, before, after, depth)) = folders.pop() {
            self.budget.check()?;
            if before == after {
                continue;
            }
            if depth >= DEPTH {
                return Ok(None);
            }
            let old = before.map_or_else(|| Ok(Vec::new()), |id| self.entries(id))?;
            let new = after.map_or_else(|| Ok(Vec::new()), |id| self.entries(id))?;
            let mut pairs: HashMap<(BString, bool), [Option<ObjectId>; 2]> = HashMap::new();
            for (side, entries) in [old, new].into_iter().enumerate() {
                for (name, kind, id) in entries {
                    if kind != Kind::Other {
                        pairs.entry((name, kind == Kind::Folder)).or_default()[side] = Some(id);
                    }
                }
            }
            for ((name, is_folder), [before, after]) in pairs {
                if before == after {
                    continue;
                }
                let path = join(&folder, &name);
                if is_folder {
                    folders.push((path, before, after, depth + 1));
                } else {
                    changes.push(Change { path, before, after });
                }
                if changes.len() > limit || folders.len() > limit || path_too_long(&folder) {
                    return Ok(None);
                }
            }
        }
        // Hash maps have no order; results must not differ between two runs.
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Some(changes))
    }
}

fn path_too_long(path: &BString) -> bool {
    path.len() > PATH_LENGTH
}

fn join(folder: &BString, name: &BString) -> BString {
    if folder.is_empty() {
        return name.clone();
    }
    let mut path = folder.clone();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

fn kind(mode: gix::objs::tree::EntryMode) -> Kind {
    if mode.is_tree() {
        Kind::Folder
    } else if mode.is_blob() {
        Kind::File
    } else {
        Kind::Other
    }
}
