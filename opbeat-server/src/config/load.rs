//! Reads all sources of the configuration, each over the one before.

use std::path::{Path, PathBuf};

use super::contradictions;
use super::file::{self, Value};
use super::key::{Key, Raw};
use super::keys::KEYS;
use super::loaded::{Loaded, Source};
use super::mistake::{Mistake, Mistakes, Origin};
use super::settings::{Purpose, Settings};
use super::suggest::similar;
use super::variables::Variables;

/// The variable with the path of the file.
const FILE_VARIABLE: &str = "OPBEAT_CONFIG";

/// The name of the file in the data folder.
const FILE_NAME: &str = "opbeat.toml";

/// The flags of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The path of the file.
    pub(crate) config: Option<PathBuf>,
    /// The keys that flags set. A list is separated by commas.
    pub(crate) values: Vec<(&'static Key, String)>,
}

/// Reads the configuration from its file, the variables and the flags.
///
/// Returns all mistakes, if there is one.
pub(crate) fn load(purpose: Purpose, flags: &Flags, variables: &Variables) -> Result<Loaded, Mistakes> {
    let mut loading = Loading::new(purpose);
    loading.file(flags, variables);
    loading.variables(variables);
    for (key, value) in &flags.values {
        loading.set(key, &Raw::Untyped(value), Path::new(""), Origin::Flag(format!("--{}", key.flag())));
    }
    contradictions::check(purpose, &mut loading.loaded, &mut loading.mistakes);
    if loading.mistakes.is_empty() { Ok(loading.loaded) } else { Err(Mistakes(loading.mistakes)) }
}

struct Loading {
    loaded: Loaded,
    mistakes: Vec<Mistake>,
}

impl Loading {
    fn new(purpose: Purpose) -> Self {
        let source = |key: &'static Key| Source { key, value: None, origin: Origin::Default };
        let sources = KEYS.iter().map(source).collect();
        let mut loading = Self { loaded: Loaded { settings: Settings::new(purpose), sources }, mistakes: Vec::new() };
        for key in &KEYS {
            if let Some(default) = key.default {
                loading.set(key, &Raw::Untyped(default), Path::new(""), Origin::Default);
            }
        }
        loading
    }

    fn file(&mut self, flags: &Flags, variables: &Variables) {
        let Some(path) = self.path(flags, variables) else { return };
        let text = match file::read(&path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read the configuration {}: {error}", path.display());
                return self.mistake(Origin::Default, message);
            }
        };
        let entries = file::entries(&path, &text);
        self.mistakes.extend(entries.mistakes);
        let folder = path.parent().unwrap_or(Path::new(""));
        for (key, value, origin) in entries.values {
            self.set(key, &Value::raw(&value), folder, origin);
        }
        let line = |mistake: &Mistake| if let Origin::File { line, .. } = mistake.origin { line } else { 0 };
        self.mistakes.sort_by_key(line);
    }

    /// Returns the path of the file: the given one, or the one in the data folder if it exists.
    fn path(&mut self, flags: &Flags, variables: &Variables) -> Option<PathBuf> {
        if let Some(path) = &flags.config {
            return Some(path.clone());
        }
        match variables.get(FILE_VARIABLE) {
            Some(Some(path)) => return Some(PathBuf::from(path)),
            Some(None) => self.mistake(Origin::Variable(FILE_VARIABLE.to_owned()), not_utf8(FILE_VARIABLE)),
            None => {}
        }
        let data = KEYS.iter().find(|key| key.name == "data")?;
        let flag = flags.values.iter().find(|(key, _)| key.name == data.name).map(|(_, value)| value.as_str());
        let variable = variables.get(&data.variable()).flatten();
        let path = Path::new(flag.or(variable).or(data.default)?).join(FILE_NAME);
        path.exists().then_some(path)
    }

    fn variables(&mut self, variables: &Variables) {
        for key in &KEYS {
            let name = key.variable();
            let other = key.other_variable.map(str::to_owned);
            for name in other.into_iter().chain([name.clone()]) {
                match variables.get(&name) {
                    Some(Some(value)) => {
                        self.set(key, &Raw::Untyped(value), Path::new(""), Origin::Variable(name.clone()));
                    }
                    Some(None) => self.mistake(Origin::Variable(name.clone()), not_utf8(&name)),
                    None => {}
                }
            }
            let file = key.file_variable().and_then(|name| Some((variables.get(&name)??.to_owned(), name)));
            if let Some((path, file_variable)) = file {
                self.secret_file(key, Path::new(&path), &file_variable, variables.get(&name).is_some());
            }
        }
        self.unknown_variables(variables);
    }

    /// Sets a key to the content of a file, which a variable names.
    fn secret_file(&mut self, key: &'static Key, path: &Path, variable: &str, is_set: bool) {
        let origin = Origin::Variable(variable.to_owned());
        if is_set {
            let message = format!("'{variable}' and '{}' are both set; set one of them", key.variable());
            return self.mistake(origin, message);
        }
        match file::read(path) {
            Ok(text) => self.set(key, &Raw::Untyped(text.trim()), Path::new(""), origin),
            Err(error) => self.mistake(origin, format!("cannot read the file {}: {error}", path.display())),
        }
    }

    /// Reports variables with the prefix of a table that belong to no key. Other variables may be of agents.
    fn unknown_variables(&mut self, variables: &Variables) {
        let names = |key: &Key| [Some(key.variable()), key.other_variable.map(str::to_owned), key.file_variable()];
        let known: Vec<String> = KEYS.iter().flat_map(names).flatten().collect();
        let tables = KEYS.iter().filter_map(|key| key.name.split_once('.'));
        let prefixes: Vec<_> = tables.map(|(table, _)| format!("OPBEAT_{}_", table.to_ascii_uppercase())).collect();
        let is_unknown = |name: &&str| {
            prefixes.iter().any(|prefix| name.starts_with(prefix)) && !known.iter().any(|known| known == name)
        };
        for name in variables.names().filter(is_unknown) {
            let hint = similar(name, known.iter().map(String::as_str));
            let hint = hint.map_or("remove it".to_owned(), |similar| format!("expected '{similar}'"));
            self.mistake(Origin::Variable(name.to_owned()), format!("unknown variable '{name}': {hint}"));
        }
    }

    /// Sets a key. `folder` is the one that paths are relative to.
    fn set(&mut self, key: &'static Key, raw: &Raw<'_>, folder: &Path, origin: Origin) {
        match key.set(raw, folder, &mut self.loaded.settings) {
            Ok(value) => {
                if let Some(source) = self.loaded.sources.iter_mut().find(|source| source.key.name == key.name) {
                    *source = Source { key, value, origin };
                }
            }
            Err(_) => {
                let name = match &origin {
                    Origin::Default | Origin::File { .. } => key.name.to_owned(),
                    Origin::Variable(name) | Origin::Flag(name) => name.clone(),
                };
                let (found, expected) = (key.found(raw), key.expected());
                self.mistake(origin, format!("invalid value {found} for '{name}': expected {expected}"));
            }
        }
    }

    fn mistake(&mut self, origin: Origin, message: String) {
        self.mistakes.push(Mistake { origin, message });
    }
}

fn not_utf8(name: &str) -> String {
    format!("the value of '{name}' is not UTF-8")
}
