//! A repository that is read.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::blame::{Blame, BlameMode, Blamed, History, Position, Reason};
use crate::error::{clip, damaged};
use crate::objects::Objects;
use crate::paths::Files;
use crate::people::Mailmap;
use crate::{Budget, Error, Limits};

/// The revisions whose files and `.mailmap` are remembered.
const REVISIONS: usize = 4;
/// The length of a revision's name, in bytes.
const REVISION_LENGTH: usize = 200;
/// The size of a tag that is followed, in bytes.
const TAG: u64 = 1024 * 1024;
/// The largest object in memory while a repository is read: 32 times the size of a file that is blamed.
const READ: &str = "gitoxide.objects.allocLimit=64m";
/// The largest object in memory while a pack is received: the repository can have large files that are never read.
pub(crate) const RECEIVED: &str = "gitoxide.objects.allocLimit=256m";
/// The commits of `.git-blame-ignore-revs` that are read.
const IGNORED: usize = 10_000;

/// A Git repository: a clone of [`Clones`](crate::Clones), or one on this machine.
///
/// It is only read, and can be shared between threads. The results of blames are remembered, up to
/// [`Limits::cached_lines`]. All functions block.
pub struct Repository {
    inner: gix::ThreadSafeRepository,
    limits: Limits,
    cache: Mutex<Cache>,
}

type CachedLine = (ObjectId, String, u32, BlameMode);

#[derive(Default)]
struct Cache {
    lines: HashMap<CachedLine, Blamed>,
    line_order: VecDeque<CachedLine>,
    revisions: VecDeque<(ObjectId, Arc<RevisionData>)>,
}

/// The files of a revision that all its blames need.
pub(crate) struct RevisionData {
    pub(crate) files: Option<Files>,
    pub(crate) mailmap: Mailmap,
    pub(crate) ignored: HashSet<ObjectId>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("path", &self.inner.refs.git_dir()).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository in `path`: a folder with `.git`, or a bare repository. Nothing is copied or changed.
    ///
    /// Only the repository itself is read: neither the configuration of the user and the system, nor the environment.
    ///
    /// # Errors
    ///
    /// [`Error::NotARepository`] if there is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Limits::default())
    }

    /// Opens the repository in `path`, with other limits.
    ///
    /// # Errors
    ///
    /// [`Error::NotARepository`] if there is none, and [`Error::UnsupportedHashes`].
    pub fn open_with(path: &Path, limits: Limits) -> Result<Self, Error> {
        let inner = without_panic(|| isolated(READ).open(path).map_err(|error| not_opened(path, &error)))?;
        Ok(Self { inner, limits, cache: Mutex::default() })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn objects<'a>(&'a self, budget: &'a Budget) -> Result<Objects<'a>, Error> {
        budget.check()?;
        Objects::new(self.inner.to_thread_local(), budget, &self.limits)
    }

    /// Returns the full hash of the commit that a tag, a branch, a hash or the start of a hash names.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRevision`] and [`Error::AmbiguousRevision`]; [`Error::Damaged`] if an object cannot be read.
    pub fn resolve(&self, revision: &str) -> Result<String, Error> {
        without_panic(|| Ok(find_commit(&self.inner.to_thread_local(), revision)?.to_string()))
    }

    /// Finds the last change to a line (from 1) of a file, seen from a revision.
    ///
    /// # Errors
    ///
    /// If the revision is unknown, an object cannot be read, or the budget ends.
    pub fn blame(
        &self,
        revision: &str,
        path: &str,
        line: u32,
        mode: BlameMode,
        budget: &Budget,
    ) -> Result<Blamed, Error> {
        without_panic(|| {
            let objects = self.objects(budget)?;
            let revision = find_commit(&objects.repo, revision)?;
            let data = self.revision(&objects, revision)?;
            self.blame_in(&objects, &data, revision, path, line, mode)
        })
    }

    pub(crate) fn blame_in(
        &self,
        objects: &Objects<'_>,
        data: &RevisionData,
        revision: ObjectId,
        path: &str,
        line: u32,
        mode: BlameMode,
    ) -> Result<Blamed, Error> {
        let Some(index) = line.checked_sub(1) else { return Ok(Blamed::Unclear(Reason::NoLine)) };
        let key = (revision, path.to_owned(), line, mode);
        if let Some(known) = self.cache().lines.get(&key) {
            return Ok(known.clone());
        }
        let history = History { objects, mode, ignored: &data.ignored };
        let start = Position { commit: revision, path: path.into(), line: index as usize };
        let blamed = match history.last_change(start)? {
            Err(reason) => Blamed::Unclear(reason),
            Ok(position) => {
                let text = objects.commit_text(position.commit)?;
                Blamed::Changed(Blame {
                    author: data.mailmap.author(&text),
                    commit: position.commit.to_string(),
                    time: text.authored,
                    subject: subject(&text.message),
                    path: position.path.to_str_lossy().into_owned(),
                    line: u32::try_from(position.line + 1).unwrap_or(u32::MAX),
                })
            }
        };
        self.remember(key, blamed.clone());
        Ok(blamed)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: CachedLine, blamed: Blamed) {
        let mut cache = self.cache();
        if self.limits.cached_lines == 0 || cache.lines.insert(key.clone(), blamed).is_some() {
            return;
        }
        cache.line_order.push_back(key);
        if cache.line_order.len() > self.limits.cached_lines
            && let Some(oldest) = cache.line_order.pop_front()
        {
            cache.lines.remove(&oldest);
        }
    }

    /// Reads the list of files, `.mailmap` and `.git-blame-ignore-revs` of a revision.
    pub(crate) fn revision(&self, objects: &Objects<'_>, revision: ObjectId) -> Result<Arc<RevisionData>, Error> {
        if let Some((_, data)) = self.cache().revisions.iter().find(|(id, _)| *id == revision) {
            return Ok(Arc::clone(data));
        }
        let tree = objects.commit(revision)?.tree;
        let read = |path: &[u8]| -> Result<Vec<u8>, Error> {
            match objects.find(tree, path, None) {
                Ok(Some(trail)) => Ok(objects.text(trail.blob())?.unwrap_or_default()),
                Ok(None) | Err(Error::ObjectTooLarge { .. }) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        };
        let ignored = read(b".git-blame-ignore-revs")?
            .lines()
            .map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default().trim())
            .filter_map(|hash| ObjectId::from_hex(hash).ok())
            .take(IGNORED)
            .collect();
        let data = Arc::new(RevisionData {
            files: objects.files(tree)?.map(Files::new),
            mailmap: Mailmap::new(&read(b".mailmap")?),
            ignored,
        });
        let mut cache = self.cache();
        cache.revisions.push_back((revision, Arc::clone(&data)));
        if cache.revisions.len() > REVISIONS {
            cache.revisions.pop_front();
        }
        Ok(data)
    }
}

