//! Accounts: the first run, accepted invitations, passwords and sessions.

use std::net::IpAddr;

use super::handle::{LAST_ADMIN, People, Refused, author, done};
use crate::audit::{ChangedBy, full_name};
use crate::intake::hash_token;
use crate::names;
use crate::passwords::Passwords;
use crate::random::random_hex;
use crate::role::Role;
use crate::store::{
    Account, Changed, Created, Invitee, Joined, Member, NewApp, NewPerson, OwnChange, Rights, Scope, StoreError,
};

/// The values of a form that creates an account.
#[derive(Clone, Copy)]
pub(crate) struct NewAccount<'a> {
    /// The name.
    pub(crate) name: &'a str,
    /// The e-mail address.
    pub(crate) email: &'a str,
    /// The password, or `None` on a server where people sign in otherwise.
    pub(crate) password: Option<&'a str>,
}

/// The owner that the first run created.
pub(crate) struct Owner {
    /// The id of the person.
    pub(crate) person_id: String,
    /// The first app, if the server had no organization before.
    pub(crate) app: Option<FirstApp>,
}

/// The first app, with the secret that its agent needs.
pub(crate) struct FirstApp {
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The app's id.
    pub(crate) app_id: String,
    /// The secret token, of which the server stores the hash only.
    pub(crate) secret_token: String,
}

/// The sessions that a person ends.
#[derive(Clone, Copy)]
pub(crate) enum Ended<'a> {
    /// The session whose id has this SHA-256.
    One([u8; 32]),
    /// All but the one with this id.
    Others(&'a str),
}

/// The field of the password that a person confirms to change it.
pub(crate) const CURRENT_PASSWORD: &str = "current";

const NO_NAME: Refused = Refused::invalid("name", "Enter a name of at most 100 characters.");
const NO_EMAIL: Refused = Refused::invalid("email", "Enter an e-mail address, as in ana@example.com.");
const OTHER_ACCOUNT: Refused = Refused::invalid(
    "email",
    "This invitation is for a person with another account. Sign in with it, and open the link again.",
);
const NAMES: &str = "Use 1 to 64 lower-case letters, digits and dashes. Some names, such as api, belong to the server.";

impl People {
    /// Creates the owner of the server and, without organizations, the first app. Returns `None` if the server has a
    /// person.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid or the database fails.
    pub(crate) async fn first_run(
        &self,
        account: NewAccount<'_>,
        (organization, app): (&str, &str),
        (rights, address): (&Rights, IpAddr),
    ) -> Result<Option<Owner>, Refused> {
        let person = self.check(account)?;
        names::check_name(organization).map_err(|_| Refused::invalid("organization", NAMES))?;
        names::check_app_name(app).map_err(|_| Refused::invalid("app", NAMES))?;
        let new = NewApp { organization: organization.to_owned(), app: app.to_owned(), ..NewApp::default() };
        // Without a person, the form was not answered. The hash is computed only then.
        if self.store.has_people().await? {
            return Ok(None);
        }
        let secret_token = random_hex::<32>();
        let person = self.with_hash(person).await;
        let by = author(rights, address);
        let first = self.store.create_owner(person, new, hash_token(&secret_token), by).await?;
        Ok(first.map(|first| Owner {
            person_id: first.person_id,
            app: first.app.map(|app| FirstApp {
                organization_id: app.organization_id,
                app_id: app.app_id,
                secret_token,
            }),
        }))
    }

    /// Accepts an invitation with a new account, and returns the id of the person.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the invitation is unknown, was used or has expired, a value is invalid, the person has an
    /// account already, or the database fails.
    pub(crate) async fn join_as_new(
        &self,
        secret: &str,
        account: NewAccount<'_>,
        address: IpAddr,
    ) -> Result<String, Refused> {
        let person = self.check(account)?;
        // The hash is computed only if it is needed: the link of an invitation must not keep the cores busy.
        if self.has_account(&person.email).await? {
            return Err(OTHER_ACCOUNT);
        }
        let by = ChangedBy::now(full_name(&person.name, &person.email), address);
        let person = self.with_hash(person).await;
        self.join(secret, Invitee::New(person), by).await
    }

    /// Accepts an invitation as the person who is signed in.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the invitation is unknown, was used, has expired or is for another person, or the database
    /// fails.
    pub(crate) async fn join_as_known(
        &self,
        secret: &str,
        rights: &Rights,
        address: IpAddr,
    ) -> Result<String, Refused> {
        let person = rights.person().ok_or(Refused::Missing("invitation"))?.to_owned();
        self.join(secret, Invitee::Known(person), author(rights, address)).await
    }

    async fn join(&self, secret: &str, invitee: Invitee, by: ChangedBy) -> Result<String, Refused> {
        match self.store.accept_invitation(&hash_token(secret), invitee, by).await? {
            Joined::Done(person_id) => Ok(person_id),
            Joined::Missing => Err(Refused::Missing("invitation")),
            Joined::AccountChanged => Err(OTHER_ACCOUNT),
        }
    }

