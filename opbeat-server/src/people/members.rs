//! Invitations, roles and aliases.

use std::time::Duration;

use super::handle::{Admin, Refused, done};
use crate::intake::hash_token;
use crate::names;
use crate::random::random_hex;
use crate::role::Role;
use crate::store::{Changed, NewInvitation};

/// The time for which an invitation can be accepted.
const INVITATION: Duration = Duration::from_secs(7 * 86_400);

const NO_EMAIL: &str = "This is not an e-mail address. Write it as in ana@example.com, without a name.";

const NO_ROLE: Refused = Refused::invalid("role", "Choose one of the roles reader, member and admin.");

/// An invitation that was made.
pub(crate) struct Invited {
    /// The e-mail address, in lower case.
    pub(crate) email: String,
    /// The secret of the link, of which the server stores the hash only.
    pub(crate) secret: String,
}

impl Admin<'_> {
    /// Invites a person to the organization. An earlier invitation of the address ends.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, the person is a member, there are too many invitations, or the database
    /// fails.
    pub(crate) async fn invite(self, email: &str, role: &str) -> Result<Invited, Refused> {
        let email = names::email(email).ok_or(Refused::invalid("email", NO_EMAIL))?;
        let role = Role::parse(role).ok_or(NO_ROLE)?;
        let secret = random_hex::<32>();
        let validity = u64::try_from(INVITATION.as_micros()).unwrap_or(u64::MAX);
        let expires_at = self.by.at.saturating_add_unsigned(validity);
        let new = NewInvitation { hash: hash_token(&secret), email: email.clone(), role, expires_at };
        match self.store.invite(self.organization_id, new, self.by).await? {
            Changed::Taken => Err(Refused::invalid("email", "This person is a member already.")),
            Changed::TooMany => {
                Err(Refused::invalid("email", "There are 100 invitations that nobody accepted. Withdraw some first."))
            }
            changed => done(changed, "organization").map(|()| Invited { email, secret }),
        }
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such invitation or the database fails.
    pub(crate) async fn withdraw_invitation(self, email: &str) -> Result<(), Refused> {
        done(self.store.withdraw_invitation(self.organization_id, email, self.by).await?, "invitation")
    }

    /// Gives a member another role.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such role or member, the member is the last admin, or the database fails.
    pub(crate) async fn change_role(self, person_id: &str, role: &str) -> Result<(), Refused> {
        let role = Role::parse(role).ok_or(NO_ROLE)?;
        done(self.store.change_role(self.organization_id, person_id, role, self.by).await?, "person")
    }

    /// Removes a member from the organization.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such member, the member is the last admin, or the database fails.
    pub(crate) async fn remove_member(self, person_id: &str) -> Result<(), Refused> {
        done(self.store.remove_member(self.organization_id, person_id, self.by).await?, "person")
    }

    /// Gives a member a further e-mail address.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such member, another member has the address, or the database fails.
    pub(crate) async fn add_alias(self, person_id: &str, alias: &str) -> Result<(), Refused> {
        let alias = names::email(alias).ok_or(Refused::invalid("alias", NO_EMAIL))?;
        match self.store.add_alias(self.organization_id, person_id, &alias, self.by).await? {
            Changed::Taken => Err(Refused::invalid("alias", "Another member has this address.")),
            Changed::TooMany => Err(Refused::invalid("alias", "A member has at most 20 further addresses.")),
            changed => done(changed, "person"),
        }
    }

    /// Removes a further e-mail address of a member.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such member or the database fails.
    pub(crate) async fn remove_alias(self, person_id: &str, alias: &str) -> Result<(), Refused> {
        done(self.store.remove_alias(self.organization_id, person_id, alias, self.by).await?, "person")
    }
}