/// The options of a repository whose configuration is not trusted and that sees nothing else of this machine.
///
/// `allocation` is the largest size of one object in memory. An object that is read can be a difference from others: Git
/// takes none of more than 32 times its size.
pub(crate) fn isolated(allocation: &'static str) -> gix::open::Options {
    gix::open::Options::isolated()
        .with(gix::sec::Trust::Reduced)
        .strict_config(false)
        .config_overrides([allocation, "core.deltaBaseCacheLimit=32m"])
}

/// Returns the error of a repository that the library does not open.
fn not_opened(path: &Path, error: &gix::Error) -> Error {
    let path = path.to_owned();
    // The library has no kind of error for this.
    match error.iter_errors().any(|error| error.to_string().to_lowercase().contains("object format")) {
        true => Error::UnsupportedHashes { path },
        false => Error::NotARepository { path },
    }
}

/// Finds the commit that a name stands for: a full hash, a tag, a branch, or the start of a hash, in this order.
pub(crate) fn find_commit(repo: &gix::Repository, revision: &str) -> Result<ObjectId, Error> {
    let unknown = || Error::UnknownRevision { revision: clip(revision, REVISION_LENGTH) };
    let is_hash = (4..=40).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/+-@#=".contains(&byte))
        && !revision.starts_with(['-', '/', '.'])
        && !revision.contains("..")
        && !revision.contains("@{");
    if revision.is_empty() || revision.len() > REVISION_LENGTH || !is_name {
        return Err(unknown());
    }
    if let Some(id) = ObjectId::from_hex(revision.as_bytes()).ok().filter(|_| is_hash) {
        return peel(repo, id)?.ok_or_else(unknown);
    }
    for folder in ["refs/tags/", "refs/heads/", "refs/remotes/origin/"] {
        let found = repo.try_find_reference(&format!("{folder}{revision}")).ok().flatten();
        if let Some(mut reference) = found {
            let id = reference.peel_to_id().map_err(damaged)?.detach();
            return peel(repo, id)?.ok_or_else(unknown);
        }
    }
    if !is_hash {
        return Err(unknown());
    }
    let prefix = gix::hash::Prefix::from_hex(revision).map_err(|_| unknown())?;
    let mut candidates = HashSet::new();
    repo.objects.lookup_prefix(prefix, Some(&mut candidates)).map_err(damaged)?;
    let mut commits = HashSet::new();
    for candidate in candidates.into_iter().take(REVISION_LENGTH) {
        commits.extend(peel(repo, candidate)?);
    }
    let mut commits = commits.into_iter();
    match (commits.next(), commits.next()) {
        (Some(commit), None) => Ok(commit),
        (Some(_), Some(_)) => Err(Error::AmbiguousRevision { revision: revision.to_owned() }),
        (None, _) => Err(unknown()),
    }
}

/// Follows a tag to its commit. Other objects give `None`, and are not read.
fn peel(repo: &gix::Repository, mut id: ObjectId) -> Result<Option<ObjectId>, Error> {
    // Tags of tags are rare; a long chain is an attack.
    for _ in 0..8 {
        let Some(header) = repo.try_find_header(id).map_err(damaged)? else { return Ok(None) };
        match header.kind() {
            gix::objs::Kind::Commit => return Ok(Some(id)),
            gix::objs::Kind::Tag if header.size() <= TAG => {
                let object = repo.find_object(id).map_err(damaged)?;
                let tag = gix::objs::TagRef::from_bytes(&object.data, id.kind()).map_err(damaged)?;
                id = tag.target();
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Returns the first line of a message, at most 200 characters.
pub(crate) fn subject(message: &[u8]) -> String {
    let line = message.lines().map(<[u8]>::trim).find(|line| !line.is_empty()).unwrap_or_default();
    clip(&line.to_str_lossy(), 200)
}

/// Runs `work`. A panic of the Git library on a damaged repository becomes an error.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
        Err(Error::Damaged { detail: format!("reading it failed unexpectedly: {}", clip(message, 200)) })
    })
}
