//! Trees: the file at a path, all files, and the files that differ.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use gix::objs::{self, TreeRefIter};

use crate::Error;
use crate::error::damaged;
use crate::objects::Objects;

/// The depth of folders that is followed. Git itself stops at 2,048.
const DEPTH: usize = 256;
/// The length of a path that is read, in bytes.
const PATH_LENGTH: usize = 4_096;
/// The bytes of all paths of a revision that are kept. Folders with long names can repeat in a small repository.
const PATHS_LENGTH: usize = 64 * 1024 * 1024;

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
    fn tree(&self, id: ObjectId) -> Result<gix::Object<'_>, Error> {
        self.object(id, objs::Kind::Tree)
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
            let object = self.tree(here)?;
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

    /// Lists the files of a tree. `None` if there are more than the limit, or if folders are too deep or too large.
    pub(crate) fn files(&self, tree: ObjectId) -> Result<Option<Vec<BString>>, Error> {
        let mut files = Vec::new();
        let (mut seen, mut length) = (0_usize, 0_usize);
        let mut folders = vec![(BString::default(), tree, 0_usize)];
        while let Some((folder, id, depth)) = folders.pop() {
            let Some(object) = unless_too_large(self.tree(id))? else { return Ok(None) };
            for entry in TreeRefIter::from_bytes(&object.data, id.kind()) {
                let entry = entry.map_err(damaged)?;
                let path = join(&folder, entry.filename);
                (seen, length) = (seen + 1, length + path.len());
                self.spend(path.len())?;
                let is_too_large = seen > self.limits.tree_files || length > PATHS_LENGTH;
                if is_too_large || depth >= DEPTH || path.len() > PATH_LENGTH {
                    return Ok(None);
                }
                match kind(entry.mode) {
                    Kind::Folder => folders.push((path, entry.oid.to_owned(), depth + 1)),
                    Kind::File => files.push(path),
                    Kind::Other => {}
                }
            }
        }
        Ok(Some(files))
    }

    /// Lists the files that differ between two trees. `None` if there are more than `limit`, or if folders are too large.
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
            if depth >= DEPTH || folder.len() > PATH_LENGTH {
                return Ok(None);
            }
            let read = |id: Option<ObjectId>| id.map(|id| self.tree(id)).transpose();
            let Some(old) = unless_too_large(read(before))? else { return Ok(None) };
            let Some(new) = unless_too_large(read(after))? else { return Ok(None) };
            for ((name, is_folder), [before, after]) in pairs(old.as_ref(), new.as_ref())? {
                let path = join(&folder, name);
                self.spend(path.len())?;
                if is_folder {
                    folders.push((path, before, after, depth + 1));
                } else {
                    changes.push(Change { path, before, after });
                }
                if changes.len() > limit || folders.len() > limit {
                    return Ok(None);
                }
            }
        }
        // Hash maps have no order; results must not differ between two runs.
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Some(changes))
    }
}

/// The ids of the entries that differ between two trees, by name and by whether they are folders.
type Pairs<'t> = HashMap<(&'t BStr, bool), [Option<ObjectId>; 2]>;

fn pairs<'t>(old: Option<&'t gix::Object<'_>>, new: Option<&'t gix::Object<'_>>) -> Result<Pairs<'t>, Error> {
    let mut pairs = Pairs::new();
    for (side, tree) in [old, new].into_iter().enumerate() {
        let Some(tree) = tree else { continue };
        for entry in TreeRefIter::from_bytes(&tree.data, tree.id.kind()) {
            let entry = entry.map_err(damaged)?;
            let kind = kind(entry.mode);
            if kind == Kind::Other {
                continue;
            }
            let key = (entry.filename, kind == Kind::Folder);
            // Most entries are equal, and need no memory after this.
            if pairs.get(&key).is_some_and(|ids| ids[0].as_deref() == Some(entry.oid)) {
                pairs.remove(&key);
            } else {
                pairs.entry(key).or_default()[side] = Some(entry.oid.to_owned());
            }
        }
    }
    Ok(pairs)
}

/// Turns the error of an object that is too large into `None`.
fn unless_too_large<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(object) => Ok(Some(object)),
        Err(Error::ObjectTooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn join(folder: &BString, name: &BStr) -> BString {
    if folder.is_empty() {
        return name.to_owned();
    }
    let mut path = folder.clone();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

fn kind(mode: objs::tree::EntryMode) -> Kind {
    if mode.is_tree() {
        Kind::Folder
    } else if mode.is_blob() {
        Kind::File
    } else {
        Kind::Other
    }
}
