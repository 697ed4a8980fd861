//! Reads commits, trees and files.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::{CommitRef, Kind};

use crate::error::damaged;
use crate::{Budget, Error, Limits};

/// The objects of a repository, for one call.
pub(crate) struct Objects<'a> {
    pub(crate) repo: gix::Repository,
    pub(crate) budget: &'a Budget,
    pub(crate) limits: &'a Limits,
    shallow: HashSet<ObjectId>,
    /// A parent is read to compare it, and once more when the walk reaches it.
    recent: RefCell<VecDeque<(ObjectId, CommitData)>>,
    /// The bytes that were read or compared since the last look at the clock.
    unchecked: Cell<usize>,
}

/// The commits that are kept in memory.
const RECENT: usize = 8;

/// The bytes that are read or compared between two looks at the clock, in less than a millisecond.
const STEP: usize = 64 * 1024;

/// The parts of a commit that the history needs.
#[derive(Clone)]
pub(crate) struct CommitData {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    /// The time of the commit, in seconds since 1970.
    pub(crate) committed: i64,
}

/// The author of a commit as the commit names it, and the message.
pub(crate) struct CommitText {
    pub(crate) name: BString,
    pub(crate) mail: BString,
    /// The time of the change, in seconds since 1970.
    pub(crate) authored: i64,
    pub(crate) message: BString,
}

/// The content of a file.
pub(crate) enum Content {
    Text(Vec<u8>),
    Binary,
    TooLarge,
}

/// The bytes that reading the header of an object counts as: the search for the object takes longer than the bytes.
const HEADER: usize = 4 * 1024;

/// The size of a commit that is read, in bytes: its parents and its message.
const COMMIT: u64 = 4 * 1024 * 1024;

/// The bytes at the start of a file in which a zero byte marks a binary file, as in Git.
const BINARY_PREFIX: usize = 8_000;

impl<'a> Objects<'a> {
    pub(crate) fn new(mut repo: gix::Repository, budget: &'a Budget, limits: &'a Limits) -> Result<Self, Error> {
        repo.object_cache_size_if_unset(16 * 1024 * 1024);
        let shallow = match repo.shallow_commits().map_err(damaged)? {
            Some(commits) => commits.iter().copied().collect(),
            None => HashSet::new(),
        };
        Ok(Self { repo, budget, limits, shallow, recent: RefCell::default(), unchecked: Cell::new(0) })
    }

    /// Counts bytes that are read or compared next. Fails soon after the end of the budget, so all loops over commits,
    /// files and lines call this.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Error> {
        let bytes = self.unchecked.get().saturating_add(bytes);
        if bytes < STEP {
            self.unchecked.set(bytes);
            return Ok(());
        }
        self.unchecked.set(0);
        self.budget.check()
    }

    /// Counts the bytes of lines that are compared next.
    pub(crate) fn spend_lines(&self, lines: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        self.spend(lines.iter().map(|line| line.as_ref().len() + 1).sum())
    }

    /// Reads a commit or a tree, unless its header has a size beyond the limit.
    pub(crate) fn object(&self, id: ObjectId, kind: Kind) -> Result<gix::Object<'_>, Error> {
        let size = self.repo.find_header(id).map_err(damaged)?.size();
        let limit = match kind {
            Kind::Tree => self.limits.tree_bytes,
            _ => COMMIT,
        };
        if size > limit {
            return Err(Error::ObjectTooLarge { kind: kind.to_string(), size, limit });
        }
        self.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
        let object = self.repo.find_object(id).map_err(damaged)?;
        if object.kind != kind {
            return Err(damaged(format_args!("{id} is a {}, not a {kind}", object.kind)));
        }
        Ok(object)
    }

    /// Whether the parents of the commit are missing, because the repository is a shallow clone.
    pub(crate) fn is_cut(&self, commit: &ObjectId) -> bool {
        self.shallow.contains(commit)
    }

    pub(crate) fn commit(&self, id: ObjectId) -> Result<CommitData, Error> {
        if let Some((_, commit)) = self.recent.borrow().iter().find(|(recent, _)| *recent == id) {
            return Ok(commit.clone());
        }
        let commit = self.read_commit(id)?;
        let mut recent = self.recent.borrow_mut();
        recent.push_front((id, commit.clone()));
        recent.truncate(RECENT);
        Ok(commit)
    }

    fn read_commit(&self, id: ObjectId) -> Result<CommitData, Error> {
        let commit = self.object(id, Kind::Commit)?;
        let decoded = CommitRef::from_bytes(&commit.data, id.kind()).map_err(damaged)?;
        let parents = if self.is_cut(&id) { Vec::new() } else { decoded.parents().collect() };
        let committed = decoded.committer().map_or(0, |committer| committer.seconds());
        Ok(CommitData { tree: decoded.tree(), parents, committed })
    }

    pub(crate) fn commit_text(&self, id: ObjectId) -> Result<CommitText, Error> {
        let commit = self.object(id, Kind::Commit)?;
        let decoded = CommitRef::from_bytes(&commit.data, id.kind()).map_err(damaged)?;
        let author = decoded.author().map_err(damaged)?;
        Ok(CommitText {
            name: author.name.trim().into(),
            mail: author.email.trim().into(),
            authored: author.seconds(),
            message: decoded.message.to_owned(),
        })
    }

    /// Reads a file, unless it is larger than the limit.
    pub(crate) fn content(&self, id: ObjectId) -> Result<Content, Error> {
        let header = self.repo.find_header(id).map_err(damaged)?;
        if header.size() > self.limits.file_bytes {
            return Ok(Content::TooLarge);
        }
        self.spend(usize::try_from(header.size()).unwrap_or(usize::MAX))?;
        let mut blob = self.repo.find_blob(id).map_err(damaged)?;
        let data = std::mem::take(&mut blob.data);
        if data.iter().take(BINARY_PREFIX).any(|byte| *byte == 0) {
            return Ok(Content::Binary);
        }
        Ok(Content::Text(data))
    }

    /// Returns the size of a file, without reading it.
    pub(crate) fn size(&self, id: ObjectId) -> Result<u64, Error> {
        self.spend(HEADER)?;
        Ok(self.repo.find_header(id).map_err(damaged)?.size())
    }

    /// Reads a text file within the limit; other files give `None`.
    pub(crate) fn text(&self, id: ObjectId) -> Result<Option<Vec<u8>>, Error> {
        match self.content(id)? {
            Content::Text(data) => Ok(Some(data)),
            Content::Binary | Content::TooLarge => Ok(None),
        }
    }
}
