//! Finds the former paths of files that were renamed, as Git does.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

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

/// A file of a change.
type File<'c> = (&'c BString, ObjectId);

/// The former path and content of files that a commit renamed, by their new paths.
pub(crate) type Renames<'c> = HashMap<&'c BString, File<'c>>;

/// The lines of a file as their hashes, in the order of these, with the bytes of each.
struct Chunks {
    bytes: usize,
    lines: Vec<(u32, u32)>,
}

/// Returns the former path and content of the file `path`, if the changes add it and it was renamed.
pub(crate) fn source_of(
    objects: &Objects<'_>,
    changes: &[Change],
    path: &BString,
) -> Result<Option<(BString, ObjectId)>, Error> {
    let renames = pairs(objects, changes, Some(path))?;
    Ok(renames.get(path).map(|(source, id)| ((*source).clone(), *id)))
}

/// Pairs the removed files with the added ones. If one path is `wanted`, others can be left out.
///
/// Files beyond the limits of pairs and of bytes are compared by their ids only.
pub(crate) fn pairs<'c>(
    objects: &Objects<'_>,
    changes: &'c [Change],
    wanted: Option<&BString>,
) -> Result<Renames<'c>, Error> {
    let mut added: Vec<File<'c>> = Vec::new();
    let mut removed: Vec<File<'c>> = Vec::new();
    for change in changes {
        match (change.before, change.after) {
            (None, Some(id)) => added.push((&change.path, id)),
            (Some(id), None) => removed.push((&change.path, id)),
            _ => {}
        }
    }
    let mut renames = Renames::new();
    if removed.is_empty() || wanted.is_some_and(|wanted| !added.iter().any(|(added, _)| *added == wanted)) {
        return Ok(renames);
    }

    // Equal files first, then files of the same name, then the most similar ones.
    for target in std::mem::take(&mut added) {
        objects.spend(removed.len())?;
        let same_name = removed.iter().position(|(source, id)| *id == target.1 && name(source) == name(target.0));
        match same_name.or_else(|| removed.iter().position(|(_, id)| *id == target.1)) {
            Some(index) => drop(renames.insert(target.0, removed.remove(index))),
            None => added.push(target),
        }
    }
    if wanted.is_some_and(|wanted| renames.contains_key(wanted)) {
        return Ok(renames);
    }
    if added.len().saturating_mul(removed.len()) > PAIRS {
        added.retain(|(added, _)| Some(*added) == wanted);
        removed.truncate(PAIRS);
    }
    pair_by_content(objects, added, removed, &mut renames)?;
    Ok(renames)
}

fn pair_by_content<'c>(
    objects: &Objects<'_>,
    mut added: Vec<File<'c>>,
    mut removed: Vec<File<'c>>,
    renames: &mut Renames<'c>,
) -> Result<(), Error> {
    let chunks = read(objects, &added, &removed)?;
    let score = |a: &ObjectId, b: &ObjectId| match (chunks.get(a), chunks.get(b)) {
        (Some(a), Some(b)) => similarity(objects, a, b),
        _ => Ok(0),
    };
    for target in std::mem::take(&mut added) {
        let mut sources = removed.iter().enumerate().filter(|(_, (source, _))| name(source) == name(target.0));
        if let (Some((index, (_, id))), None) = (sources.next(), sources.next())
            && score(id, &target.1)? >= SIMILAR_WITH_NAME
        {
            renames.insert(target.0, removed.remove(index));
        } else {
            added.push(target);
        }
    }

    let mut pairs = Vec::new();
    for (to, (_, target)) in added.iter().enumerate() {
        for (from, (_, source)) in removed.iter().enumerate() {
            let score = score(source, target)?;
            if score >= SIMILAR {
                pairs.push((score, to, from));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut used_targets, mut used_sources) = (vec![false; added.len()], vec![false; removed.len()]);
    for (_, to, from) in pairs {
        if !used_targets[to] && !used_sources[from] {
            renames.insert(added[to].0, removed[from]);
            (used_targets[to], used_sources[from]) = (true, true);
        }
    }
    Ok(())
}

/// Reads the files that can be similar to another one by their sizes, within the limit of bytes.
fn read(objects: &Objects<'_>, added: &[File<'_>], removed: &[File<'_>]) -> Result<HashMap<ObjectId, Chunks>, Error> {
    let mut sizes: HashMap<ObjectId, u64> = HashMap::new();
    for (_, id) in added.iter().chain(removed) {
        if !sizes.contains_key(id) {
            sizes.insert(*id, objects.size(*id)?);
        }
    }
    let mut chunks = HashMap::new();
    let mut binary = HashSet::new();
    let mut left = objects.limits.rename_bytes;
    for (target, target_id) in added {
        objects.spend(removed.len())?;
        let may_be_similar = |id: &ObjectId| {
            let (a, b) = (sizes[id], sizes[target_id]);
            a.max(b) <= 2 * a.min(b) && a.max(b) <= objects.limits.file_bytes
        };
        let mut sources: Vec<&File<'_>> = removed.iter().filter(|(_, id)| may_be_similar(id)).collect();
        // Those of the same name are the likely ones.
        sources.sort_by_key(|(source, _)| name(source) != name(target));
        let target = (!sources.is_empty()).then_some(target_id);
        for id in target.into_iter().chain(sources.into_iter().map(|(_, id)| id)) {
            if chunks.contains_key(id) || binary.contains(id) {
                continue;
            }
            if sizes[id] > left {
                return Ok(chunks);
            }
            left -= sizes[id];
            match objects.text(*id)? {
                Some(text) => drop(chunks.insert(*id, Chunks::of(&text))),
                None => drop(binary.insert(*id)),
            }
        }
    }
    Ok(chunks)
}

fn name(path: &BString) -> &[u8] {
    path.rsplit_once_str("/").map_or(path.as_slice(), |(_, name)| name)
}

impl Chunks {
    fn of(text: &[u8]) -> Self {
        let chunks = text.split_inclusive(|byte| *byte == b'\n').flat_map(|line| line.chunks(CHUNK));
        let mut lines: Vec<(u32, u32)> = chunks.map(|chunk| (hash(chunk), chunk.len() as u32)).collect();
        lines.sort_unstable();
        lines.dedup_by(|same, kept| {
            let is_same = same.0 == kept.0;
            if is_same {
                kept.1 += same.1;
            }
            is_same
        });
        lines.shrink_to_fit();
        Self { bytes: text.len(), lines }
    }
}

fn hash(chunk: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(chunk);
    hasher.finish() as u32
}

/// The share of the larger file that the other one has too, in percent.
fn similarity(objects: &Objects<'_>, a: &Chunks, b: &Chunks) -> Result<usize, Error> {
    let larger = a.bytes.max(b.bytes);
    if larger == 0 || larger > 2 * a.bytes.min(b.bytes) {
        return Ok(0);
    }
    objects.spend(4 * (a.lines.len() + b.lines.len()))?;
    let (mut a, mut b) = (a.lines.as_slice(), b.lines.as_slice());
    let mut copied = 0_usize;
    while let ([(a_hash, a_bytes), a_rest @ ..], [(b_hash, b_bytes), b_rest @ ..]) = (a, b) {
        if a_hash == b_hash {
            copied += *a_bytes.min(b_bytes) as usize;
        }
        let (is_a_next, is_b_next) = (a_hash <= b_hash, b_hash <= a_hash);
        if is_a_next {
            a = a_rest;
        }
        if is_b_next {
            b = b_rest;
        }
    }
    Ok(copied * 100 / larger)
}
