//! People: several mail addresses of one person, and programs that commit.

use std::collections::HashMap;

use gix::bstr::ByteSlice;

use crate::error::clip;
use crate::objects::CommitText;

/// The characters of a name or an address that are kept.
const LENGTH: usize = 200;

/// The author of a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Person {
    /// The name, at most 200 characters.
    pub name: String,
    /// The mail address, at most 200 characters. It may be empty: a commit can lack one.
    pub mail: String,
}

impl Person {
    /// Creates a person.
    #[must_use]
    pub fn new(name: &str, mail: &str) -> Self {
        Self { name: clip(name.trim(), LENGTH), mail: clip(mail.trim(), LENGTH) }
    }

    /// Whether this is a program: Dependabot, Renovate, GitHub Actions, or any name that ends with `[bot]`.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        const NAMES: [&str; 8] = [
            "dependabot",
            "dependabot-preview",
            "github-actions",
            "gitlab-bot",
            "greenkeeper",
            "pre-commit-ci",
            "renovate",
            "renovate-bot",
        ];
        let name = self.name.to_lowercase().replace(' ', "-");
        let mail = self.mail.to_lowercase();
        let (user, host) = mail.split_once('@').unwrap_or((&mail, ""));
        // GitHub puts the number of the account before the name.
        let user = if host == "users.noreply.github.com" { user.rsplit('+').next().unwrap_or_default() } else { user };
        [name.as_str(), user].iter().any(|name| name.ends_with("[bot]") || NAMES.contains(name))
            || mail == "bot@renovateapp.com"
            || mail == "support@dependabot.com"
    }
}

/// The mail addresses that belong to one person. Addresses are compared without regard to case.
///
/// `.mailmap` of the repository is applied first, and then these aliases.
#[derive(Clone, Debug, Default)]
pub struct People {
    by_mail: HashMap<String, Person>,
}

impl People {
    /// Creates an empty list: every address is a person of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a person with further addresses. An address that is already known stays with its person.
    #[must_use]
    pub fn with<'a>(mut self, person: &'a Person, aliases: impl IntoIterator<Item = &'a str>) -> Self {
        for mail in std::iter::once(person.mail.as_str()).chain(aliases) {
            self.by_mail.entry(mail.trim().to_lowercase()).or_insert_with(|| person.clone());
        }
        self
    }

    /// Returns the person with this address, or the given one.
    #[must_use]
    pub fn resolve(&self, person: Person) -> Person {
        self.by_mail.get(&person.mail.to_lowercase()).cloned().unwrap_or(person)
    }
}

/// The names of a `.mailmap`.
#[derive(Debug, Default)]
pub(crate) struct Mailmap(gix::mailmap::Snapshot);

impl Mailmap {
    pub(crate) fn new(text: &[u8]) -> Self {
        Self(gix::mailmap::Snapshot::from_bytes(text))
    }

    pub(crate) fn author(&self, commit: &CommitText) -> Person {
        let signature =
            gix::actor::SignatureRef { name: commit.name.as_bstr(), email: commit.mail.as_bstr(), time: "0 +0000" };
        let resolved = self.0.resolve_cow(signature);
        Person::new(&resolved.name.to_str_lossy(), &resolved.email.to_str_lossy())
    }
}
