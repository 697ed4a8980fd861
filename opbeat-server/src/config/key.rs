//! A key: the forms of its name, its type, and the place of its value.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::to_string as quoted;
use tracing_subscriber::EnvFilter;

use super::number::{format_bytes, parse_bytes};
use super::settings::Settings;
use crate::names;
use crate::site::{Network, PublicUrl};
use crate::text::without_password;

/// The text in the place of a secret.
const HIDDEN: &str = "***";

/// The text that unsets a key without a default.
const NONE: &str = "none";

/// A key of the configuration.
#[derive(Debug)]
pub(crate) struct Key {
    /// The name in the file, with the name of its table: `limits.body_bytes`.
    pub(crate) name: &'static str,
    /// The value of a key that is not set, as in a variable.
    pub(super) default: Option<&'static str>,
    /// The type and the place of the value.
    pub(super) kind: Kind,
    /// The variable that sets the key too, of lower rank than the one that has the key's name.
    pub(super) other_variable: Option<&'static str>,
    /// A flag that sets the key too.
    pub(crate) other_flag: Option<&'static str>,
    /// The meaning, as in the documentation.
    pub(super) meaning: &'static str,
}

/// Stores a value.
type Set<T> = fn(&mut Settings, T);

/// The type of a key.
#[derive(Debug)]
pub(super) enum Kind {
    /// A folder.
    Folder(Set<PathBuf>),
    /// A file, which is optional.
    File(Set<Option<PathBuf>>),
    /// One or several IP addresses with ports.
    Addresses(Set<Vec<SocketAddr>>),
    /// Any number of ranges of IP addresses.
    Networks(Set<Vec<Network>>),
    /// A URL, which is optional. It may contain a password if `is_secret`.
    Url { schemes: &'static [&'static str], is_secret: bool, set: Set<Option<String>> },
    /// The URL at which others reach the server, which is optional.
    PublicUrl(Set<Option<PublicUrl>>),
    /// An e-mail address, which is optional.
    Email(Set<Option<String>>),
    /// A number in a unit.
    Number { unit: Unit, range: RangeInclusive<u64>, set: SetNumber },
    /// A filter of log lines.
    Filter(Set<String>),
    /// A text, which is optional. It is not shown if it is secret.
    Text { form: &'static TextForm, is_secret: bool, set: Set<Option<String>> },
    /// Any number of texts.
    Texts { form: &'static TextForm, set: Set<Vec<String>> },
    /// Yes or no.
    Switch(Set<bool>),
}

/// The texts that a key may have.
#[derive(Debug)]
pub(super) struct TextForm {
    /// A sentence part about them.
    pub(super) expected: &'static str,
    /// Returns whether a text is one of them.
    pub(super) is_valid: fn(&str) -> bool,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// The number has no unit, or the key's name contains it.
    One,
    /// Bytes, which may be written with a unit such as MiB.
    Bytes,
}

/// Stores a number.
#[derive(Debug)]
pub(super) enum SetNumber {
    /// The number is required.
    Always(Set<u64>),
    /// `None` means any number.
    Optional(Set<Option<u64>>),
}

/// A value that a key may be set to.
#[derive(Clone, Debug)]
pub(super) enum Raw<'a> {
    /// A text of a variable or a flag, whose type is open.
    Untyped(&'a str),
    /// A text in the file.
    Text(&'a str),
    /// Several texts in the file.
    Texts(Vec<&'a str>),
    /// A boolean in the file.
    Switch(bool),
    /// A whole number in the file, or `None` if it is not in the range of numbers.
    Number(Option<u64>, String),
    /// A value of a type that no key has.
    Other(&'static str),
}

/// The value is not of the key's type.
#[derive(Debug)]
pub(super) struct WrongValue;

impl Key {
    /// Makes a key.
    pub(super) const fn new(
        name: &'static str,
        default: Option<&'static str>,
        kind: Kind,
        meaning: &'static str,
    ) -> Self {
        Self { name, default, kind, other_variable: None, other_flag: None, meaning }
    }

    /// Returns the key with another variable of lower rank.
    pub(super) const fn or_variable(self, name: &'static str) -> Self {
        Self { other_variable: Some(name), ..self }
    }

    /// Returns the key with another flag.
    pub(super) const fn or_flag(self, name: &'static str) -> Self {
        Self { other_flag: Some(name), ..self }
    }

    /// Returns the name of the variable: `OPBEAT_LIMITS_BODY_BYTES`.
    pub(crate) fn variable(&self) -> String {
        format!("OPBEAT_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Returns the name of the variable with the name of a file that contains the value, if the value can be a secret.
    pub(super) fn file_variable(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_FILE", self.variable()))
    }

    /// Returns whether the value can be a secret.
    fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Url { is_secret: true, .. } | Kind::Text { is_secret: true, .. })
    }

    /// Returns the name of the flag, without dashes before it: `limits-body-bytes`.
    pub(crate) fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// Returns whether the key has a list of values.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.kind, Kind::Addresses(_) | Kind::Networks(_) | Kind::Texts { .. })
    }

    /// Returns whether the key belongs to a table, so that few people need it.
    pub(crate) fn is_in_table(&self) -> bool {
        self.name.contains('.')
    }

    /// Returns the word for a value in the help of the flag.
    pub(crate) fn value_name(&self) -> &'static str {
        match self.kind {
            Kind::Folder(_) => "DIR",
            Kind::File(_) => "FILE",
            Kind::Addresses(_) => "ADDR",
            Kind::Networks(_) => "NETWORK",
            Kind::Url { .. } | Kind::PublicUrl(_) => "URL",
            Kind::Email(_) => "EMAIL",
            Kind::Number { unit: Unit::One, .. } => "N",
            Kind::Number { unit: Unit::Bytes, .. } => "BYTES",
            Kind::Filter(_) => "FILTER",
            Kind::Text { .. } | Kind::Texts { .. } => "TEXT",
            Kind::Switch(_) => "BOOL",
        }
    }

    /// Returns the meaning and the default, for the help of the flag.
    pub(crate) fn help(&self) -> String {
        let default = self.default.map_or_else(String::new, |default| format!(" [default: {default}]"));
        let (meaning, variable) = (self.meaning.replace('`', ""), self.variable());
        format!("{}{} [env: {variable}]{default}", meaning[..1].to_uppercase(), &meaning[1..])
    }

    /// Returns a sentence part about the values that the key may have.
    pub(super) fn expected(&self) -> String {
        let expected = match &self.kind {
            Kind::Folder(_) => "the path of a folder".to_owned(),
            Kind::File(_) => "the path of a file".to_owned(),
            Kind::Addresses(_) => "an IP address and a port such as 127.0.0.1:8200, or a list of them".to_owned(),
            Kind::Networks(_) => "IP addresses such as 10.0.0.1, or ranges of them such as 10.0.0.0/8".to_owned(),
            Kind::PublicUrl(_) => "a URL such as https://monitor.example/opbeat/".to_owned(),
            Kind::Email(_) => "an e-mail address such as opbeat@acme.example".to_owned(),
            Kind::Url { schemes, .. } => {
                let schemes: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}://HOST")).collect();
                format!("a URL such as {}", schemes.join(" or "))
            }
            Kind::Number { unit: Unit::One, range, .. } => {
                format!("a whole number from {} to {}", range.start(), range.end())
            }
            Kind::Number { unit: Unit::Bytes, range, .. } => {
                let (least, most) = (format_bytes(*range.start()), format_bytes(*range.end()));
                format!("a number of bytes, or a text such as \"64 MiB\", from {least} to {most}")
            }
            Kind::Filter(_) => "a filter of log lines such as info or opbeat_server=debug".to_owned(),
            Kind::Text { form, .. } => form.expected.to_owned(),
            Kind::Texts { form, .. } => format!("{}, or a list of them", form.expected),
            Kind::Switch(_) => "true or false".to_owned(),
        };
        if self.is_optional() { format!("{expected}, or \"{NONE}\"") } else { expected }
    }

    /// Returns a value as a mistake shows it. Values that may contain a password are omitted.
    pub(super) fn found(&self, raw: &Raw<'_>) -> String {
        match raw {
            Raw::Untyped(_) | Raw::Text(_) | Raw::Texts(_) if self.is_secret() => "(hidden)".to_owned(),
            Raw::Untyped(text) | Raw::Text(text) => format!("'{text}'"),
            Raw::Texts(texts) => format!("'{}'", texts.join(", ")),
            Raw::Switch(_) => "a boolean".to_owned(),
            Raw::Number(_, number) => number.clone(),
            Raw::Other(kind) => (*kind).to_owned(),
        }
    }

    /// Stores a value, and returns it as it is written in a file, with passwords hidden. `None` is an unset key.
    ///
    /// Paths are relative to `folder`.
    pub(super) fn set(&self, raw: &Raw<'_>, folder: &Path, to: &mut Settings) -> Result<Option<String>, WrongValue> {
        if self.is_optional() && matches!(raw, Raw::Untyped(NONE) | Raw::Text(NONE)) {
            self.unset(to);
            return Ok(None);
        }
        let shown = match &self.kind {
            Kind::Folder(set) => {
                let path = folder.join(text(raw)?);
                set(to, path.clone());
                shown(&path.to_string_lossy())
            }
            Kind::File(set) => {
                let path = folder.join(text(raw)?);
                set(to, Some(path.clone()));
                shown(&path.to_string_lossy())
            }
            Kind::Addresses(set) => {
                let list = list::<SocketAddr>(raw).filter(|list| !list.is_empty()).ok_or(WrongValue)?;
                set(to, list.clone());
                shown_list(&list)
            }
            Kind::Networks(set) => {
                let list = list::<Network>(raw).ok_or(WrongValue)?;
                set(to, list.clone());
                shown_list(&list)
            }
            Kind::Url { schemes, is_secret, set } => {
                let url = text(raw).ok().filter(|url| is_url(url, schemes, *is_secret)).ok_or(WrongValue)?;
                // A URL for people has no slash at its end, since paths are appended to it.
                let url = if *is_secret { url } else { url.trim_end_matches('/') };
                set(to, Some(url.to_owned()));
                if *is_secret { shown(&without_password(url)) } else { shown(url) }
            }
            Kind::PublicUrl(set) => {
                let url: PublicUrl = text(raw)?.parse().map_err(|_| WrongValue)?;
                set(to, Some(url.clone()));
                shown(&url.to_string())
            }
            Kind::Email(set) => {
                let email = names::email(text(raw)?).ok_or(WrongValue)?;
                set(to, Some(email.clone()));
                shown(&email)
            }
            Kind::Number { unit, range, set } => {
                let number = number(raw, *unit).filter(|number| range.contains(number)).ok_or(WrongValue)?;
                match set {
                    SetNumber::Always(set) => set(to, number),
                    SetNumber::Optional(set) => set(to, Some(number)),
                }
                if *unit == Unit::Bytes { shown(&format_bytes(number)) } else { number.to_string() }
            }
            Kind::Filter(set) => {
                let filter = text(raw)?;
                EnvFilter::builder().parse(filter).map_err(|_| WrongValue)?;
                set(to, filter.to_owned());
                shown(filter)
            }
            Kind::Text { form, is_secret, set } => {
                let text = text(raw).ok().filter(|text| (form.is_valid)(text)).ok_or(WrongValue)?;
                set(to, Some(text.to_owned()));
                if *is_secret { shown(HIDDEN) } else { shown(text) }
            }
            Kind::Texts { form, set } => {
                let list = list::<String>(raw).ok_or(WrongValue)?;
                if !list.iter().all(|text| (form.is_valid)(text)) {
                    return Err(WrongValue);
                }
                set(to, list.clone());
                shown_list(&list)
            }
            Kind::Switch(set) => {
                let value = match raw {
                    Raw::Switch(value) => *value,
                    Raw::Untyped(text) => text.parse().map_err(|_| WrongValue)?,
                    _ => return Err(WrongValue),
                };
                set(to, value);
                value.to_string()
            }
        };
        Ok(Some(shown))
    }

    /// Returns whether the key can be without a value.
    fn is_optional(&self) -> bool {
        self.default.is_none() || matches!(self.kind, Kind::Networks(_) | Kind::Texts { .. })
    }

    /// Makes an optional key have no value.
    fn unset(&self, to: &mut Settings) {
        match &self.kind {
            Kind::File(set) => set(to, None),
            Kind::Url { set, .. } => set(to, None),
            Kind::PublicUrl(set) => set(to, None),
            Kind::Email(set) => set(to, None),
            Kind::Networks(set) => set(to, Vec::new()),
            Kind::Text { set, .. } => set(to, None),
            Kind::Texts { set, .. } => set(to, Vec::new()),
            Kind::Number { set: SetNumber::Optional(set), .. } => set(to, None),
            // These always have a default.
            Kind::Folder(_) | Kind::Addresses(_) | Kind::Filter(_) | Kind::Number { .. } | Kind::Switch(_) => {}
        }
    }
}

fn text<'a>(raw: &Raw<'a>) -> Result<&'a str, WrongValue> {
    match raw {
        Raw::Untyped(text) | Raw::Text(text) if !text.is_empty() => Ok(text),
        _ => Err(WrongValue),
    }
}

