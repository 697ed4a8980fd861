//! The user that an error happened to.

use opbeat_secrets::REDACTED;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::changes::{ErrorUser, UserKey, UserNames};
use crate::text::start_of;

/// The maximum length of each name, in characters. Longer ones are cut where they are shown, and count as they are.
const MAX_NAME: usize = 200;

/// Returns the user of a report whose secrets are removed. A user without an id, an e-mail address and a login name is
/// anonymous, and not counted: an address of the network is that of many people, or one of many of one person.
pub(super) fn user(report: &Map<String, Value>) -> Option<ErrorUser> {
    let name = |field: &str| text(report.get(field)?);
    let (id, username, email) = (name("id"), name("username"), name("email"));
    let identity = [("id", &id), ("email", &email), ("username", &username)];
    let key = identity.into_iter().find_map(|(field, name)| Some(key(field, name.as_deref()?)))?;
    let names = [id, username, email];
    let [id, username, email] = names.map(|name| start_of(&name.unwrap_or_default(), MAX_NAME).to_owned());
    Some(ErrorUser { key, names: UserNames { id, username, email } })
}

/// Returns a name, unless it is empty or a secret that was removed: many users would have the same one.
fn text(value: &Value) -> Option<String> {
    let name = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!name.is_empty() && !name.contains(REDACTED)).then_some(name)
}

/// Returns the key of a user. The same text as an id and as a login name are two users.
fn key(field: &str, name: &str) -> UserKey {
    let hash: [u8; 32] = Sha256::new().chain_update(field).chain_update([0]).chain_update(name).finalize().into();
    let (start, _) = hash.split_at(size_of::<UserKey>());
    start.try_into().expect("a hash is longer than a key")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(report: &Value) -> Option<ErrorUser> {
        user(report.as_object().unwrap())
    }

    #[test]
    fn users_are_known_by_their_id_then_their_address_then_their_name() {
        let ada =
            of(&json!({"id": 7, "username": "ada", "email": "ada@acme.example", "is_authenticated": true})).unwrap();
        let names = UserNames { id: "7".to_owned(), username: "ada".to_owned(), email: "ada@acme.example".to_owned() };
        assert_eq!(ada.names, names);
        assert_eq!(ada.key, of(&json!({"id": "7", "email": "new@acme.example"})).unwrap().key);
        assert_ne!(ada.key, of(&json!({"username": "7"})).unwrap().key);
        let by_address = of(&json!({"username": "a", "email": "ada@acme.example"})).unwrap();
        assert_eq!(by_address.key, of(&json!({"username": "b", "email": "ada@acme.example"})).unwrap().key);
    }

    #[test]
    fn anonymous_users_are_not_counted() {
        let anonymous = [
            json!({}),
            json!({"is_authenticated": false}),
            json!({"id": null, "username": "", "email": "  "}),
            json!({"ip_address": "192.0.2.7"}),
            json!({"id": {"nested": 1}}),
            json!({"id": REDACTED}),
        ];
        for report in anonymous {
            assert_eq!(of(&report), None, "{report}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let long = |end: &str| of(&json!({"id": format!("{}{end}", "x".repeat(500))})).unwrap();
        assert_eq!(long("a").names.id.len(), MAX_NAME);
        assert_ne!(long("a").key, long("b").key);
    }
}
