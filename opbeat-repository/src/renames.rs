//! Finds the former path of a file that was renamed, as Git does.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};

use crate::Error;
use crate::objects::Objects;
use crate::tree::Change;

/// The share of equal content from which on two files count as one, in percent. It is Git's default.
const SIMILAR: usize = 50;
/// The share for two files of the same name, which are paired before all others, as in Git.
const SIMILAR_WITH_NAME: usize = 75;
/// The pairs of files that are compared for one commit.
const PAIRS: usize = 10_000;
/// The length at which lines are cut for the comparison, in bytes. It is Git's.
const CHUNK: usize = 64;

type Chunks = HashMap<Vec<u8>, usize>;

/// Returns the former path and content of the file `path`, which the changes add.
pub(crate) fn source_of(
    objects: &Objects<'_>,
    changes: &[Change],
    path: &[u8],
) -> Result<Option<(BString, ObjectId)>, Error> {
    let mut added: Vec<(&BString, ObjectId)> = Vec::new();
    let mut removed: Vec<(&BString, ObjectId)> = Vec::new();
    for change in changes {
        match (change.before, change.after) {
            (None, Some(id)) => added.push((&change.path, id)),
            (Some(id), None) => removed.push((&change.path, id)),
            _ => {}
        }
    }
    if removed.is_empty() || !added.iter().any(|(added, _)| added.as_slice() == path) {
        return Ok(None);
    }

    // Equal files first, then files of the same name, then the most similar ones.
    for target in std::mem::take(&mut added) {
        let same_name = removed.iter().position(|(source, id)| *id == target.1 && name(source) == name(target.0));
        match same_name.or_else(|| removed.iter().position(|(_, id)| *id == target.1)) {
            Some(index) => {
                let (source, id) = removed.remove(index);
                if target.0.as_slice() == path {
                    return Ok(Some((source.clone(), id)));
                }
            }
            None => added.push(target),
        }
    }
    if added.len().saturating_mul(removed.len()) > PAIRS {
        added.retain(|(added, _)| added.as_slice() == path);
        removed.truncate(PAIRS);
    }
    pair_by_content(objects, &mut added, &mut removed, path)
}

fn pair_by_content(
    objects: &Objects<'_>,
    added: &mut Vec<(&BString, ObjectId)>,
    removed: &mut Vec<(&BString, ObjectId)>,
    path: &[u8],
) -> Result<Option<(BString, ObjectId)>, Error> {
    let mut chunks: HashMap<ObjectId, Option<(Chunks, usize)>> = HashMap::new();
    for (_, id) in added.iter().chain(removed.iter()) {
        objects.budget.check()?;
        if !chunks.contains_key(id) {
            let text = objects.text(*id)?;
            chunks.insert(*id, text.map(|text| (split(&text), text.len())));
        }
    }
    let score = |a: &ObjectId, b: &ObjectId| match (&chunks[a], &chunks[b]) {
        (Some(a), Some(b)) => similarity(a, b),
        _ => 0,
    };

    for (target, target_id) in std::mem::take(added) {
        let mut sources = removed.iter().enumerate().filter(|(_, (source, _))| name(source) == name(target));
        if let (Some((index, (_, id))), None) = (sources.next(), sources.next())
            && score(id, &target_id) >= SIMILAR_WITH_NAME
        {
            let (source, id) = removed.remove(index);
            if target.as_slice() == path {
                return Ok(Some((source.clone(), id)));
            }
        } else {
            added.push((target, target_id));
        }
    }

    let mut pairs = Vec::new();
    for (to, (_, target)) in added.iter().enumerate() {
        objects.budget.check()?;
        for (from, (_, source)) in removed.iter().enumerate() {
            let score = score(source, target);
            if score >= SIMILAR {
                pairs.push((score, to, from));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut used_targets, mut used_sources) = (vec![false; added.len()], vec![false; removed.len()]);
    for (_, to, from) in pairs {
        if used_targets[to] || used_sources[from] {
            continue;
        }
        if added[to].0.as_slice() == path {
            return Ok(Some((removed[from].0.clone(), removed[from].1)));
        }
        (used_targets[to], used_sources[from]) = (true, true);
    }
    Ok(None)
}

fn name(path: &BString) -> &[u8] {
    path.rsplit_once_str("/").map_or(path.as_slice(), |(_, name)| name)
}

fn split(text: &[u8]) -> Chunks {
    let mut chunks = Chunks::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        for chunk in line.chunks(CHUNK) {
            *chunks.entry(chunk.to_vec()).or_default() += chunk.len();
        }
    }
    chunks
}

/// The share of the larger file that the other one has too, in percent.
fn similarity((a, a_size): &(Chunks, usize), (b, b_size): &(Chunks, usize)) -> usize {
    let larger = *a_size.max(b_size);
    if larger == 0 || larger > 2 * *a_size.min(b_size) {
        return 0;
    }
    let copied: usize = a.iter().map(|(chunk, size)| b.get(chunk).map_or(0, |other| *size.min(other))).sum();
    copied * 100 / larger
}