/// Reads a list, which is separated by commas in variables and flags.
fn list<T: std::str::FromStr>(raw: &Raw<'_>) -> Option<Vec<T>> {
    let texts = match raw {
        Raw::Untyped(text) => text.split(',').map(str::trim).collect(),
        Raw::Text(text) => vec![*text],
        Raw::Texts(texts) => texts.clone(),
        Raw::Switch(_) | Raw::Number(..) | Raw::Other(_) => return None,
    };
    texts.into_iter().map(|text| text.parse().ok()).collect()
}

fn number(raw: &Raw<'_>, unit: Unit) -> Option<u64> {
    match raw {
        Raw::Number(number, _) => *number,
        Raw::Untyped(text) if unit == Unit::One => text.parse().ok(),
        Raw::Untyped(text) | Raw::Text(text) if unit == Unit::Bytes => parse_bytes(text),
        _ => None,
    }
}

/// Returns whether a text is a URL with one of the schemes. Only URLs with secrets may have more than a host and a path.
fn is_url(url: &str, schemes: &[&str], is_secret: bool) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\');
    let is_host_or_path = |c: char| c.is_ascii_alphanumeric() || "-_.~:[]/".contains(c);
    let has_host = is_secret || !rest.starts_with('/');
    schemes.contains(&scheme)
        && !rest.is_empty()
        && has_host
        && if is_secret { rest.chars().all(is_plain) } else { rest.chars().all(is_host_or_path) }
}

/// Returns a text as it is written in a file: strings of JSON are strings of TOML.
fn shown(text: &str) -> String {
    quoted(text).unwrap_or_default()
}

fn shown_list<T: ToString>(list: &[T]) -> String {
    let items: Vec<_> = list.iter().map(|item| shown(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}
