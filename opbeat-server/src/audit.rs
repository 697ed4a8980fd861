//! The audit log: who changed people, rights and teams. It is plain data.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::role::Role;

/// The author of a change: a person, the owner of the server, or somebody with a shell on its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedBy {
    /// The name, with the e-mail address of a person.
    pub(crate) actor: String,
    /// The address of the browser, or an empty string for the command line.
    pub(crate) address: String,
    /// The time of the change, in microseconds since 1970.
    pub(crate) at: i64,
}

impl ChangedBy {
    /// Returns the author of a change that is made now, from the address of a browser.
    pub(crate) fn now(actor: impl Into<String>, address: IpAddr) -> Self {
        Self { address: address.to_string(), ..Self::here(actor) }
    }

    /// Returns the author of a change on the command line, made now.
    pub(crate) fn command_line() -> Self {
        Self::here("the command line")
    }

    fn here(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), address: String::new(), at: Timestamp::now().as_microsecond() }
    }
}

/// Returns the name of a person in the log, with the e-mail address.
pub(crate) fn full_name(name: &str, email: &str) -> String {
    format!("{name} ({email})")
}

/// Returns whether a name in the log is that of the person with an e-mail address, who may have had another name then.
pub(crate) fn is_of_person(full_name: &str, email: &str) -> bool {
    // An address has no parenthesis, so that no name can end with another one.
    let rest = full_name.strip_suffix(')').and_then(|rest| rest.strip_suffix(email));
    rest.is_some_and(|rest| rest.ends_with(" ("))
}

/// A change, as the audit log keeps it. People and teams are named as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum AuditAction {
    /// The first person of the server was created, who may do everything.
    OwnerCreated {
        /// The e-mail address.
        person: String,
    },
    /// A person became an owner of the server on the command line.
    OwnerAdded {
        /// The e-mail address.
        person: String,
    },
    /// A person is no owner of the server any more.
    OwnerRemoved {
        /// The e-mail address.
        person: String,
    },
    /// A person was added to an organization on the command line, with a new account or a known one.
    PersonCreated {
        /// The e-mail address.
        person: String,
        /// The role in the organization.
        role: Role,
    },
    /// Somebody was invited.
    Invited {
        /// The e-mail address.
        person: String,
        /// The role that the person will have.
        role: Role,
    },
    /// An invitation was withdrawn.
    InvitationWithdrawn {
        /// The e-mail address.
        person: String,
    },
    /// An invited person joined the organization.
    Joined {
        /// The e-mail address.
        person: String,
        /// The role.
        role: Role,
    },
    /// A person got another role.
    RoleChanged {
        /// The e-mail address.
        person: String,
        /// The role before.
        from: Role,
        /// The role since.
        to: Role,
    },
    /// A person was removed from the organization.
    Removed {
        /// The e-mail address.
        person: String,
    },
    /// A person got a further e-mail address.
    AliasAdded {
        /// The e-mail address of the person.
        person: String,
        /// The further one.
        alias: String,
    },
    /// A further e-mail address was removed.
    AliasRemoved {
        /// The e-mail address of the person.
        person: String,
        /// The further one.
        alias: String,
    },
    /// A team was created.
    TeamCreated {
        /// The name of the team.
        team: String,
    },
    /// A team was removed.
    TeamRemoved {
        /// The name of the team.
        team: String,
    },
    /// A person joined a team.
    TeamJoined {
        /// The name of the team.
        team: String,
        /// The e-mail address of the person.
        person: String,
    },
    /// A person left a team.
    TeamLeft {
        /// The name of the team.
        team: String,
        /// The e-mail address of the person.
        person: String,
    },
    /// An app got a responsible team, or has none any more.
    AppAssigned {
        /// The short name of the app.
        app: String,
        /// The name of the team.
        team: Option<String>,
    },
    /// A channel for notifications was added to an app.
    ChannelAdded {
        /// The short name of the app.
        app: String,
        /// The name of the channel.
        channel: String,
    },
    /// A channel of an app was changed.
    ChannelChanged {
        /// The short name of the app.
        app: String,
        /// The name of the channel.
        channel: String,
    },
    /// A channel was removed from an app.
    ChannelRemoved {
        /// The short name of the app.
        app: String,
        /// The name of the channel.
        channel: String,
    },
    /// A token was created that may do what an admin may.
    ManagingTokenCreated {
        /// The name of the token.
        token: String,
    },
    /// A person changed the own password.
    PasswordChanged {
        /// The e-mail address.
        person: String,
    },
    /// A person got a new password on the command line.
    PasswordReset {
        /// The e-mail address.
        person: String,
    },
    /// Sign-ins to an account failed so often that further ones have to wait.
    SignInsFailed {
        /// The e-mail address that was given.
        person: String,
    },
    /// A person signed in by a provider of OpenID Connect.
    SignedIn {
        /// The e-mail address.
        person: String,
        /// The name of the provider.
        provider: String,
    },
    /// A person without an invitation joined the organization by a provider.
    JoinedByProvider {
        /// The e-mail address.
        person: String,
        /// The role.
        role: Role,
        /// The name of the provider.
        provider: String,
    },
    /// An account at a provider was linked with a person.
    IdentityLinked {
        /// The e-mail address, which the provider has verified.
        person: String,
        /// The name of the provider.
        provider: String,
    },
    /// The link between a person and an account at a provider was removed.
    IdentityUnlinked {
        /// The e-mail address.
        person: String,
        /// The URL of the provider.
        provider: String,
    },
    /// A change that a newer version of the server wrote.
    #[serde(other)]
    Unknown,
}

