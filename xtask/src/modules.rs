//! Finds the modules of a crate: their files, their imports, and the paths in their code.

use std::collections::{BTreeMap, BTreeSet};

use crate::Source;
use crate::lexer::{Lexed, lex, test_items};

/// The position of a module in [`Modules`].
pub(crate) type Id = usize;

/// All modules of a crate, the root first. Items that only tests compile are left out.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) all: Vec<Module>,
}

/// A module: a file, or a `mod name { … }` within one.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) parent: Option<Id>,
    /// The path of the file that it is in.
    pub(crate) file: String,
    pub(crate) children: BTreeMap<String, Id>,
    pub(crate) uses: Vec<Use>,
    /// The paths of several segments outside of `use`.
    pub(crate) paths: Vec<Path>,
    /// The words of its code outside of `use`.
    pub(crate) words: BTreeSet<String>,
    /// The names of the items that it defines.
    pub(crate) defined: BTreeSet<String>,
    /// The names of the traits that it defines.
    pub(crate) traits: BTreeSet<String>,
    /// The names that it makes public without a restriction: of items, modules and re-exports.
    pub(crate) exported: BTreeSet<String>,
}

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) path: Path,
    /// The name that it has here, or `*`.
    pub(crate) alias: String,
    pub(crate) is_public: bool,
}

/// A path such as `super::name::Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    /// The line, from 1.
    pub(crate) line: usize,
}

impl Modules {
    /// Returns the modules of the crate whose root is a file such as `opbeat-core/src/lib.rs`.
    pub(crate) fn of(sources: &[Source], root: &str) -> Self {
        let mut modules = Self::default();
        modules.add_file(sources, root, None);
        modules
    }

    /// Adds the module that is in a file, and those below it.
    fn add_file(&mut self, sources: &[Source], file: &str, parent: Option<Id>) -> Option<Id> {
        let source = sources.iter().find(|source| source.path == file)?;
        let code = code(lex(&source.text));
        let id = self.add(file, parent);
        let mut reader = Reader { tokens: tokens(&code), at: 0, sources };
        reader.module(self, id);
        Some(id)
    }

    fn add(&mut self, file: &str, parent: Option<Id>) -> Id {
        self.all.push(Module { parent, file: file.to_owned(), ..Module::default() });
        self.all.len() - 1
    }
}

/// Returns the code without test items, and with the paths that attributes have as strings (`with = "a::b"`).
fn code(lexed: Lexed) -> String {
    let Lexed { literals, mut code, .. } = lexed;
    for literal in literals {
        let is_path = literal.text.contains("::") && literal.text.chars().all(|c| is_word(c) || c == ':');
        if is_path && ["with = ", "default = ", "if = "].iter().any(|key| code[..literal.offset].ends_with(key)) {
            // The quotes go too: they would end the path.
            code.replace_range(literal.offset..literal.offset + literal.text.len() + 2, &format!(" {} ", literal.text));
        }
    }
    for test in test_items(&code) {
        let blank: String = code[test.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        // Only names can be longer than one byte, and the lines are what counts.
        code.replace_range(test.clone(), &format!("{blank:width$}", width = test.len()));
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word, `::`, or another character.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            tokens.push(Token { text: &rest[..length], line });
        }
        rest = &rest[length..];
    }
    tokens
}

/// Reads the tokens of one file.
struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    sources: &'a [Source],
}

