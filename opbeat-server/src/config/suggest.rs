//! The name that a misspelled name was meant to be.

/// The largest number of changed characters between a misspelled name and the name that it was meant to be.
const MAX_CHANGES: usize = 3;

/// Returns the candidate that is most similar to a name, if one is similar.
pub(super) fn similar<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let leaf = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let changes = |candidate: &str| {
        // A key in the wrong table is the same key.
        if leaf(candidate) == leaf(name) { 0 } else { distance(name, candidate) }
    };
    let allowed = MAX_CHANGES.min(name.chars().count() / 2);
    candidates
        .map(|candidate| (changes(candidate), candidate))
        .filter(|(changes, _)| *changes <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns the number of characters to insert, remove or replace to make one text from another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (index, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_names_are_recognised() {
        let names = ["limits.body_bytes", "limits.queue_bytes", "listen", "store"];
        let similar = |name| similar(name, names.into_iter());
        assert_eq!(similar("limits.boddy_byte"), Some("limits.body_bytes"));
        assert_eq!(similar("body_bytes"), Some("limits.body_bytes"));
        assert_eq!(similar("lisen"), Some("listen"));
        assert_eq!(similar("colour"), None);
    }
}
