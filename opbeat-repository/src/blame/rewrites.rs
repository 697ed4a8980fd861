//! Lines that a commit wrote in another form.

use std::collections::HashMap;

use crate::diff::{Flat, Indentation, is_blank, normal, weight};

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

/// Finds the line of `before` in which the text of `after[line]` began, if both parts differ in their layout only:
/// whitespace, line breaks, and commas before closing brackets.
pub(super) fn reformatted(before: &[&[u8]], after: &[&[u8]], line: usize, indentation: Indentation) -> Option<usize> {
    if before.len() > SEARCHED || after.len() > SEARCHED {
        return None;
    }
    if let Some(found) = same_text(&Flat::new(before, indentation), &Flat::new(after, indentation), line) {
        return Some(found);
    }
    // The commit changed something else next to it. The smallest part around the line that occurs once is taken.
    for width in 1..=WINDOW.min(after.len()) {
        for start in (line + 1).saturating_sub(width)..=line.min(after.len() - width) {
            let part = &after[start..start + width];
            if part.iter().map(|text| weight(text)).sum::<usize>() < WEIGHT {
                continue;
            }
            let wanted = Flat::new(part, indentation);
            if let Some(found) = only_place(before, part, &wanted, line - start, indentation) {
                return Some(found);
            }
        }
    }
    None
}

fn only_place(before: &[&[u8]], part: &[&[u8]], wanted: &Flat, line: usize, indentation: Indentation) -> Option<usize> {
    let mut found = None;
    for start in 0..before.len() {
        let first = normal(before[start], Indentation::Free);
        let prefix = first.len().min(4).min(first.iter().position(|byte| *byte == b',').unwrap_or(4));
        let body = wanted.bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        if is_blank(before[start]) || !wanted.bytes[body..].starts_with(&first[..prefix]) {
            continue;
        }
        for end in start + 1..=before.len().min(start + WINDOW) {
            let candidate = Flat::new(&before[start..end], indentation);
            if candidate.bytes.len() > wanted.bytes.len() + 1 {
                break;
            }
            let Some(index) = same_text(&candidate, wanted, line) else { continue };
            let lines = &before[start..end];
            let moved = lines.len() == part.len()
                && lines.iter().zip(part).all(|(a, b)| normal(a, indentation) == normal(b, indentation));
            // Equal lines at another place are a move, which needs more evidence. Two places are no evidence.
            if moved || found.is_some() {
                return None;
            }
            found = Some(start + index);
        }
    }
    found
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
pub(super) fn most_similar(before: &[&[u8]], after: &[&[u8]], line: usize) -> Option<usize> {
    if before.len() > SEARCHED {
        return None;
    }
    let wanted = pairs(after[line]);
    let mut scores: Vec<(usize, usize)> =
        before.iter().enumerate().map(|(index, text)| (similarity(&pairs(text), &wanted), index)).collect();
    let same_place = scores.get(line).map_or(0, |(score, _)| *score);
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let (best, index) = *scores.first()?;
    let second = scores.get(1).map_or(0, |(score, _)| *score);
    if best < SIMILAR {
        return None;
    }
    if before.len() == after.len() && same_place == best {
        return Some(line);
    }
    (best >= second + MARGIN).then_some(index)
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
