//! The file: which keys it sets, and on which lines.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::key::{Key, Raw};
use super::keys::KEYS;
use super::mistake::{Mistake, Origin};
use super::suggest::similar;

/// The largest file in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The keys that a file sets, in the order of its lines, and its mistakes.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) values: Vec<(&'static Key, Value, Origin)>,
    pub(super) mistakes: Vec<Mistake>,
}

/// A value in a file.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Switch(bool),
    Number(Option<u64>, String),
    Other(&'static str),
}

impl Value {
    /// Returns the value in the form that a key reads.
    pub(super) fn raw(&self) -> Raw<'_> {
        match self {
            Self::Text(text) => Raw::Text(text),
            Self::Texts(texts) => Raw::Texts(texts.iter().map(String::as_str).collect()),
            Self::Switch(value) => Raw::Switch(*value),
            Self::Number(number, text) => Raw::Number(*number, text.clone()),
            Self::Other(kind) => Raw::Other(kind),
        }
    }

    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => {
                let number = u64::from_str_radix(integer.as_str(), integer.radix());
                Self::Number(number.ok(), integer.to_string())
            }
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Boolean(value) => Self::Switch(*value),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Table(_) => Self::Other("a table"),
            DeValue::Array(array) => {
                let text = |item: &DeValue<'_>| item.as_str().map(str::to_owned);
                let texts = array.iter().map(|item| text(item.get_ref())).collect::<Option<_>>();
                texts.map_or(Self::Other("a list of other things than texts"), Self::Texts)
            }
        }
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 MiB"));
    }
    Ok(text)
}

/// Returns the keys that a text in TOML sets.
pub(super) fn entries(path: &Path, text: &str) -> Entries {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut parser = Parser { path, text, broken: BTreeSet::new(), entries: Entries::default() };
    for error in errors {
        let line = parser.line(error.span());
        parser.broken.insert(line);
        parser.mistake(line, format!("this is not TOML: {}", error.message().replace('\n', "; ")));
    }
    parser.table("", table.get_ref());
    let mut entries = parser.entries;
    let line = |origin: &Origin| if let Origin::File { line, .. } = origin { *line } else { 0 };
    entries.mistakes.sort_by_key(|mistake| line(&mistake.origin));
    entries
}

struct Parser<'a> {
    path: &'a Path,
    text: &'a str,
    /// The lines that are not TOML. Their values are not what was meant.
    broken: BTreeSet<usize>,
    entries: Entries,
}

impl Parser<'_> {
    /// Adds the keys of a table. `prefix` is its name with a dot, or empty for the file.
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let line = self.line(Some(name.span()));
            let name = format!("{prefix}{}", name.get_ref());
            let is_table = |key: &Key| key.name.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
            if let Some(key) = KEYS.iter().find(|key| key.name == name) {
                let line = self.line(Some(value.span())).max(line);
                if !self.broken.contains(&line) {
                    self.entries.values.push((key, Value::of(value.get_ref()), self.origin(line)));
                }
            } else if !KEYS.iter().any(is_table) {
                self.unknown(line, &name, value.get_ref());
            } else if let DeValue::Table(table) = value.get_ref() {
                self.table(&format!("{name}."), table);
            } else {
                self.mistake(line, format!("'{name}' is a table; write its keys below a line [{name}]"));
            }
        }
    }

    fn unknown(&mut self, line: usize, name: &str, value: &DeValue<'_>) {
        if self.broken.contains(&line) {
            return;
        }
        let (noun, similar) = if value.is_table() {
            let tables = KEYS.iter().filter_map(|key| Some(key.name.split_once('.')?.0));
            ("table", similar(name, tables))
        } else {
            ("key", similar(name, KEYS.iter().map(|key| key.name)))
        };
        let hint = similar.map_or_else(
            || "remove it; `opbeat serve --help` prints all keys".to_owned(),
            |similar| format!("expected '{similar}'"),
        );
        self.mistake(line, format!("unknown {noun} '{name}': {hint}"));
    }

    fn mistake(&mut self, line: usize, message: String) {
        let origin = self.origin(line);
        self.entries.mistakes.push(Mistake { origin, message });
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File { path: PathBuf::from(self.path), line }
    }

    /// Returns the line of a part of the text, from 1.
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let start = span.map_or(0, |span| span.start).min(self.text.len());
        1 + self.text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count()
    }
}
