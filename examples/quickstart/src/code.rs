//! The code of the bookshop in a Git repository: two commits by two members.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};

use crate::BoxError;

/// The members who write the code: name and e-mail address.
pub(crate) const AUTHORS: [(&str, &str); 2] = [("Ada", "ada@example.com"), ("Grace", "grace@example.com")];

/// The folder of the shop in this project's repository, as frames of errors name it.
const FOLDER: &str = "examples/quickstart/src/shop";

/// The files that the second commit changed: name, text, a line, and the line in the first commit.
const CHANGED: [(&str, &str, &str, &str); 3] = [
    (
        "books.rs",
        include_str!("shop/books.rs"),
        "        in_span(\"rank\", \"code.rank\", tokio::time::sleep(Duration::from_millis(4))).await;\n",
        "",
    ),
    (
        "orders.rs",
        include_str!("shop/orders.rs"),
        "    if number.is_multiple_of(9) { Err(PaymentError::Timeout) } else { Ok(()) }\n",
        "    Ok(drop(number))\n",
    ),
    (
        "recommendations.rs",
        include_str!("shop/recommendations.rs"),
        "    BEST[reader]\n",
        "    BEST.get(reader).unwrap_or(&BEST[0])\n",
    ),
];

/// The files that stayed the same.
const UNCHANGED: [(&str, &str); 3] = [
    ("catalogue.rs", include_str!("shop/catalogue.rs")),
    ("mod.rs", include_str!("shop/mod.rs")),
    ("newsletter.rs", include_str!("shop/newsletter.rs")),
];

/// A repository.
pub(crate) struct Code {
    folder: PathBuf,
    /// The hashes of both commits.
    pub(crate) revisions: [String; 2],
}

/// Returns the file and the number of the line that made the search slower.
pub(crate) fn slower_line() -> (String, usize) {
    let (name, text, line, _) = CHANGED[0];
    let above = text.split(line).next().unwrap_or_default();
    (format!("{FOLDER}/{name}"), above.matches('\n').count() + 1)
}

impl Code {
    /// Makes a repository whose commits were made before two times. Fails if the command `git` is not installed.
    pub(crate) fn commit(folder: PathBuf, released: [Timestamp; 2]) -> Result<Self, BoxError> {
        let path = folder.as_path();
        let shop = path.join(FOLDER);
        fs::create_dir_all(&shop)?;
        git(path, AUTHORS[0], released[0], &["init", "--quiet", "--initial-branch=main"])?;
        for (name, text) in UNCHANGED {
            fs::write(shop.join(name), text)?;
        }
        for (name, text, line, before) in CHANGED {
            if !text.contains(line) {
                return Err(format!("{name} has no line {line:?}, which the second commit writes").into());
            }
            fs::write(shop.join(name), text.replacen(line, before, 1))?;
        }
        let first = commit(path, AUTHORS[0], released[0], "The bookshop opens")?;
        for (name, text, ..) in CHANGED {
            fs::write(shop.join(name), text)?;
        }
        let message = "Rank the books of a search, recommend the best, fixes #12";
        let second = commit(path, AUTHORS[1], released[1], message)?;
        Ok(Self { folder, revisions: [first, second] })
    }

    pub(crate) fn path(&self) -> Result<&str, &'static str> {
        self.folder.to_str().ok_or("the path of the data folder is not UTF-8")
    }
}

/// Commits all files half an hour before a time. Returns the hash.
fn commit(folder: &Path, author: (&str, &str), released: Timestamp, message: &str) -> Result<String, BoxError> {
    let time = released - SignedDuration::from_mins(30);
    git(folder, author, time, &["add", "--all"])?;
    git(folder, author, time, &["commit", "--quiet", "--message", message])?;
    git(folder, author, time, &["rev-parse", "HEAD"])
}

/// Runs `git` without the settings of this machine. Returns what it printed.
fn git(folder: &Path, (name, email): (&str, &str), time: Timestamp, arguments: &[&str]) -> Result<String, BoxError> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", folder.join("no-config"));
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), email);
        command.env(format!("GIT_{role}_DATE"), format!("@{} +0000", time.as_second()));
    }
    let output = command.output().map_err(|error| format!("the command git does not start: {error}"))?;
    if !output.status.success() {
        let reason: Box<dyn Error + Send + Sync> = String::from_utf8_lossy(&output.stderr).into();
        return Err(format!("git {arguments:?} failed: {reason}").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