    /// Changes the password of the person who is signed in, and ends the other sessions.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the current password is wrong, the new one is invalid, or the database fails.
    pub(crate) async fn change_password(
        &self,
        (rights, address): (&Rights, IpAddr),
        (current, new): (&str, &str),
        session: &str,
    ) -> Result<(), Refused> {
        const WRONG: Refused = Refused::invalid(CURRENT_PASSWORD, "This is not your current password.");
        let account = self.own_account(rights).await?;
        if let Some(reason) = Passwords::refuse(new, &account.email) {
            return Err(Refused::invalid("new", reason));
        }
        let is_right = self.passwords.verify(current.to_owned(), account.password.clone()).await;
        let before = account.password.filter(|_| is_right).ok_or(WRONG)?;
        let hash = self.passwords.hash(new.to_owned()).await;
        let own = OwnChange { before, session: hash_token(session) };
        match self.store.set_password(&account.id, hash, Some(own), author(rights, address)).await? {
            Changed::Missing => Err(WRONG),
            changed => done(changed, "person"),
        }
    }

    /// Changes the name of the person who is signed in.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the name is invalid or the database fails.
    pub(crate) async fn rename(&self, rights: &Rights, name: &str) -> Result<(), Refused> {
        let account = self.own_account(rights).await?;
        let name = names::name_of_person(name).ok_or(NO_NAME)?;
        Ok(self.store.rename_person(&account.id, &name).await?)
    }

    /// Ends sessions of the person who is signed in.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if the reader is no person or the database fails.
    pub(crate) async fn end_sessions(&self, rights: &Rights, ended: Ended<'_>) -> Result<(), Refused> {
        let person_id = rights.person().ok_or(Refused::Missing("person"))?;
        match ended {
            Ended::One(hash) => self.store.end_person_session(person_id, &hash).await?,
            Ended::Others(kept) => self.store.end_other_sessions(person_id, &hash_token(kept)).await?,
        }
        Ok(())
    }

    /// Creates a person with a new password on the command line, or makes a known person a member. Returns the password of
    /// a new one. Without a role, a member keeps the own one, and others are members.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, there is no such organization, it would have no admin, or the database
    /// fails.
    pub(crate) async fn create(
        &self,
        organization: &str,
        (name, email): (&str, &str),
        (role, becomes_owner): (Option<Role>, bool),
    ) -> Result<Option<String>, Refused> {
        let password = Passwords::generate();
        let person = self.check(NewAccount { name, email, password: Some(&password) })?;
        let person = self.with_hash(person).await;
        let by = ChangedBy::command_line();
        match self.store.create_person(organization, person, (role, becomes_owner), by).await? {
            Created::New => Ok(Some(password)),
            Created::Known => Ok(None),
            Created::NoOrganization => Err(Refused::Missing("organization")),
            Created::LastAdmin => Err(LAST_ADMIN),
        }
    }

    /// Takes the ownership of the server from a person on the command line. The person keeps the roles.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such person or the database fails.
    pub(crate) async fn remove_owner(&self, email: &str) -> Result<(), Refused> {
        let email = names::email(email).ok_or(NO_EMAIL)?;
        done(self.store.remove_owner(&email, ChangedBy::command_line()).await?, "person")
    }

    /// Returns the members of an organization, given by its short name, for the command line.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such organization or the database fails.
    pub(crate) async fn list(&self, organization: &str) -> Result<Vec<Member>, Refused> {
        let organization = self.store.find_organization(&Scope::Everything, organization).await?;
        let organization = organization.ok_or(Refused::Missing("organization"))?;
        Ok(self.store.members(&organization.id).await?)
    }

    /// Gives a person a new password on the command line, and ends all sessions. Returns the password. The person is a
    /// member of an organization, given by its short name, or an owner of the server.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such organization or person, or the database fails.
    pub(crate) async fn reset_password(&self, organization: &str, email: &str) -> Result<String, Refused> {
        let email = names::email(email).ok_or(NO_EMAIL)?;
        let organization = self.store.find_organization(&Scope::Everything, organization).await?;
        let organization = organization.ok_or(Refused::Missing("organization"))?;
        let account = self.store.account(&email).await?.ok_or(Refused::Missing("person"))?;
        if !account.is_owner && self.store.member(&organization.id, &account.id).await?.is_none() {
            return Err(Refused::Missing("person"));
        }
        let password = Passwords::generate();
        let hash = self.passwords.hash(password.clone()).await;
        done(self.store.set_password(&account.id, hash, None, ChangedBy::command_line()).await?, "person")?;
        Ok(password)
    }

    /// Returns whether an e-mail address, as an invitation names it, has an account.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub(crate) async fn has_account(&self, email: &str) -> Result<bool, StoreError> {
        Ok(self.store.account(email).await?.is_some())
    }

    async fn own_account(&self, rights: &Rights) -> Result<Account, Refused> {
        let person_id = rights.person().ok_or(Refused::Missing("person"))?;
        self.store.account_of(person_id).await?.ok_or(Refused::Missing("person"))
    }

    /// Checks the values of a new account. Its password is not hashed yet.
    fn check(&self, account: NewAccount<'_>) -> Result<NewPerson, Refused> {
        let name = names::name_of_person(account.name).ok_or(NO_NAME)?;
        let email = names::email(account.email).ok_or(NO_EMAIL)?;
        match account.password.and_then(|password| Passwords::refuse(password, &email)) {
            Some(reason) => Err(Refused::invalid("password", reason)),
            None => Ok(NewPerson { email, name, password: account.password.map(str::to_owned) }),
        }
    }

    /// Replaces the password by its hash.
    async fn with_hash(&self, person: NewPerson) -> NewPerson {
        let password = match person.password {
            Some(password) => Some(self.passwords.hash(password).await),
            None => None,
        };
        NewPerson { password, ..person }
    }
}
