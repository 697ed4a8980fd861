//! The commits that one revision has and another has not.

use std::collections::{BinaryHeap, HashMap};

use gix::ObjectId;

use crate::Error;
use crate::objects::Objects;

/// The commits in a row, older than all of interest, that are visited because clocks of authors differ. Git uses 5.
const SLOP: usize = 64;

#[derive(Default)]
struct Mark {
    /// Whether `from` has the commit.
    hidden: bool,
    visited: bool,
    parents: Vec<ObjectId>,
}

/// The commits of a release, the newest first.
pub(super) struct Range {
    pub(super) ids: Vec<ObjectId>,
    /// Whether these are all.
    pub(super) complete: bool,
}

/// Returns the commits of `to` without those of `from`. Without `from`, it stops at the limit of listed commits.
///
/// Commits are visited by time. A commit of `from` can be found after one of `to` that it contains, if clocks differ; so
/// marks are passed on to commits that were visited before.
pub(super) fn between(objects: &Objects<'_>, from: Option<ObjectId>, to: ObjectId) -> Result<Range, Error> {
    let mut ids = Vec::new();
    if from == Some(to) {
        return Ok(Range { ids, complete: true });
    }
    let mut marks: HashMap<ObjectId, Mark> = HashMap::new();
    let mut queue = BinaryHeap::new();
    // The commits in the queue that are not hidden.
    let mut open = 1_usize;
    for (id, hidden) in from.map(|from| (from, true)).into_iter().chain([(to, false)]) {
        marks.insert(id, Mark { hidden, ..Mark::default() });
        queue.push((objects.commit(id)?.committed, id));
    }
    let mut slop = SLOP;
    let mut oldest = i64::MAX;
    while let Some((time, id)) = queue.pop() {
        objects.budget.check()?;
        if open > 0 || time >= oldest {
            slop = SLOP;
        } else {
            slop -= 1;
            if slop == 0 {
                break;
            }
        }
        if marks.len() > objects.limits.visited_commits {
            return Err(Error::TooManyCommits { limit: objects.limits.visited_commits });
        }
        let parents = objects.commit(id)?.parents;
        let Some(mark) = marks.get_mut(&id) else { continue };
        mark.visited = true;
        mark.parents.clone_from(&parents);
        let hidden = mark.hidden;
        if !hidden {
            open -= 1;
            oldest = oldest.min(time);
            ids.push(id);
            if from.is_none() && ids.len() >= objects.limits.release_commits {
                return Ok(Range { complete: parents.is_empty() && queue.is_empty(), ids });
            }
        }
        for parent in parents {
            match marks.get(&parent).map(|mark| mark.hidden) {
                None => {
                    marks.insert(parent, Mark { hidden, ..Mark::default() });
                    queue.push((objects.commit(parent)?.committed, parent));
                    open += usize::from(!hidden);
                }
                Some(false) if hidden => hide(&mut marks, parent, &mut open),
                Some(_) => {}
            }
        }
    }
    ids.retain(|id| !marks[id].hidden);
    Ok(Range { ids, complete: true })
}

/// Marks a commit and its known ancestors as part of `from`.
fn hide(marks: &mut HashMap<ObjectId, Mark>, id: ObjectId, open: &mut usize) {
    let mut pending = vec![id];
    while let Some(id) = pending.pop() {
        let Some(mark) = marks.get_mut(&id) else { continue };
        if std::mem::replace(&mut mark.hidden, true) {
            continue;
        }
        if !mark.visited {
            *open -= 1;
        }
        pending.extend(mark.parents.iter().copied());
    }
}
