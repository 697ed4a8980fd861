//! The rules of plain English, each with the suggestion that it prints.

use std::fmt;

use crate::Source;
use crate::prose::{Part, Sentence, sentences, words};

/// Sentences of more words are too long.
const MAX_WORDS: usize = 40;

/// Words that open a sentence without naming its subject.
const OPENERS: &[&str] = &[
    "what",
    "whatever",
    "whichever",
    "whoever",
    "whosoever",
    "who",
    "whose",
    "whom",
    "nobody",
    "no one",
    "where",
    "wherever",
    "so many",
    "that which",
    "those that|who",
    "all that",
    "as many",
];

/// Phrases that a reader must decipher, and the words to use instead.
///
/// `a|b` is either of two words, and `$` is the end of the sentence or punctuation. `!there` is no word of the phrase:
/// the phrase is allowed after *there*.
const PHRASES: &[(&str, &str)] = &[
    ("tell|tells|telling|told|retell|retells|retold", "report, contain, describe, state; distinguish"),
    ("lie|lies|lay in|inside|within", "is in"),
    ("lie|lies|lay around|about", "wraps, surrounds"),
    (
        "lie|lies|lay between|beneath|below|above|before|after|behind|under|outside|beyond|further",
        "is between, below, …",
    ),
    ("has|have|had gone", "disconnected, was removed"),
    ("has|have|had left $", "disconnected, ended"),
    ("client|clients|peer|peers left", "disconnected"),
    ("client|clients|peer|peers that left", "client that disconnected"),
    ("so many", "N, the number of"),
    // "Names that many share" is plain.
    ("that many $", "N, the number of"),
    ("!there is|are|was|were none", "is invalid, is not a …"),
    ("is|are|was|were|be|been done with", "is finished, is released"),
    ("cost|costs nothing", "does not allocate, is O(1), takes 40 ns"),
    ("last byte of its|the|a|an", "the end of the body"),
    ("alike", "similar, equal"),
    ("of one kind", "similar, equal"),
    ("by what", "name the thing"),
    ("its|their place|places", "its location (file and line), its position"),
    ("the way out", "delivery"),
    ("in good order", "name the state: complete, without an error"),
    ("all the same", "still, nevertheless"),
    ("whosoever", "name the thing"),
    ("speak|speaks up", "reports, logs"),
    ("and not otherwise", "only if"),
    ("its|their|error's|panic's|failure's words", "message, text"),
    ("storm|storms", "burst of similar errors, rate limit"),
    ("wishes", "query parameters"),
];

/// Files that name what they forbid.
const EXEMPT: &[(&str, &str)] = &[("xtask/src/english.rs", "it lists the phrases")];

/// A sentence that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The sentence.
    pub sentence: Sentence,
    /// The rule's name.
    pub rule: &'static str,
    /// The part of the sentence that breaks the rule, and the words to use instead.
    pub suggestion: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sentence { path, line, text, .. } = &self.sentence;
        write!(f, "{path}:{line}: {}: {text} → {}", self.rule, self.suggestion)
    }
}

/// Returns the sentences of files that break a rule, once for each rule.
pub fn prose_breaches<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Vec<Breach> {
    let read = sources.into_iter().filter(|source| !EXEMPT.iter().any(|(path, _)| source.path == *path));
    read.flat_map(sentences).flat_map(|sentence| breaches(&sentence)).collect()
}

fn breaches(sentence: &Sentence) -> Vec<Breach> {
    let words = words(&sentence.text);
    let breach = |rule, suggestion| Breach { sentence: sentence.clone(), rule, suggestion };
    let opener = opener(&sentence.text, &words).map(|suggestion| breach("headless opener", suggestion));
    let phrases = phrases(&words).map(|suggestion| breach("phrase", suggestion));
    let length = length(sentence.part, &words).map(|suggestion| breach("length", suggestion));
    opener.into_iter().chain(phrases).chain(length).collect()
}

/// Sentences name their subject first. Questions are free to ask for it.
fn opener(text: &str, words: &[String]) -> Option<String> {
    let is_question = text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?').ends_with('?');
    // Keywords of SQL are written in capitals.
    let is_keyword = text.split(' ').next().is_some_and(|first| first.len() > 1 && !first.contains(char::is_lowercase));
    if is_question || is_keyword {
        return None;
    }
    let first = words.iter().position(|word| word != ",")?;
    let found = OPENERS.iter().find_map(|pattern| matched(pattern, words, first))?;
    let suggestion =
        if found.starts_with("where") { "open with \"if\", \"when\" or the subject" } else { "name the subject" };
    Some(format!("\"{found}\": {suggestion}"))
}

