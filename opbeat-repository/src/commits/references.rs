//! Issues and pull requests that a message names.

use gix::bstr::ByteSlice;

/// The start of a message that is read, in bytes.
const MESSAGE: usize = 64 * 1024;
/// The references of one commit that are kept.
const REFERENCES: usize = 20;
/// The length of a word that can be a reference, in bytes.
const WORD: usize = 300;
/// Names of standards that look like keys of tickets.
const STANDARDS: [&str; 16] = [
    "AES", "ANSI", "CVE", "CWE", "ECMA", "GPT", "HTTP", "IEC", "IEEE", "ISO", "MD", "RFC", "RUSTSEC", "SHA", "TLS",
    "UTF",
];

/// The kind of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReferenceKind {
    /// An issue, by its address or a closing word: `fixes #12`.
    Issue,
    /// A pull request or merge request: `Merge pull request #12`, `!12`, `title (#12)`, or its address.
    PullRequest,
    /// A number that can be both: `see #12`.
    IssueOrPullRequest,
    /// A key of a tracker: `SHOP-12`.
    Ticket,
}

/// An issue, a pull request or a ticket that a message names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reference {
    /// The kind.
    pub kind: ReferenceKind,
    /// The reference as written, without punctuation: `#12`, `octo/shop#12`, `SHOP-12`, or an address.
    pub text: String,
    /// The number.
    pub number: u64,
    /// The other repository, if it names one: `octo/shop`.
    pub repository: Option<String>,
}

/// Finds the references in a message, each once, in their order.
pub(super) fn find(message: &[u8]) -> Vec<Reference> {
    let text = message[..message.len().min(MESSAGE)].to_str_lossy();
    let mut found: Vec<Reference> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut before = ["", ""];
        let mut words = line.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let last = words.peek().is_none();
            for part in word.split(',').filter(|part| part.len() <= WORD) {
                let Some(mut reference) = parse(part) else { continue };
                if reference.kind == ReferenceKind::IssueOrPullRequest {
                    // GitHub ends the first line of a squashed pull request with its number.
                    let squashed = index == 0 && last && part.starts_with('(') && part.ends_with(')');
                    let requested = ["request", "pr", "mr", "pull"].contains(&before[1].to_lowercase().as_str());
                    let closing = is_closing(before[1]) || (before[1].eq_ignore_ascii_case("issue"));
                    reference.kind = match () {
                        () if squashed || requested => ReferenceKind::PullRequest,
                        () if closing => ReferenceKind::Issue,
                        () => ReferenceKind::IssueOrPullRequest,
                    };
                }
                if !found.iter().any(|known| known.text == reference.text) {
                    found.push(reference);
                }
                if found.len() == REFERENCES {
                    return found;
                }
            }
            before = [before[1], word.trim_end_matches(':')];
        }
    }
    found
}

fn is_closing(word: &str) -> bool {
    const WORDS: [&str; 9] = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    WORDS.contains(&word.to_lowercase().as_str())
}

fn parse(word: &str) -> Option<Reference> {
    let word =
        word.trim_start_matches(['(', '[', '<', '"', '\'']).trim_end_matches([')', ']', '>', '"', '\'', '.', ';', ':']);
    let reference = |kind, number, repository: Option<&str>| {
        Some(Reference { kind, text: word.to_owned(), number, repository: repository.map(str::to_owned) })
    };
    if let Some(rest) = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://")) {
        let parts: Vec<&str> = rest.split(['/', '?', '#']).collect();
        let kinds = [
            ("issues", ReferenceKind::Issue),
            ("pull", ReferenceKind::PullRequest),
            ("pulls", ReferenceKind::PullRequest),
            ("merge_requests", ReferenceKind::PullRequest),
        ];
        let (at, kind) = parts
            .iter()
            .enumerate()
            .skip(3)
            .find_map(|(at, part)| kinds.iter().find(|(name, _)| name == part).map(|(_, kind)| (at, *kind)))?;
        let owner: Vec<&str> = parts[1..at].iter().copied().filter(|part| *part != "-").collect();
        return reference(kind, number(parts.get(at + 1)?)?, Some(&owner.join("/")));
    }
    if let Some((before, after)) = word.split_once('#') {
        let number = number(after)?;
        return match before {
            "" => reference(ReferenceKind::IssueOrPullRequest, number, None),
            repository
                if repository.contains('/')
                    && repository.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c)) =>
            {
                reference(ReferenceKind::IssueOrPullRequest, number, Some(repository))
            }
            _ => None,
        };
    }
    if let Some(rest) = word.strip_prefix('!') {
        return reference(ReferenceKind::PullRequest, number(rest)?, None);
    }
    let (key, rest) = word.split_once('-')?;
    if key == "GH" {
        return reference(ReferenceKind::IssueOrPullRequest, number(rest)?, None);
    }
    let is_key = (2..=10).contains(&key.len())
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && !STANDARDS.contains(&key);
    if is_key { reference(ReferenceKind::Ticket, number(rest)?, None) } else { None }
}

fn number(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number > 0)
}
