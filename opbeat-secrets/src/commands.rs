//! Passwords in command lines.
//!
//! One pass over the words of a text, which remembers the program of the current line. Quotes, commas and brackets
//! separate words as spaces do, since arguments are also logged as lists: `['curl', '-u', 'ada:pw']`.

use std::borrow::Cow;
use std::ops::Range;

use crate::escapes;
use crate::names::words;
use crate::pairs::{is_removable, quoted};
use crate::rules::{REDACTED, Secrets};

/// The secret in the value of an option.
#[derive(Clone, Copy)]
enum Secret {
    /// The whole value.
    Whole,
    /// The text after this sign, which separates a user from a password.
    After(char),
}

/// The place of an option's value.
#[derive(Clone, Copy)]
enum Place {
    /// In the next word.
    Next,
    /// In the same word: `-phunter2`.
    Attached,
    /// Either.
    Any,
}

/// Programs, their options, and where the secret is.
type Row = (&'static [&'static str], &'static [&'static str], Place, Secret);

/// The programs, and their short or misleading options whose values are secret.
///
/// The sources are the manual pages of the programs. Options with a secret name need no entry.
const OPTIONS: &[Row] = &[
    (&["curl"], &["-u", "--user", "-U", "--proxy-user"], Place::Any, Secret::After(':')),
    (&["http", "https", "xh"], &["-a", "--auth"], Place::Any, Secret::After(':')),
    (
        &["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlcheck", "mysqlsh", "mariadb", "mariadb-dump"],
        &["-p"],
        Place::Attached,
        Secret::Whole,
    ),
    (&["sshpass"], &["-p"], Place::Any, Secret::Whole),
    (&["redis-cli", "valkey-cli"], &["-a"], Place::Any, Secret::Whole),
    (
        &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"],
        &["-p"],
        Place::Any,
        Secret::Whole,
    ),
    // `docker login`, `az login` and others. Elsewhere `-p` is a port or a path.
    (&["login"], &["-p"], Place::Next, Secret::Whole),
    (
        &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldappasswd", "ldapwhoami"],
        &["-w"],
        Place::Any,
        Secret::Whole,
    ),
    (&["zip", "unzip"], &["-P"], Place::Any, Secret::Whole),
    (&["7z", "7za", "7zr"], &["-p"], Place::Attached, Secret::Whole),
    (&["sqlcmd", "bcp", "isql"], &["-P"], Place::Any, Secret::Whole),
    (&["mosquitto_pub", "mosquitto_sub"], &["-P"], Place::Next, Secret::Whole),
    (&["smbclient", "rpcclient", "net"], &["-U", "--user"], Place::Any, Secret::After('%')),
    (&["lftp"], &["-u", "--user"], Place::Any, Secret::After(',')),
    (&["openssl"], &["-passin", "-passout", "-pass"], Place::Next, Secret::After(':')),
];

/// Words after an option in a sentence about it: `the --password option is missing`.
const PROSE: [&str; 38] = [
    "option",
    "options",
    "flag",
    "flags",
    "argument",
    "arguments",
    "parameter",
    "value",
    "is",
    "was",
    "are",
    "to",
    "and",
    "or",
    "for",
    "from",
    "with",
    "without",
    "must",
    "may",
    "can",
    "cannot",
    "requires",
    "needs",
    "in",
    "on",
    "as",
    "not",
    "has",
    "if",
    "when",
    "instead",
    "should",
    "the",
    "which",
    "a",
    "an",
    "by",
];

/// First and last words of options that have no secret value: `--no-password`, `--password-file`.
const HARMLESS_FIRST: [&str; 6] = ["no", "ask", "use", "skip", "disable", "enable"];
const HARMLESS_LAST: [&str; 18] = [
    "stdin", "file", "path", "dir", "prompt", "url", "uri", "endpoint", "type", "method", "mode", "timeout", "ttl",
    "jar", "length", "name", "env", "store",
];