fn phrases(words: &[String]) -> impl Iterator<Item = String> {
    let found = PHRASES.iter().flat_map(|(pattern, suggestion)| {
        (0..words.len()).filter_map(move |at| Some(format!("\"{}\": {suggestion}", matched(pattern, words, at)?)))
    });
    found.collect::<Vec<_>>().into_iter()
}

/// Returns the words that match a pattern from a position on.
fn matched(pattern: &str, words: &[String], at: usize) -> Option<String> {
    let (pattern, exception) = match pattern.strip_prefix('!').and_then(|rest| rest.split_once(' ')) {
        Some((exception, pattern)) => (pattern, Some(exception)),
        None => (pattern, None),
    };
    let parts: Vec<&str> = pattern.split(' ').collect();
    let is_match = |(index, part): (usize, &&str)| match words.get(at + index) {
        Some(word) if word != "," => part.split('|').any(|either| either == word),
        _ => *part == "$",
    };
    let is_exception = at > 0 && exception == Some(words[at - 1].as_str());
    let matches = !is_exception && parts.iter().enumerate().all(is_match);
    matches.then(|| {
        words[at..].iter().take(parts.len()).filter(|word| *word != ",").cloned().collect::<Vec<_>>().join(" ")
    })
}

/// Rustdoc and Markdown are read in one go; comments, cells and messages are short by their form.
fn length(part: Part, words: &[String]) -> Option<String> {
    let count = words.iter().filter(|word| *word != ",").count();
    let is_read = matches!(part, Part::Doc | Part::Markdown);
    (is_read && count > MAX_WORDS).then(|| format!("{count} words: split it ({MAX_WORDS} at most)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        found(Part::Doc, text).into_iter().map(|breach| breach.rule).collect()
    }

    fn found(part: Part, text: &str) -> Vec<Breach> {
        breaches(&Sentence { path: "a.md".to_owned(), line: 1, part, text: text.to_owned() })
    }

    #[test]
    fn a_headless_opener_is_found() {
        let headless = [
            "What a service fails with.",
            "(Whoever asks gets it.)",
            "No one reads it.",
            "Where the tables are available, they are used.",
            "Where things are",
            "those that remain",
            "That which fails.",
        ];
        for text in headless {
            assert_eq!(rules(text), ["headless opener"], "{text}");
        }
    }

    #[test]
    fn a_named_subject_and_a_question_are_no_headless_openers() {
        let plain = [
            "The errors that a service fails with.",
            "What does it cost?",
            "\"Who asks?\"",
            "When the tables are available, they are used.",
            "No oneness.",
            "WHERE id = 1",
        ];
        for text in plain {
            assert!(rules(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn each_phrase_is_found() {
        for (pattern, _) in PHRASES {
            let pattern =
                pattern.split_once(' ').filter(|(first, _)| first.starts_with('!')).map_or(*pattern, |(_, rest)| rest);
            let words: Vec<&str> =
                pattern.split(' ').filter_map(|part| part.split('|').next()).filter(|word| *word != "$").collect();
            assert!(rules(&format!("It {}.", words.join(" "))).contains(&"phrase"), "{pattern}");
        }
        let shown = found(Part::Comment, "The layer lies around the router.")[0].to_string();
        assert_eq!(shown, "a.md:1: phrase: The layer lies around the router. → \"lies around\": wraps, surrounds");
    }

    #[test]
    fn plain_phrases_are_not_found() {
        let plain = [
            "The sum is in the middle, and none is lost.",
            "Returns the name, or nothing if there is none.",
            "This is done, with care.",
            "What a crash has left behind?",
            "A name that many share.",
            "A failed write may have left a part.",
            "It is named `…` in code.",
        ];
        for text in plain {
            assert!(rules(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_long_sentence_is_found_in_docs_only() {
        let long = "word ".repeat(MAX_WORDS + 1);
        assert_eq!(rules(&long), ["length"]);
        assert!(rules(&"word, ".repeat(MAX_WORDS)).is_empty());
        assert!(found(Part::Cell, &long).is_empty());
    }
}
