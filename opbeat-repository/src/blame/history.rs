//! Follows one line from commit to parent, until a commit changes it.
//!
//! At each commit, exactly one parent has the line, or none: a line has one path through the history. So the walk needs
//! no queue, visits a commit once, and can stop at any of them.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::BString;

use crate::blame::position::{Origin, Position};
use crate::blame::reason::short;
use crate::blame::{BlameMode, Reason, moves, rewrites};
use crate::diff::{self, Form, Hunk, Indentation, Place};
use crate::objects::{Content, Objects};
use crate::tree::Trail;
use crate::{Error, renames};

/// The parents of a merge that are compared.
const PARENTS: usize = 64;

/// A parent in which the line was not found, and the hunk that replaced it there.
struct Replaced {
    origin: Origin,
    text: Vec<u8>,
    hunk: Hunk,
}

pub(crate) struct History<'a> {
    pub(crate) objects: &'a Objects<'a>,
    pub(crate) mode: BlameMode,
    /// The commits of `.git-blame-ignore-revs`.
    pub(crate) ignored: &'a HashSet<ObjectId>,
}

/// The next step from a commit.
enum Step {
    To(Position, Trail),
    Here,
    Unclear(Reason),
}

impl History<'_> {
    /// Returns the position of the last change to the line.
    pub(crate) fn last_change(&self, mut at: Position) -> Result<Result<Position, Reason>, Error> {
        let root = self.objects.commit(at.commit)?.tree;
        let Some(mut trail) = self.objects.find(root, &at.path, None)? else { return Ok(Err(Reason::NotInTree)) };
        let mut text = match self.objects.content(trail.blob())? {
            Content::Text(text) => text,
            Content::Binary => return Ok(Err(Reason::Binary)),
            Content::TooLarge => return Ok(Err(Reason::FileTooLarge)),
        };
        let lines = diff::lines(&text).len();
        if at.line >= lines {
            return Ok(Err(Reason::LineBeyondEnd { lines }));
        }
        let mut blob = trail.blob();
        for _ in 0..self.objects.limits.visited_commits {
            self.objects.budget.check()?;
            if trail.blob() != blob {
                blob = trail.blob();
                // A former version that is too large or not a text ends the walk: the line cannot be followed further.
                text = match self.objects.content(blob)? {
                    Content::Text(text) => text,
                    Content::Binary => return Ok(Err(Reason::Binary)),
                    Content::TooLarge => return Ok(Err(Reason::FileTooLarge)),
                };
            }
            match self.step(&at, &trail, &text)? {
                Step::To(next, next_trail) => (at, trail) = (next, next_trail),
                Step::Here => return Ok(Ok(at)),
                Step::Unclear(reason) => return Ok(Err(reason)),
            }
        }
        Ok(Err(Reason::TooDeep { commits: self.objects.limits.visited_commits }))
    }

    fn step(&self, at: &Position, trail: &Trail, text: &[u8]) -> Result<Step, Error> {
        if self.objects.is_cut(&at.commit) {
            return Ok(Step::Unclear(Reason::HistoryCut));
        }
        let commit = self.objects.commit(at.commit)?;
        let parents = &commit.parents[..commit.parents.len().min(PARENTS)];
        let mut origins: Vec<Option<Origin>> = vec![None; parents.len()];
        for renamed in [false, true] {
            for (index, parent) in parents.iter().enumerate() {
                if origins[index].is_some() {
                    continue;
                }
                let origin = if renamed {
                    self.renamed(*parent, commit.tree, &at.path)?
                } else {
                    self.same_path(*parent, &at.path, trail)?
                };
                let Some(origin) = origin else { continue };
                if origin.trail.blob() == trail.blob() {
                    return Ok(to(&origin, at.line));
                }
                origins[index] = Some(origin);
            }
        }

        let after = diff::lines(text);
        let indentation = Indentation::of(&at.path);
        let form = match self.mode {
            BlameMode::Plain => Form::Exact,
            BlameMode::LastChange => Form::Layout(indentation),
        };
        let mut replaced = Vec::new();
        for origin in origins.into_iter().flatten() {
            let former = match self.objects.content(origin.trail.blob())? {
                Content::Text(former) => former,
                Content::Binary => continue,
                Content::TooLarge => return Ok(Step::Unclear(Reason::FileTooLarge)),
            };
            let hunks = diff::hunks(self.objects, &diff::lines(&former), &after, form)?;
            match diff::locate(&hunks, at.line) {
                Place::Kept(line) => return Ok(to(&origin, line)),
                Place::Changed(hunk) => replaced.push(Replaced { origin, text: former, hunk }),
            }
        }
        if self.mode == BlameMode::Plain {
            return Ok(Step::Here);
        }
        self.look_through(at, &commit, &replaced, &after, indentation)
    }

    /// The commit changed the bytes of the line. Finds the line's former position if only its layout or position changed.
    fn look_through(
        &self,
        at: &Position,
        commit: &crate::objects::CommitData,
        replaced: &[Replaced],
        after: &[&[u8]],
        indentation: Indentation,
    ) -> Result<Step, Error> {
        for Replaced { origin, text, hunk } in replaced {
            let before = diff::lines(text);
            let (old, new) = (&before[hunk.before.clone()], &after[hunk.after.clone()]);
            let line = at.line - hunk.after.start;
            if let Some(line) = rewrites::reformatted(self.objects, old, new, line, indentation)? {
                return Ok(to(origin, hunk.before.start + line));
            }
        }
        // The parents of a merge were written apart: code that moved between them has no one place before.
        if let [parent] = commit.parents[..] {
            let added = replaced.first().map_or(0..after.len(), |replaced| replaced.hunk.after.clone());
            let former = replaced.first().map(|replaced| &replaced.origin.path);
            let change = moves::Commit { parent, tree: commit.tree, former, text: after };
            match moves::source(self.objects, &change, at, added)? {
                moves::Source::At(origin, line) => return Ok(to(&origin, line)),
                moves::Source::Unclear if !self.ignored.contains(&at.commit) => {
                    return Ok(Step::Unclear(Reason::MaybeMoved { commit: short(&at.commit.to_string()).into() }));
                }
                moves::Source::Unclear | moves::Source::None => {}
            }
        }
        if !self.ignored.contains(&at.commit) {
            return Ok(Step::Here);
        }
        for Replaced { origin, text, hunk } in replaced {
            let before = diff::lines(text);
            let (old, new) = (&before[hunk.before.clone()], &after[hunk.after.clone()]);
            if let Some(line) = rewrites::most_similar(self.objects, old, new, at.line - hunk.after.start)? {
                return Ok(to(origin, hunk.before.start + line));
            }
        }
        Ok(Step::Unclear(Reason::IgnoredCommit { commit: short(&at.commit.to_string()).into() }))
    }

    fn same_path(&self, parent: ObjectId, path: &BString, known: &Trail) -> Result<Option<Origin>, Error> {
        let tree = self.objects.commit(parent)?.tree;
        let trail = self.objects.find(tree, path, Some(known))?;
        Ok(trail.map(|trail| Origin { commit: parent, path: path.clone(), trail }))
    }

    fn renamed(&self, parent: ObjectId, tree: ObjectId, path: &BString) -> Result<Option<Origin>, Error> {
        let before = self.objects.commit(parent)?.tree;
        let limit = self.objects.limits.changed_files;
        let Some(changes) = self.objects.changes(Some(before), tree, limit)? else { return Ok(None) };
        let Some((path, _)) = renames::source_of(self.objects, &changes, path)? else { return Ok(None) };
        let trail = self.objects.find(before, &path, None)?;
        Ok(trail.map(|trail| Origin { commit: parent, path, trail }))
    }
}

fn to(origin: &Origin, line: usize) -> Step {
    let position = Position { commit: origin.commit, path: origin.path.clone(), line };
    Step::To(position, origin.trail.clone())
}