/// The change as the end of a sentence that starts with the actor.
impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerCreated { person } => write!(f, "created the owner of the server, {person}"),
            Self::OwnerAdded { person } => write!(f, "made {person} an owner of the server"),
            Self::OwnerRemoved { person } => write!(f, "took the ownership of the server from {person}"),
            Self::PersonCreated { person, role } => write!(f, "added {person} as {}", role.as_str()),
            Self::Invited { person, role } => write!(f, "invited {person} as {}", role.as_str()),
            Self::InvitationWithdrawn { person } => write!(f, "withdrew the invitation of {person}"),
            Self::Joined { person, role } => write!(f, "joined with the invitation of {person} as {}", role.as_str()),
            Self::RoleChanged { person, from, to } => {
                write!(f, "changed the role of {person} from {} to {}", from.as_str(), to.as_str())
            }
            Self::Removed { person } => write!(f, "removed {person} from the organization"),
            Self::AliasAdded { person, alias } => write!(f, "added the address {alias} to {person}"),
            Self::AliasRemoved { person, alias } => write!(f, "removed the address {alias} from {person}"),
            Self::TeamCreated { team } => write!(f, "created the team {team}"),
            Self::TeamRemoved { team } => write!(f, "removed the team {team}"),
            Self::TeamJoined { team, person } => write!(f, "added {person} to the team {team}"),
            Self::TeamLeft { team, person } => write!(f, "removed {person} from the team {team}"),
            Self::AppAssigned { app, team: Some(team) } => write!(f, "made the team {team} responsible for {app}"),
            Self::AppAssigned { app, team: None } => write!(f, "made no team responsible for {app}"),
            Self::ChannelAdded { app, channel } => write!(f, "added the channel {channel} to {app}"),
            Self::ChannelChanged { app, channel } => write!(f, "changed the channel {channel} of {app}"),
            Self::ManagingTokenCreated { token } => write!(f, "created the token {token:?}, which may manage"),
            Self::ChannelRemoved { app, channel } => write!(f, "removed the channel {channel} from {app}"),
            Self::PasswordChanged { person } => write!(f, "changed the password of {person}"),
            Self::PasswordReset { person } => write!(f, "reset the password of {person}"),
            Self::SignInsFailed { person } => write!(f, "failed too often to sign in as {person}"),
            Self::SignedIn { person, provider } => write!(f, "signed in as {person} with {provider}"),
            Self::JoinedByProvider { person, role, provider } => {
                write!(f, "joined as {person} with {provider} as {}", role.as_str())
            }
            Self::IdentityLinked { person, provider } => write!(f, "linked an account of {provider} with {person}"),
            Self::IdentityUnlinked { person, provider } => {
                write!(f, "removed the link of {person} with an account of {provider}")
            }
            Self::Unknown => f.write_str("made a change that this version of the server does not know"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_recognised_by_the_address_only() {
        let name = full_name("Bo (ana@x)", "bo@x");
        assert!(is_of_person(&name, "bo@x") && !is_of_person(&name, "ana@x") && !is_of_person(&name, "o@x"));
        assert!(!is_of_person("the owner of the server", "bo@x"));
    }

    #[test]
    fn changes_of_newer_versions_can_be_read() {
        let known = r#"{"action":"invited","person":"bo@x","role":"admin"}"#;
        let known: AuditAction = serde_json::from_str(known).unwrap();
        assert_eq!(known.to_string(), "invited bo@x as admin");
        let unknown: AuditAction = serde_json::from_str(r#"{"action":"frozen","person":"bo@x"}"#).unwrap();
        assert_eq!(unknown, AuditAction::Unknown);
    }
}