/// Removes passwords from the command lines in a text. In source code only quoted words are removed.
pub(super) fn scrub<'a>(secrets: &Secrets, text: &'a str, is_source: bool) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let (mut scrubbed, mut done, mut at) = (String::new(), 0, 0);
    let mut line = Line { secrets, text, is_source, read: 0, program: Vec::new() };
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'-').map(|found| at + found) {
        at = found + 1;
        if !is_option(bytes, found) {
            continue;
        }
        let end = found + bytes[found..].iter().take_while(|byte| is_option_part(**byte)).count();
        if let Some(secret) = line.secret(found..end) {
            scrubbed.push_str(&text[done..secret.start]);
            scrubbed.push_str(REDACTED);
            done = secret.end;
            at = done;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    scrubbed.push_str(&text[done..]);
    Cow::Owned(scrubbed)
}

/// The command line that is being read.
struct Line<'s, 'a> {
    secrets: &'s Secrets,
    text: &'a str,
    is_source: bool,
    /// The end of the text in which programs were searched.
    read: usize,
    /// The options of the last program.
    program: Vec<&'static Row>,
}

impl Line<'_, '_> {
    /// Returns the secret that belongs to the option.
    fn secret(&mut self, option: Range<usize>) -> Option<Range<usize>> {
        self.read_programs(option.start);
        let name = &self.text[option.clone()];
        for (_, options, place, secret) in &self.program {
            if options.contains(&name) {
                let value = match place {
                    Place::Attached => self.attached(&option, option.end),
                    Place::Next => self.next(&option),
                    Place::Any => self.attached(&option, option.end).or_else(|| self.next(&option)),
                };
                return value.and_then(|value| self.part(value, *secret));
            }
            let is_attached = |short: &&&str| short.len() == "-p".len() && name.starts_with(**short);
            if !matches!(place, Place::Next) && options.iter().any(|short| is_attached(&short)) {
                let value = self.attached(&option, option.start + "-p".len());
                return value.and_then(|value| self.part(value, *secret));
            }
        }
        if !self.is_named_secret(&option) {
            return None;
        }
        self.next(&option).filter(|value| !self.is_prose(value, name)).and_then(|value| self.part(value, Secret::Whole))
    }

    /// Reads the words up to a position, and remembers the last program among them.
    fn read_programs(&mut self, to: usize) {
        let bytes = self.text.as_bytes();
        let mut at = self.read.min(to);
        while at < to {
            let length = bytes[at..to].iter().take_while(|byte| is_option_part(**byte) || b"./".contains(byte)).count();
            let is_whole = bytes.get(at + length).is_none_or(|next| b" \t\r\n\"'`\\,".contains(next));
            if length > 0 && is_whole {
                let word = &self.text[at..at + length];
                let word = word.rsplit('/').next().unwrap_or(word);
                let rows = || OPTIONS.iter().filter(|(programs, ..)| programs.contains(&word));
                if rows().next().is_some() {
                    self.program = rows().collect();
                }
            }
            // A line goes on after a backslash, and a list after a comma.
            let is_end = length == 0
                && match bytes[at] {
                    b';' | b'|' | b'&' => true,
                    b'\n' => at > 0 && !b"\\,[".contains(&bytes[at - 1]),
                    _ => false,
                };
            if is_end {
                self.program.clear();
            }
            at += length.max(1);
        }
        self.read = at;
    }

    /// Returns whether the option has a secret name and takes a value.
    fn is_named_secret(&self, option: &Range<usize>) -> bool {
        let name = self.text[option.clone()].trim_start_matches('-');
        // `-p` is a word of one letter, and `x -token` is a difference in source code.
        let is_long = name.len() > 1 && !(self.is_source && option.len() - name.len() == 1);
        let is_one_of = |list: &[&str], word: Option<&str>| {
            word.is_some_and(|word| list.iter().any(|known| known.eq_ignore_ascii_case(word)))
        };
        is_long
            && self.secrets.is_secret(name)
            && !is_one_of(&HARMLESS_FIRST, words(name).next())
            && !is_one_of(&HARMLESS_LAST, words(name).last())
    }

    /// Returns the value in the same word as the option, from `start` on.
    fn attached(&self, option: &Range<usize>, start: usize) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let is_long = bytes[option.start..].starts_with(b"--");
        let start = start + usize::from(is_long && bytes.get(start) == Some(&b'='));
        if start == option.end && (is_long || self.is_quoted(option)) {
            return None;
        }
        self.value(start)
    }

    /// Returns the value in the word after the option.
    fn next(&self, option: &Range<usize>) -> Option<Range<usize>> {
        let rest = &self.text[option.end..];
        if self.is_quoted(option) {
            let is_definition = self.is_source && self.text[..option.start - 1].ends_with('(');
            let after = rest.trim_start_matches('\\').get(1..)?;
            let value = after.strip_prefix(',').unwrap_or(after).trim_start();
            let start = self.text.len() - value.len();
            let is_apart = value.len() < after.len() && !is_definition;
            return is_apart.then(|| quoted(self.text, start))?;
        }
        let is_listed = self.text[..option.start].ends_with(", ");
        let after = rest.strip_prefix(',').filter(|_| is_listed).unwrap_or(rest);
        let value = after.trim_start_matches([' ', '\t']);
        (value.len() < after.len()).then(|| self.value(self.text.len() - value.len()))?
    }

    /// Returns whether the option alone is in quotes.
    fn is_quoted(&self, option: &Range<usize>) -> bool {
        let is_open = self.text[..option.start].ends_with(['"', '\'', '`']);
        is_open && self.text[option.end..].trim_start_matches('\\').starts_with(['"', '\'', '`'])
    }

    /// Returns the word or the quoted text at `start`.
    fn value(&self, start: usize) -> Option<Range<usize>> {
        /// Longer words without quotes are cut, so that the time stays linear.
        const MAX_WORD: usize = 512;
        if self.text.as_bytes().get(start).is_some_and(|first| b"\"'`\\".contains(first)) {
            return quoted(self.text, start);
        }
        let rest = &self.text[start..];
        let rest = &rest[..rest.floor_char_boundary(MAX_WORD)];
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`;|&<>\\".contains(c)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches([',', ')', ']', '}', ':']);
        let is_variable =
            word.starts_with('$') && word[1..].starts_with(|c: char| c.is_alphabetic() || "{(".contains(c));
        let is_other = word.is_empty() || is_variable || word.starts_with(['-', '{', '%', '[', '<']);
        (!is_other).then_some(start..start + word.len())
    }

    /// Returns the secret part of a value.
    fn part(&self, value: Range<usize>, secret: Secret) -> Option<Range<usize>> {
        let skipped = match secret {
            Secret::Whole => 0,
            Secret::After(sign) => self.text[value.clone()].find(sign)? + sign.len_utf8(),
        };
        let part = value.start + skipped..value.end;
        let is_new = !self.text[part.start..].starts_with(REDACTED);
        (is_new && !part.is_empty() && is_removable(&self.text[part.clone()])).then_some(part)
    }

    /// Returns whether the word after an option belongs to a sentence, or is a placeholder: `--token TOKEN`.
    fn is_prose(&self, value: &Range<usize>, option: &str) -> bool {
        let word = &self.text[value.clone()];
        let is_capitals = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let is_placeholder =
            is_capitals && words(option).last().is_some_and(|last| word.ends_with(&last.to_uppercase()));
        is_placeholder || PROSE.contains(&word)
    }
}

/// Returns whether an option may begin at `at`.
fn is_option(text: &[u8], at: usize) -> bool {
    let is_apart = at == 0 || text[at - 1].is_ascii_whitespace() || b"\"'`[(,=".contains(&text[at - 1]);
    let name = text[at + 1..].strip_prefix(b"-").unwrap_or(&text[at + 1..]);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic);
    is_name && (is_apart || escapes::at_end(&text[..at]) > 0)
}

fn is_option_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}
