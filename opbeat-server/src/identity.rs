//! The account of a person at a provider of OpenID Connect, and the rules by which its people come in. It is plain data.

use crate::role::Role;

/// The longest text that identifies an account, in characters (OpenID Connect Core 1.0, section 2).
pub(crate) const MAX_SUBJECT: usize = 255;

/// The account of a person at a provider, as a checked id token describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The URL of the provider.
    pub(crate) issuer: String,
    /// The text that identifies the account there. It never changes, and no other account gets it.
    pub(crate) subject: String,
    /// The e-mail address in lower case, if the provider names a valid one.
    pub(crate) email: Option<String>,
    /// Whether the provider has verified that the person reads the mails to the address.
    pub(crate) is_verified: bool,
    /// The name, if the provider names one.
    pub(crate) name: Option<String>,
}

/// The rules by which people of a provider come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admission {
    /// The name of the provider, for the audit log.
    pub(crate) provider: String,
    /// The domains that e-mail addresses must have, or none for all.
    pub(crate) domains: Vec<String>,
    /// The short name of the organization that new people join, with their role.
    pub(crate) new_people: Option<(String, Role)>,
}

impl Admission {
    /// Returns whether an e-mail address in lower case has one of the domains. A subdomain is another domain.
    pub(crate) fn allows(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.is_empty() || self.domains.iter().any(|allowed| allowed == domain)
    }
}

/// The reason why a person of a provider does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    /// The provider names no e-mail address.
    NoAddress,
    /// The provider has not verified the address.
    Unverified,
    /// The address has another domain.
    Domain,
    /// There is no person with the address, and no invitation.
    Unknown,
    /// The person is disabled, or belongs to no organization any more.
    Removed,
    /// The person is linked with another account of the provider.
    Linked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_compared_as_a_whole() {
        let admission = Admission { domains: vec!["acme.example".to_owned()], ..Admission::default() };
        assert!(admission.allows("ana@acme.example") && Admission::default().allows("ana@other.example"));
        for email in ["ana@evilacme.example", "ana@x.acme.example", "ana@acme.example.evil", "acme.example"] {
            assert!(!admission.allows(email), "{email}");
        }
    }
}
