//! Reads commits, trees and files.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};

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
}

/// The commits that are kept in memory.
const RECENT: usize = 8;

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

/// The bytes at the start of a file in which a zero byte marks a binary file, as in Git.
const BINARY_PREFIX: usize = 8_000;

impl<'a> Objects<'a> {
    pub(crate) fn new(mut repo: gix::Repository, budget: &'a Budget, limits: &'a Limits) -> Result<Self, Error> {
        repo.object_cache_size_if_unset(16 * 1024 * 1024);
        let shallow = match repo.shallow_commits().map_err(damaged)? {
            Some(commits) => commits.iter().copied().collect(),
            None => HashSet::new(),
        };
        Ok(Self { repo, budget, limits, shallow, recent: RefCell::default() })
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
        let commit = self.repo.find_commit(id).map_err(damaged)?;
        let decoded = commit.decode().map_err(damaged)?;
        let parents = if self.is_cut(&id) { Vec::new() } else { decoded.parents().collect() };
        let committed = decoded.committer().map_or(0, |committer| committer.seconds());
        Ok(CommitData { tree: decoded.tree(), parents, committed })
    }

    pub(crate) fn commit_text(&self, id: ObjectId) -> Result<CommitText, Error> {
        let commit = self.repo.find_commit(id).map_err(damaged)?;
        let decoded = commit.decode().map_err(damaged)?;
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
        let mut blob = self.repo.find_blob(id).map_err(damaged)?;
        let data = std::mem::take(&mut blob.data);
        if data.iter().take(BINARY_PREFIX).any(|byte| *byte == 0) {
            return Ok(Content::Binary);
        }
        Ok(Content::Text(data))
    }

    /// Reads a text file within the limit; other files give `None`.
    pub(crate) fn text(&self, id: ObjectId) -> Result<Option<Vec<u8>>, Error> {
        match self.content(id)? {
            Content::Text(data) => Ok(Some(data)),
            Content::Binary | Content::TooLarge => Ok(None),
        }
    }
}
