//! The person to whom an error is assigned.

use gix::ObjectId;

use crate::blame::{Blame, BlameMode, Blamed, Reason};
use crate::diff::{self, Indentation, normal};
use crate::error::clip;
use crate::objects::{Content, Objects};
use crate::paths::{self, Evidence, Match};
use crate::repository::{RevisionData, find_commit, without_panic};
use crate::{Budget, Error, People, Person, Repository};

/// A frame of a stack trace, as an agent reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The path of the file: absolute, relative to the application, or a module path such as `shop::orders`.
    pub path: String,
    /// The line, from 1. 0 stands for an unknown line.
    pub line: u32,
    /// Whether the frame is the application's own code.
    pub in_app: bool,
    /// The line of source that the agent sent. If it is not the line of the repository, the deployed code is another one.
    pub source: Option<String>,
}

/// A person for an error, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assignment {
    /// The author of the last change, after `.mailmap` and the aliases.
    pub author: Person,
    /// The full hash of the commit.
    pub commit: String,
    /// The time of the change, in seconds since 1970.
    pub time: i64,
    /// The first line of the commit's message, at most 200 characters.
    pub subject: String,
    /// The file at the deployed revision.
    pub file: String,
    /// The line at the deployed revision, from 1.
    pub line: u32,
    /// The index of the frame, from the deepest one.
    pub frame: usize,
    /// The deeper frames that could not be blamed.
    pub skipped: Vec<Skipped>,
}

impl Assignment {
    /// Returns the reason as one sentence: `Ana last changed src/orders.rs:34 in a1b2c3d (R#42)`.
    ///
    /// `release` is a label of the release with the change, such as `R#42`.
    #[must_use]
    pub fn sentence(&self, release: Option<&str>) -> String {
        let commit = crate::blame::short(&self.commit);
        let who = if self.author.name.is_empty() { &self.author.mail } else { &self.author.name };
        let sentence = format!("{who} last changed {}:{} in {commit}", self.file, self.line);
        match release {
            Some(release) => format!("{sentence} ({release})"),
            None => sentence,
        }
    }
}

/// A frame of the application that could not be blamed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The index of the frame, from the deepest one.
    pub frame: usize,
    /// The path as reported, at most 300 characters.
    pub path: String,
    /// The line as reported.
    pub line: u32,
    /// The reason.
    pub reason: Reason,
}

/// No person was found, with the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unassigned {
    /// The reason: the one of the deepest frame of the application, if there is any, or [`Reason::Budget`].
    pub reason: Reason,
    /// The frames of the application with their reasons, from the deepest one.
    pub skipped: Vec<Skipped>,
}

impl Unassigned {
    /// Returns the reason as one sentence: `No person is assigned: src/orders.rs:34: the frame has no line number`.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.frame() {
            Some(frame) => format!("No person is assigned: {}:{}: {}", frame.path, frame.line, self.reason),
            None => format!("No person is assigned: {}", self.reason),
        }
    }

    /// Returns the frame that the reason is about, if it is about one.
    #[must_use]
    pub fn frame(&self) -> Option<&Skipped> {
        self.skipped.iter().find(|skipped| skipped.reason == self.reason)
    }
}

/// The result of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The person whose change is the deepest frame that can be blamed.
    Assigned(Assignment),
    /// There is none.
    Unassigned(Unassigned),
}

impl Repository {
    /// Finds the author of the last change to the deepest of the application's frames that can be blamed.
    ///
    /// `frames` begin with the deepest one, where the error was raised. `revision` is the deployed one. A frame without
    /// an author is skipped, with a reason: its file is not in the repository, or in several places; its line differs
    /// from the reported source; a program made the last change; or the change is not certain.
    ///
    /// The end of the budget's time and objects that are too large are reasons, too.
    ///
    /// # Errors
    ///
    /// If an object cannot be read or the call is interrupted. An unknown revision is no error, but a reason.
    pub fn assign(&self, revision: &str, frames: &[Frame], people: &People, budget: &Budget) -> Result<Outcome, Error> {
        without_panic(|| {
            let mut skipped = Vec::new();
            let reason = match self.first_assignable(revision, frames, people, budget, &mut skipped) {
                Ok(Some(assignment)) => return Ok(Outcome::Assigned(Assignment { skipped, ..assignment })),
                Ok(None) => skipped.first().map_or(Reason::NoApplicationFrame, |skipped| skipped.reason.clone()),
                Err(Error::UnknownRevision { revision } | Error::AmbiguousRevision { revision }) => {
                    Reason::UnknownRevision { revision }
                }
                Err(Error::TimedOut { after }) => Reason::Budget { milliseconds: after.as_millis() },
                Err(Error::ObjectTooLarge { .. }) => Reason::HistoryTooLarge,
                Err(error) => return Err(error),
            };
            Ok(Outcome::Unassigned(Unassigned { reason, skipped }))
        })
    }