impl Reader<'_> {
    /// Returns the text of the token that is `ahead` of the current one, or nothing at the end.
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    /// Reads a module up to its closing brace, or up to the end of the file.
    fn module(&mut self, modules: &mut Modules, id: Id) {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match (self.peek(0), self.peek(2)) {
                ("{", _) => depth += 1,
                ("}", _) if depth == 0 => return,
                ("}", _) => depth -= 1,
                ("mod", ";" | "{") => {
                    self.child(modules, id);
                    continue;
                }
                ("use", _) if self.peek(1) != "<" => {
                    self.use_item(modules, id);
                    continue;
                }
                // The scope of `pub(in …)` is no import.
                ("pub", _) if self.peek(1) == "(" => self.skip_to(")"),
                ("pub", name) if depth == 0 && self.peek(1) != "use" => {
                    let name = name.to_owned();
                    modules.all[id].exported.insert(name);
                }
                _ => self.word(&mut modules.all[id]),
            }
            self.at += 1;
        }
    }

    fn skip_to(&mut self, text: &str) {
        while self.at < self.tokens.len() && self.peek(0) != text {
            self.at += 1;
        }
    }

    /// Reads `mod name;` or `mod name { … }`.
    fn child(&mut self, modules: &mut Modules, parent: Id) {
        let name = self.peek(1).to_owned();
        let is_inline = self.peek(2) == "{";
        self.at += 3;
        let file = modules.all[parent].file.clone();
        let child = if is_inline {
            let child = modules.add(&file, Some(parent));
            self.module(modules, child);
            self.at += 1;
            Some(child)
        } else {
            let mut files = child_files(&file, &name).into_iter();
            files.find_map(|file| modules.add_file(self.sources, &file, Some(parent)))
        };
        modules.all[parent].children.extend(child.map(|child| (name, child)));
    }

    fn use_item(&mut self, modules: &mut Modules, id: Id) {
        let is_public = self.is_public();
        let is_exported = self.at > 0 && self.tokens[self.at - 1].text == "pub";
        let line = self.tokens[self.at].line;
        self.at += 1;
        let mut found = Vec::new();
        self.use_tree(&[], &mut found);
        self.skip_to(";");
        if is_exported {
            modules.all[id].exported.extend(found.iter().map(|(_, alias)| alias.clone()));
        }
        let uses = found.into_iter().map(|(segments, alias)| Use { path: Path { segments, line }, alias, is_public });
        modules.all[id].uses.extend(uses);
    }

    /// Returns whether the current word follows `pub` or `pub(…)`.
    fn is_public(&self) -> bool {
        let mut before = self.tokens[..self.at].iter().rev().map(|token| token.text);
        match before.next() {
            Some("pub") => true,
            Some(")") => before.find(|text| *text == "(").and_then(|_| before.next()) == Some("pub"),
            _ => false,
        }
    }

    /// Reads one branch of a `use`, up to its comma or closing brace.
    fn use_tree(&mut self, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
        let mut segments = before.to_vec();
        loop {
            match self.peek(0) {
                "{" => {
                    self.at += 1;
                    while !["}", ";", ""].contains(&self.peek(0)) {
                        self.use_tree(&segments, found);
                        self.at += usize::from(self.peek(0) == ",");
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    found.push((segments, "*".to_owned()));
                    return;
                }
                "as" => {
                    found.push((segments, self.peek(1).to_owned()));
                    self.at += 2;
                    return;
                }
                "," | "}" | ";" | "" => {
                    let alias = segments.last().cloned().unwrap_or_default();
                    found.push((segments, alias));
                    return;
                }
                // `a::{self, b}` names `a`.
                "self" if !segments.is_empty() => self.at += 1,
                text => {
                    segments.extend((text != "::").then(|| text.to_owned()));
                    self.at += 1;
                }
            }
        }
    }

    /// Reads a word of code: the start of a path, or a definition.
    fn word(&mut self, module: &mut Module) {
        let text = self.peek(0).to_owned();
        if !text.starts_with(is_word) {
            return;
        }
        let follows = self.at.checked_sub(1).map_or("", |before| self.tokens[before].text);
        if ["fn", "struct", "enum", "trait", "const", "static", "type", "union", "!"].contains(&follows) {
            module.defined.insert(text.clone());
        }
        if follows == "trait" {
            module.traits.insert(text.clone());
        }
        if follows != "::" && follows != "." {
            let segments = self.path();
            if segments.len() > 1 {
                module.paths.push(Path { segments, line: self.tokens[self.at].line });
            }
        }
        module.words.insert(text);
    }

    /// Returns the segments of the path that begins here.
    fn path(&self) -> Vec<String> {
        let mut segments = vec![self.peek(0).to_owned()];
        let mut ahead = 1;
        while self.peek(ahead) == "::" && self.peek(ahead + 1).starts_with(is_word) {
            segments.push(self.peek(ahead + 1).to_owned());
            ahead += 2;
        }
        segments
    }
}

/// Returns the files that `mod name;` can mean in a file.
fn child_files(file: &str, name: &str) -> [String; 2] {
    let folder = folder_of_children(file);
    [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
}

fn folder_of_children(file: &str) -> &str {
    let is_root = ["/lib.rs", "/main.rs", "/mod.rs"].iter().any(|name| file.ends_with(name));
    if is_root { file.rsplit_once('/').map_or("", |(folder, _)| folder) } else { file.trim_end_matches(".rs") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Modules {
        let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        Modules::of(&[source("a/src/lib.rs", text), source("a/src/b/mod.rs", "pub fn f() {}")], "a/src/lib.rs")
    }

    #[test]
    fn modules_are_files_or_inline() {
        let modules = read("mod b;\nmod c { fn g() {} }\n#[cfg(test)]\nmod d {}\nmod missing;\n");
        let children: Vec<&String> = modules.all[0].children.keys().collect();
        assert_eq!(children, ["b", "c"]);
        assert_eq!(modules.all[1].file, "a/src/b/mod.rs");
        assert_eq!(modules.all[2].file, "a/src/lib.rs");
        assert!(modules.all[2].defined.contains("g"));
    }

    #[test]
    fn a_use_is_split_into_its_names() {
        let modules = read("pub(crate) use a::{self, b::{C as D, E}, f::*};\nuse super::g;\n");
        let uses: Vec<String> = modules.all[0]
            .uses
            .iter()
            .map(|found| format!("{} {} {}", found.path.segments.join("::"), found.alias, found.is_public))
            .collect();
        assert_eq!(uses, ["a a true", "a::b::C D true", "a::b::E E true", "a::f * true", "super::g g false"]);
    }

    #[test]
    fn public_items_modules_and_re_exports_are_exported() {
        let text = "pub mod b;\npub(crate) mod c {}\npub use b::{D, e as f};\nuse b::G;\npub struct H { pub i: u8 }\n";
        let modules = read(text);
        let exported: Vec<&str> = modules.all[0].exported.iter().map(String::as_str).collect();
        assert_eq!(exported, ["D", "H", "b", "f"]);
    }

    #[test]
    fn paths_of_code_and_of_attributes_are_found() {
        let text =
            "#[serde(with = \"b::c\")]\npub(in super::x) struct S;\nfn f() { crate::g::<T>(a.b); h(\"i::j\") }\n";
        let paths: Vec<String> = read(text).all[0].paths.iter().map(|path| path.segments.join("::")).collect();
        assert_eq!(paths, ["b::c", "crate::g"]);
    }
}
