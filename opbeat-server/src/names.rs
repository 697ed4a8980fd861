//! Names that people choose: of organizations, apps, persons and teams, and e-mail addresses.

use crate::site::OWN_PATHS;

/// The segments after an organization's name that its own pages have. No app can have one of them as its name.
pub(crate) const ORGANIZATION_PATHS: [&str; 1] = ["people"];

/// The longest name of a person or a team, in characters.
pub(crate) const MAX_NAME: usize = 100;

/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

/// An invalid name of an organization or app.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid name; use 1 to 64 lower-case letters, digits and dashes, as in `acme/shop`")]
pub struct NameError(pub String);

/// Checks the name of an organization, or an id. Names are parts of URLs and are printed for shells, so few characters are
/// valid.
pub(crate) fn check_name(name: &str) -> Result<(), NameError> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = (1..=64).contains(&name.len()) && name.chars().all(is_allowed) && !OWN_PATHS.contains(&name);
    if is_name { Ok(()) } else { Err(NameError(name.to_owned())) }
}

/// Checks the name of an app, which differs from the pages of its organization.
pub(crate) fn check_app_name(name: &str) -> Result<(), NameError> {
    check_name(name)?;
    if ORGANIZATION_PATHS.contains(&name) { Err(NameError(name.to_owned())) } else { Ok(()) }
}

/// Returns the name of a person or a team without spaces around it, or `None` if it is empty, too long or has control
/// characters.
pub(crate) fn name_of_person(name: &str) -> Option<String> {
    let name = name.trim();
    let is_name = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    is_name.then(|| name.to_owned())
}

/// Returns an e-mail address in lower case, or `None` if it cannot be one.
///
/// Only a message to the address shows whether somebody reads it. Characters that would be special in lists, headers or
/// tables are refused.
pub(crate) fn email(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let is_special = |c: char| c.is_whitespace() || c.is_control() || "<>\"(),:;\\[]".contains(c);
    let (local, domain) = email.rsplit_once('@')?;
    let is_email = email.len() <= MAX_EMAIL
        && !local.is_empty()
        && !domain.is_empty()
        && !local.contains('@')
        && !email.contains(is_special);
    is_email.then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(email(" Ana@Acme.Example\n").as_deref(), Some("ana@acme.example"));
        for wrong in ["", "ana", "@acme", "ana@", "a b@c", "a@b@c", "Ana <ana@acme>", "a@b,c@d", &"a".repeat(300)] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn apps_differ_from_pages() {
        assert!(check_name("people").is_ok() && check_app_name("shop").is_ok());
        assert!(check_app_name("people").is_err() && check_name("sign-in").is_err());
    }
}
