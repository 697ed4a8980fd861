//! A browser, and the people who use it.

use std::cell::RefCell;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

/// A Chromium with its driver. Dropping it ends both.
pub(crate) struct Chromium {
    driver: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A person with cookies of their own.
pub(crate) struct Visitor {
    chromium: Rc<RefCell<Chromium>>,
    name: &'static str,
    /// The URL of the server.
    server: String,
    findings: RefCell<Vec<String>>,
}

#[derive(Deserialize)]
struct Answer {
    value: Option<Value>,
    error: Option<String>,
}

/// Returns the path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walk")
}

/// Returns the folder of the installed packages. The first call installs what is missing, which needs the registry of npm.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("walk");
        let status = Command::new("bash").arg(sources().join("install.sh")).arg(&folder).status().unwrap();
        assert!(status.success(), "opbeat-server/tests/walk/install.sh failed");
        folder
    })
}

impl Chromium {
    pub(crate) fn start() -> Rc<RefCell<Self>> {
        let mut command = Command::new("node");
        command.arg(sources().join("driver.js")).arg(find("chromium").unwrap());
        command.env("NODE_PATH", installed().join("node_modules")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut driver = command.spawn().unwrap();
        let (commands, answers) = (driver.stdin.take(), BufReader::new(driver.stdout.take().unwrap()));
        Rc::new(RefCell::new(Self { driver, commands, answers }))
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Answer = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(answer.error, None, "{command}");
        answer.value.unwrap_or_default()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends with its input, and ends the browser.
        drop(self.commands.take());
        let _ = self.driver.wait();
    }
}

impl Visitor {
    pub(crate) fn new(chromium: &Rc<RefCell<Chromium>>, name: &'static str, server: &str) -> Self {
        Self { chromium: Rc::clone(chromium), name, server: server.to_owned(), findings: RefCell::default() }
    }

    fn ask(&self, command: &str, mut arguments: Value) -> Value {
        arguments["command"] = command.into();
        arguments["as"] = self.name.into();
        self.chromium.borrow_mut().ask(&arguments)
    }

    /// Opens a path of the server, or a whole link. Returns the status.
    pub(crate) fn open(&self, path: &str) -> u64 {
        let url = if path.starts_with('/') { format!("{}{path}", self.server) } else { path.to_owned() };
        self.ask("open", json!({"url": url}))["status"].as_u64().unwrap()
    }

    /// Writes into the field with a label, or chooses the option whose text starts with `value`.
    pub(crate) fn fill(&self, label: &str, value: &str) {
        self.ask("fill", json!({"label": label, "value": value}));
    }

    /// Presses Enter on a link or button. Returns the path of the page that it leads to.
    pub(crate) fn press(&self, text: &str) -> String {
        let answer = self.ask("press", json!({"text": text}));
        answer["url"].as_str().unwrap().strip_prefix(&self.server).unwrap().to_owned()
    }

    /// Follows the first link that a selector finds.
    pub(crate) fn follow(&self, selector: &str) {
        self.ask("follow", json!({"selector": selector}));
    }

    /// Returns the text of the page.
    pub(crate) fn text(&self) -> String {
        self.ask("text", json!({})).as_str().unwrap().to_owned()
    }

    /// Fails unless the page contains all of some texts.
    pub(crate) fn sees(&self, texts: &[&str]) {
        let page = self.text();
        for text in texts {
            assert!(page.contains(text), "{} sees no {text:?}: {page}", self.name);
        }
    }

    /// Returns the text of the element that a selector finds, with its line breaks.
    pub(crate) fn copy(&self, selector: &str) -> String {
        self.ask("block", json!({"selector": selector})).as_str().unwrap().to_owned()
    }

    /// Returns how often the visitor's page was loaded.
    pub(crate) fn loads(&self) -> u64 {
        self.ask("loads", json!({})).as_u64().unwrap()
    }

    /// Waits until the page was loaded more often, by itself.
    pub(crate) fn wait_for_load(&self, after: u64) -> u64 {
        self.ask("loaded", json!({"after": after})).as_u64().unwrap()
    }

    /// Audits the page. The walk fails at its end, so that one run shows all findings.
    pub(crate) fn audit(&self, name: &str) {
        let screenshots = env::var("OPBEAT_WALK_SCREENSHOTS").ok().filter(|folder| !folder.is_empty());
        self.keep(&self.ask("audit", json!({"name": name, "screenshots": screenshots})));
    }

    /// Opens a page, looks for texts, and audits it.
    pub(crate) fn visit(&self, path: &str, name: &str, texts: &[&str]) {
        assert_eq!(self.open(path), 200, "{path}");
        self.sees(texts);
        self.audit(name);
    }

    /// Reaches everything on the page by keyboard.
    pub(crate) fn tab_through(&self) {
        self.keep(&self.ask("keyboard", json!({})));
    }

    fn keep(&self, findings: &Value) {
        let findings = findings.as_array().unwrap().iter().map(|finding| finding.as_str().unwrap().to_owned());
        self.findings.borrow_mut().extend(findings);
    }

    /// Returns what was wrong with the pages.
    fn findings(&self) -> Vec<String> {
        self.keep(&self.ask("complaints", json!({})));
        self.findings.take()
    }
}

/// Fails if something was wrong with a page of a visitor.
pub(crate) fn assert_nothing_found(visitors: &[Visitor]) {
    let findings: Vec<String> = visitors.iter().flat_map(Visitor::findings).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