    /// Returns the assignment by the first frame that can be blamed, and adds the other ones to `skipped`.
    fn first_assignable(
        &self,
        revision: &str,
        frames: &[Frame],
        people: &People,
        budget: &Budget,
        skipped: &mut Vec<Skipped>,
    ) -> Result<Option<Assignment>, Error> {
        let objects = self.objects(budget)?;
        let commit = find_commit(&objects.repo, revision)?;
        let data = self.revision(&objects, commit)?;
        for (index, frame) in frames.iter().enumerate().take(self.limits().frames) {
            if !frame.in_app {
                continue;
            }
            let skip = |reason| Skipped { frame: index, path: paths::shown(&frame.path), line: frame.line, reason };
            match self.assign_frame(&objects, &data, commit, frame, people) {
                Ok(Ok((file, Blame { author, commit, time, subject, .. }))) => {
                    let (line, skipped) = (frame.line, Vec::new());
                    return Ok(Some(Assignment { author, commit, time, subject, file, line, frame: index, skipped }));
                }
                Ok(Err(reason)) => skipped.push(skip(reason)),
                Err(Error::ObjectTooLarge { .. }) => skipped.push(skip(Reason::HistoryTooLarge)),
                Err(Error::TimedOut { after }) => {
                    // The other frames have no time left.
                    skipped.push(skip(Reason::Budget { milliseconds: after.as_millis() }));
                    return Err(Error::TimedOut { after });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn assign_frame(
        &self,
        objects: &Objects<'_>,
        data: &RevisionData,
        revision: ObjectId,
        frame: &Frame,
        people: &People,
    ) -> Result<Result<(String, Blame), Reason>, Error> {
        let Some(files) = &data.files else { return Ok(Err(Reason::TreeTooLarge)) };
        let is_module = !frame.path.contains(['/', '\\']) && (frame.path.contains("::") || !has_ending(&frame.path));
        let found =
            if is_module { files.find_module(objects, &frame.path)? } else { files.find(objects, &frame.path)? };
        let found = match found {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        if frame.line == 0 {
            return Ok(Err(Reason::NoLine));
        }
        let path = match choose(objects, revision, frame, found)? {
            Ok(path) => path,
            Err(reason) => return Ok(Err(reason)),
        };
        match self.blame_in(objects, data, revision, &path, frame.line, BlameMode::LastChange)? {
            Blamed::Unclear(reason) => Ok(Err(reason)),
            Blamed::Changed(blame) => {
                let author = people.resolve(blame.author.clone());
                if author.is_bot() || blame.author.is_bot() {
                    return Ok(Err(Reason::Bot { name: author.name }));
                }
                Ok(Ok((path, Blame { author, ..blame })))
            }
        }
    }
}

/// Chooses the file of a frame, by the path and by the reported line of source.
fn choose(
    objects: &Objects<'_>,
    revision: ObjectId,
    frame: &Frame,
    found: Match,
) -> Result<Result<String, Reason>, Error> {
    let source = frame.source.as_deref().map(|source| normal(source.as_bytes(), Indentation::Free));
    let source = source.filter(|source| !source.is_empty());
    let files = found.paths.len();
    let mut fitting = Vec::new();
    let mut first_reason = None;
    for (index, path) in found.paths.into_iter().enumerate() {
        match unsuitable(objects, revision, frame.line, source.as_deref(), &path)? {
            None => fitting.push((index, path)),
            Some(reason) => first_reason = first_reason.or(Some(reason)),
        }
    }
    let fits = fitting.len();
    let Some((index, path)) = fitting.into_iter().next() else {
        return Ok(Err(first_reason.unwrap_or(Reason::NotInTree)));
    };
    Ok(match (found.evidence, &source) {
        (Evidence::NameOnly, None) => Err(Reason::OnlyNameMatches { path: clip(&path, 300) }),
        (Evidence::NameOnly, Some(_)) => Ok(path),
        (Evidence::Certain, _) if index == 0 => Ok(path),
        (_, Some(_)) if fits == 1 => Ok(path),
        // Without its source, the line of another file must not be taken.
        (Evidence::Certain, _) => Err(first_reason.unwrap_or(Reason::Ambiguous { files })),
        (Evidence::Several, _) => Err(Reason::Ambiguous { files }),
    })
}

/// Compares a file of the revision with the frame.
fn unsuitable(
    objects: &Objects<'_>,
    revision: ObjectId,
    line: u32,
    source: Option<&[u8]>,
    path: &str,
) -> Result<Option<Reason>, Error> {
    let tree = objects.commit(revision)?.tree;
    let Some(trail) = objects.find(tree, path.as_bytes(), None)? else { return Ok(Some(Reason::NotInTree)) };
    let text = match objects.content(trail.blob())? {
        Content::Text(text) => text,
        Content::Binary => return Ok(Some(Reason::Binary)),
        Content::TooLarge => return Ok(Some(Reason::FileTooLarge)),
    };
    if paths::is_generated(&text) {
        return Ok(Some(Reason::Vendored));
    }
    let lines = diff::lines(&text);
    let Some(actual) = lines.get(line as usize - 1) else {
        return Ok(Some(Reason::LineBeyondEnd { lines: lines.len() }));
    };
    let actual = normal(actual, Indentation::Free);
    Ok(match source {
        // Agents cut long lines.
        Some(source) if source != actual && !(source.len() >= 60 && actual.starts_with(source)) => {
            Some(Reason::SourceDiffers)
        }
        _ => None,
    })
}

/// Whether the name ends like a file of source: `models.py`, but not `shop.models`.
fn has_ending(path: &str) -> bool {
    const ENDINGS: [&str; 30] = [
        "rs", "py", "js", "mjs", "cjs", "ts", "tsx", "jsx", "rb", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp",
        "cs", "php", "ex", "exs", "scala", "swift", "erl", "html", "sql", "vue", "pyx", "lua", "sh",
    ];
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}
