//! The commits of a release.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::dashboard::format::{ago, signed_count, time};
use crate::query::{CommitView, Release};

/// The largest number of commits on a page.
const MAX_COMMITS: usize = 100;

/// The digits of a hash, as Git shows it.
const HASH: usize = 7;

/// Lists the commits of a release, or says why they are not known.
pub(super) fn section(release: &Release, now: Timestamp) -> Markup {
    let Some(changes) = &release.changes else { return html! {} };
    html! {
        section {
            h2 { "Commits" @if changes.count > 0 { " " small.muted { (signed_count(changes.count)) } } }
            @match changes.sentence() {
                Some(sentence) => p { (capitalised(&sentence)) "." },
                None => p.muted { "They are not known, because " (changes.reason) "." },
            }
            @if !release.commits.is_empty() {
                div.panel { table.ranking {
                    caption.hidden { "Commits" }
                    thead { tr { th scope="col" { "commit" } th.number scope="col" { "lines" } th.number scope="col" { "written" } } }
                    tbody { @for commit in release.commits.iter().take(MAX_COMMITS) { (row(commit, now)) } }
                } }
            }
            @let hidden = changes.count.saturating_sub(MAX_COMMITS as i64);
            @if hidden > 0 { p.muted { "and " (signed_count(hidden)) " more" } }
        }
    }
}

fn row(commit: &CommitView, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name {
                div.message { (commit.subject) }
                div.about.muted { span {
                    code { (commit.hash.get(..HASH).unwrap_or(&commit.hash)) } " · " (commit.author)
                    @for mention in &commit.mentions {
                        " · "
                        @match &mention.url {
                            Some(url) => a href=(url) rel="noreferrer noopener" { (mention.text) },
                            None => (mention.text),
                        }
                    }
                } }
            }
            td.number data-label="lines" {
                @match commit.additions.zip(commit.deletions) {
                    Some((additions, deletions)) => { "+" (signed_count(additions)) "/−" (signed_count(deletions)) }
                    None => "merge",
                }
            }
            td.number data-label="written" title=(time(commit.authored_at)) { (ago(commit.authored_at, now)) }
        }
    }
}

/// Returns a time in seconds as people say it: `45 minutes`, `3 hours`, `2 days`.
pub(super) fn age(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_have_one_unit() {
        let ages = [0, 1, 119, 120, 2_700, 7_200, 172_800].map(age);
        assert_eq!(ages, ["0 seconds", "1 second", "119 seconds", "2 minutes", "45 minutes", "2 hours", "2 days"]);
    }
}
