//! The forms of texts that keys have.

use axum::http::Uri;

use super::key::TextForm;
use crate::names;
use crate::openid_connect::is_allowed;
use crate::role::Role;

/// The longest text, in bytes.
const MAX: usize = 2_048;

/// The URL of a provider of OpenID Connect. It is kept as it is: a slash at its end is a part of it.
pub(super) static ISSUER: TextForm = TextForm {
    expected: "a URL such as https://login.acme.example without a query string; http:// is for this machine",
    is_valid: |text| {
        let is_plain = text.len() <= MAX && !text.contains(['?', '#', '@']);
        is_plain && text.parse().is_ok_and(|uri: Uri| is_allowed(&uri))
    },
};

/// A text that a provider issues.
pub(super) static VISIBLE: TextForm = TextForm {
    expected: "a text of visible ASCII characters",
    is_valid: |text| text.len() <= MAX && text.bytes().all(|byte| byte.is_ascii_graphic()),
};

/// A name on a page.
pub(super) static NAME: TextForm =
    TextForm { expected: "a name of at most 100 characters", is_valid: |text| names::name_of_person(text).is_some() };

/// A domain of e-mail addresses, in lower case.
pub(super) static DOMAIN: TextForm = TextForm {
    expected: "a domain in lower case such as acme.example",
    is_valid: |text| !text.contains('@') && names::email(&format!("a@{text}")) == Some(format!("a@{text}")),
};

/// The short name of an organization.
pub(super) static ORGANIZATION: TextForm = TextForm {
    expected: "the short name of an organization such as acme",
    is_valid: |text| names::check_name(text).is_ok(),
};

/// The role of a person.
pub(super) static ROLE: TextForm =
    TextForm { expected: "reader, member or admin", is_valid: |text| Role::parse(text).is_some() };
