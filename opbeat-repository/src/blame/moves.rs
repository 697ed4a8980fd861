//! Code that one commit removed at one place and added at another.

use std::ops::Range;

use gix::ObjectId;
use gix::bstr::BString;

use crate::Error;
use crate::blame::position::{Origin, Position};
use crate::diff::{self, Form, Indentation, is_blank, normal, weight};
use crate::objects::Objects;

/// The equal lines around the line, blank ones not counted, by which moved code is recognised.
const LINES: usize = 3;
/// The letters and digits in them. `git blame -C` needs 40.
const WEIGHT: usize = 40;
/// The lines before and after the line that are compared if some of them were edited during the move.
const AROUND: usize = 8;
/// The share of these lines that must be equal, in percent.
const SHARE: usize = 60;
/// The letters and digits from which on an equal line elsewhere can hardly be chance.
const TELLING: usize = 12;
/// The files that are searched, and the lines in all of them.
const FILES: usize = 100;
/// The equal lines that are looked at. A line with more of them, such as a closing bracket, is no evidence.
const CANDIDATES: usize = 200;
const SEARCHED: usize = 20_000;
/// The bytes of these lines.
const SEARCHED_BYTES: usize = 8 * 1024 * 1024;

pub(super) enum Source {
    /// The line was moved from there.
    At(Origin, usize),
    /// An equal line was removed elsewhere, but its surroundings do not prove a move.
    Unclear,
    /// The commit wrote the line.
    None,
}

/// A part of a file that the commit removed, without its layout.
struct Removed {
    origin: Origin,
    start: usize,
    lines: Vec<Vec<u8>>,
}

struct Candidate {
    part: usize,
    line: usize,
    score: usize,
    proven: bool,
}

/// A commit with one parent.
pub(super) struct Commit<'a> {
    pub(super) parent: ObjectId,
    pub(super) tree: ObjectId,
    /// The former path of the file, and its text after the commit.
    pub(super) former: Option<&'a BString>,
    pub(super) text: &'a [&'a [u8]],
}

/// Finds the place from which the commit moved the line at `at`; `added` is the part around it that the commit wrote.
pub(super) fn source(
    objects: &Objects<'_>,
    commit: &Commit<'_>,
    at: &Position,
    added: Range<usize>,
) -> Result<Source, Error> {
    let text = commit.text;
    let line = text[at.line];
    if is_blank(line) {
        return Ok(Source::None);
    }
    let Some(removed) = removed_parts(objects, commit)? else {
        return Ok(if weight(line) >= TELLING { Source::Unclear } else { Source::None });
    };
    let added_start = added.start;
    objects.spend_lines(&text[added.clone()])?;
    let added: Vec<Vec<u8>> = text[added].iter().map(|line| normal(line, Indentation::Free)).collect();
    let index = at.line - added_start;
    let equal: usize = removed.iter().map(|part| part.lines.iter().filter(|text| **text == added[index]).count()).sum();
    if equal > CANDIDATES {
        return Ok(Source::None);
    }
    let mut candidates = Vec::new();
    for (part, removed) in removed.iter().enumerate() {
        objects.spend_lines(&removed.lines)?;
        for (line, text) in removed.lines.iter().enumerate() {
            if *text == added[index] {
                let (score, proven) = evidence(objects, (&added, index), (&removed.lines, line))?;
                candidates.push(Candidate { part, line, score, proven });
            }
        }
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    match &candidates[..] {
        [best, rest @ ..] if best.proven => {
            // Two equal copies may have different authors.
            if rest.first().is_some_and(|second| second.score == best.score) {
                return Ok(Source::Unclear);
            }
            let removed = &removed[best.part];
            Ok(Source::At(removed.origin.clone(), removed.start + best.line))
        }
        [_, ..] if weight(line) >= TELLING => Ok(Source::Unclear),
        _ => Ok(Source::None),
    }
}

/// Compares the surroundings of two equal lines.
fn evidence(
    objects: &Objects<'_>,
    (added, at): (&[Vec<u8>], usize),
    (removed, from): (&[Vec<u8>], usize),
) -> Result<(usize, bool), Error> {
    let before = added[..at].iter().rev().zip(removed[..from].iter().rev()).take_while(|(a, b)| a == b);
    let behind = added[at..].iter().zip(removed[from..].iter()).take_while(|(a, b)| a == b);
    let run: Vec<&Vec<u8>> = before.chain(behind).map(|(line, _)| line).filter(|line| !line.is_empty()).collect();
    objects.spend_lines(&run)?;
    let run_weight: usize = run.iter().map(|line| weight(line)).sum();
    if run.len() >= LINES && run_weight >= WEIGHT {
        return Ok((run_weight, true));
    }
    // Some lines were edited during the move: most of the lines around it must be equal, in the same order.
    let around = |lines: &[Vec<u8>], at: usize| at.saturating_sub(AROUND)..lines.len().min(at + AROUND + 1);
    let (new_range, old_range) = (around(added, at), around(removed, from));
    let new: Vec<&[u8]> = added[new_range.clone()].iter().map(Vec::as_slice).collect();
    let old: Vec<&[u8]> = removed[old_range.clone()].iter().map(Vec::as_slice).collect();
    let hunks = diff::hunks(objects, &old, &new, Form::Exact)?;
    let (mut equal, mut lines, mut equal_weight) = (0, 0, 0);
    for (index, text) in new.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        lines += 1;
        if let diff::Place::Kept(_) = diff::locate(&hunks, index) {
            equal += 1;
            equal_weight += weight(text);
        }
    }
    let same_place =
        matches!(diff::locate(&hunks, at - new_range.start), diff::Place::Kept(line) if line + old_range.start == from);
    let proven = same_place && equal > LINES && equal_weight >= WEIGHT && equal * 100 >= SHARE * lines;
    Ok((run_weight.max(if same_place { equal_weight } else { 0 }), proven))
}

/// Lists the parts of files that the commit removed. `None` if there are too many.
fn removed_parts(objects: &Objects<'_>, commit: &Commit<'_>) -> Result<Option<Vec<Removed>>, Error> {
    let before = objects.commit(commit.parent)?.tree;
    let Some(changes) = objects.changes(Some(before), commit.tree, FILES)? else { return Ok(None) };
    let mut parts = Vec::new();
    let (mut searched, mut bytes) = (0, 0);
    for change in changes {
        objects.budget.check()?;
        let Some(old_id) = change.before else { continue };
        let Some(old) = objects.text(old_id)? else { continue };
        let new = match change.after {
            Some(id) => match objects.text(id)? {
                Some(new) => new,
                None => continue,
            },
            // The lines that a renamed file kept were not removed.
            None if commit.former == Some(&change.path) => commit.text.concat(),
            None => Vec::new(),
        };
        let Some(trail) = objects.find(before, &change.path, None)? else { continue };
        let origin = Origin { commit: commit.parent, path: change.path.clone(), trail };
        let old = diff::lines(&old);
        for hunk in diff::hunks(objects, &old, &diff::lines(&new), Form::Layout(Indentation::Free))? {
            searched += hunk.before.len();
            bytes += old[hunk.before.clone()].iter().map(|line| line.len()).sum::<usize>();
            if searched > SEARCHED || bytes > SEARCHED_BYTES {
                return Ok(None);
            }
            if !hunk.before.is_empty() {
                let lines = old[hunk.before.clone()].iter().map(|line| normal(line, Indentation::Free)).collect();
                parts.push(Removed { origin: origin.clone(), start: hunk.before.start, lines });
            }
        }
    }
    Ok(Some(parts))
}
