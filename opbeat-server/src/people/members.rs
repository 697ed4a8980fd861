//! Invitations, roles and aliases.

use std::net::IpAddr;
use std::time::Duration;

use super::handle::{People, Refused, admin, done};
use crate::intake::hash_token;
use crate::names;
use crate::random::random_hex;
use crate::role::Role;
use crate::store::{Changed, NewInvitation, Rights};

/// The time for which an invitation can be accepted.
const INVITATION: Duration = Duration::from_secs(7 * 86_400);

const NO_EMAIL: &str = "This is not an e-mail address. Write it as in ana@example.com, without a name.";

const NO_ROLE: Refused = Refused::invalid("role", "Choose one of the roles reader, member and admin.");

impl People {
    /// Invites a person to an organization, and returns the secret of the link. The server stores its hash only.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, a value is invalid, or the database fails.
    pub(crate) async fn invite(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (email, role): (&str, &str),
    ) -> Result<String, Refused> {
        let by = admin(rights, organization_id, address)?;
        let email = names::email(email).ok_or(Refused::invalid("email", NO_EMAIL))?;
        let role = Role::parse(role).ok_or(NO_ROLE)?;
        let secret = random_hex::<32>();
        let validity = u64::try_from(INVITATION.as_micros()).unwrap_or(u64::MAX);
        let expires_at = by.at.saturating_add_unsigned(validity);
        let new = NewInvitation { hash: hash_token(&secret), email, role, expires_at };
        match self.store.invite(organization_id, new, by).await? {
            Changed::Taken => Err(Refused::invalid("email", "This person is a member already.")),
            changed => done(changed, "organization").map(|()| secret),
        }
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such invitation, or the database fails.
    pub(crate) async fn withdraw_invitation(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        email: &str,
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        done(self.store.withdraw_invitation(organization_id, email, by).await?, "invitation")
    }

    /// Gives a member another role.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, the member is the last one, or the database fails.
    pub(crate) async fn change_role(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (person_id, role): (&str, &str),
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        let role = Role::parse(role).ok_or(NO_ROLE)?;
        done(self.store.change_role(organization_id, person_id, role, by).await?, "person")
    }

    /// Removes a member from an organization.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, the member is the last one, or the database fails.
    pub(crate) async fn remove_member(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        person_id: &str,
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        done(self.store.remove_member(organization_id, person_id, by).await?, "person")
    }

    /// Gives a member a further e-mail address.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, another member has the address, or the database fails.
    pub(crate) async fn add_alias(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (person_id, alias): (&str, &str),
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        let alias = names::email(alias).ok_or(Refused::invalid("alias", NO_EMAIL))?;
        match self.store.add_alias(organization_id, person_id, &alias, by).await? {
            Changed::Taken => Err(Refused::invalid("alias", "Another member has this address.")),
            Changed::TooMany => Err(Refused::invalid("alias", "A member has at most 20 further addresses.")),
            changed => done(changed, "person"),
        }
    }

    /// Removes a further e-mail address of a member.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no admin, there is no such member, or the database fails.
    pub(crate) async fn remove_alias(
        &self,
        (rights, address): (&Rights, IpAddr),
        organization_id: &str,
        (person_id, alias): (&str, &str),
    ) -> Result<(), Refused> {
        let by = admin(rights, organization_id, address)?;
        done(self.store.remove_alias(organization_id, person_id, alias, by).await?, "person")
    }
}
