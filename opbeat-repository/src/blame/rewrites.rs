//! Lines that a commit wrote in another form.

use std::collections::HashMap;

use crate::Error;
use crate::diff::{Flat, Indentation, is_blank, normal, weight};
use crate::objects::Objects;

/// The lines that a formatter joins or splits at most.
const WINDOW: usize = 40;
/// The lines of a replaced part that are searched.
const SEARCHED: usize = 1_000;
/// The letters and digits that a joined or split part needs, so that it is recognised.
const WEIGHT: usize = 8;
/// The share of equal pairs of letters from which on two lines count as versions of one, in percent.
const SIMILAR: usize = 60;
/// The distance to the second most similar line, in percent.
const MARGIN: usize = 10;

/// A line of the text before, by the start of its content.
struct Start([u8; 4], usize);

/// Finds the line of `before` in which the text of `after[line]` began, if both parts differ in their layout only:
/// whitespace, line breaks, and commas before closing brackets.
pub(super) fn reformatted(
    objects: &Objects<'_>,
    before: &[&[u8]],
    after: &[&[u8]],
    line: usize,
    indentation: Indentation,
) -> Result<Option<usize>, Error> {
    if before.len() > SEARCHED || after.len() > SEARCHED {
        return Ok(None);
    }
    objects.spend_lines(before)?;
    objects.spend_lines(after)?;
    if let Some(found) = same_text(&Flat::new(before, indentation), &Flat::new(after, indentation), line) {
        return Ok(Some(found));
    }
    let starts: Vec<Option<Start>> = before.iter().map(|text| Start::of(text)).collect();
    // The commit changed something else next to it. The smallest part around the line that occurs once is taken.
    for width in 1..=WINDOW.min(after.len()) {
        for start in (line + 1).saturating_sub(width)..=line.min(after.len() - width) {
            let part = &after[start..start + width];
            objects.spend_lines(part)?;
            if part.iter().map(|text| weight(text)).sum::<usize>() < WEIGHT {
                continue;
            }
            let wanted = Wanted { part, flat: Flat::new(part, indentation), line: line - start, indentation };
            if let Some(found) = only_place(objects, before, &starts, &wanted)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

impl Start {
    /// Returns the first bytes of a line without its layout, up to a comma, which a formatter may remove. `None` for a
    /// blank line.
    fn of(line: &[u8]) -> Option<Self> {
        if is_blank(line) {
            return None;
        }
        let first = normal(line, Indentation::Free);
        let length = first.iter().take(4).position(|byte| *byte == b',').unwrap_or(first.len().min(4));
        let mut bytes = [0; 4];
        bytes[..length].copy_from_slice(&first[..length]);
        Some(Self(bytes, length))
    }
}

/// The part of the text after that is searched in the text before.
struct Wanted<'a> {
    part: &'a [&'a [u8]],
    flat: Flat,
    /// The line in the part.
    line: usize,
    indentation: Indentation,
}

fn only_place(
    objects: &Objects<'_>,
    before: &[&[u8]],
    starts: &[Option<Start>],
    wanted: &Wanted<'_>,
) -> Result<Option<usize>, Error> {
    objects.spend(before.len())?;
    let bytes = &wanted.flat.bytes;
    let body = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let mut found = None;
    for (start, first) in starts.iter().enumerate() {
        if first.as_ref().is_none_or(|Start(first, length)| !bytes[body..].starts_with(&first[..*length])) {
            continue;
        }
        let mut candidate = Flat::default();
        for end in start + 1..=before.len().min(start + WINDOW) {
            objects.spend(before[end - 1].len() + 1)?;
            candidate.add(before[end - 1], end - 1 - start, wanted.indentation);
            // Only a comma at the end can be removed by further lines.
            let settled = candidate.bytes.len().saturating_sub(1);
            if candidate.bytes.len() > bytes.len() + 1 || candidate.bytes[..settled] != bytes[..settled] {
                break;
            }
            let Some(index) = same_text(&candidate, &wanted.flat, wanted.line) else { continue };
            let lines = &before[start..end];
            let normal = |line: &[u8]| normal(line, wanted.indentation);
            let moved =
                lines.len() == wanted.part.len() && lines.iter().zip(wanted.part).all(|(a, b)| normal(a) == normal(b));
            // Equal lines at another place are a move, which needs more evidence. Two places are no evidence.
            if moved || found.is_some() {
                return Ok(None);
            }
            found = Some(start + index);
        }
    }
    Ok(found)
}

fn same_text(before: &Flat, after: &Flat, line: usize) -> Option<usize> {
    if before.bytes != after.bytes || before.bytes.is_empty() {
        return None;
    }
    let first = (0..after.bytes.len()).find(|index| after.lines[*index] == line && after.bytes[*index] != b'\n')?;
    Some(before.lines[first])
}

/// Finds the line of `before` that became `after[line]`: the clearly most similar one, or the one at the same place if the
/// commit changed each line and no other line is more similar.
pub(super) fn most_similar(
    objects: &Objects<'_>,
    before: &[&[u8]],
    after: &[&[u8]],
    line: usize,
) -> Result<Option<usize>, Error> {
    if before.len() > SEARCHED {
        return Ok(None);
    }
    objects.spend_lines(before)?;
    objects.spend(after[line].len())?;
    let wanted = pairs(after[line]);
    let mut scores: Vec<(usize, usize)> =
        before.iter().enumerate().map(|(index, text)| (similarity(&pairs(text), &wanted), index)).collect();
    let same_place = scores.get(line).map_or(0, |(score, _)| *score);
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let Some((best, index)) = scores.first().copied() else { return Ok(None) };
    let second = scores.get(1).map_or(0, |(score, _)| *score);
    if best < SIMILAR {
        return Ok(None);
    }
    if before.len() == after.len() && same_place == best {
        return Ok(Some(line));
    }
    Ok((best >= second + MARGIN).then_some(index))
}

/// Counts the pairs of neighbouring bytes.
fn pairs(line: &[u8]) -> HashMap<[u8; 2], usize> {
    let mut pairs = HashMap::new();
    for pair in normal(line, Indentation::Free).windows(2) {
        *pairs.entry([pair[0], pair[1]]).or_default() += 1;
    }
    pairs
}

fn similarity(a: &HashMap<[u8; 2], usize>, b: &HashMap<[u8; 2], usize>) -> usize {
    let total: usize = a.values().sum::<usize>() + b.values().sum::<usize>();
    let common: usize = a.iter().map(|(pair, count)| b.get(pair).map_or(0, |other| *count.min(other))).sum();
    (200 * common).checked_div(total).unwrap_or(0)
}
