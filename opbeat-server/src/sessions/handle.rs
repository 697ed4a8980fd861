//! The handle that opens, finds and closes sessions.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::attempts::{Attempts, Blocked};
use super::forms::{FormKey, FormSource};
use crate::audit::ChangedBy;
use crate::intake::hash_token;
use crate::names;
use crate::passwords::Passwords;
use crate::random::random_hex;
use crate::store::{Holder, PersonSession, Rights, Scope, Store, StoreError};
use crate::text::start_of;

/// The time after which a browser has to sign in again.
const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The largest number of sessions in memory. The oldest one ends first.
const MAX_IN_MEMORY: usize = 1_000;

/// The name of readers who opened the sign-in link, in activities.
const OWNER: &str = "the owner of the server";

/// The start of the ids of people's sessions, which no other id has.
const OF_PERSON: char = 'p';

/// The longest `User-Agent` of a person's session, in characters.
const MAX_BROWSER: usize = 200;

/// The time in which the database says whether the server has a person. The link works without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The sessions. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    /// The SHA-256 of the token in this run's sign-in link.
    link: [u8; 32],
    /// The sessions of the link: their SHA-256, and when they end in microseconds since 1970.
    linked: Mutex<VecDeque<([u8; 32], i64)>>,
    attempts: Attempts,
    passwords: Passwords,
    /// Whether the server is known to have a person. The last one is never removed.
    has_people: AtomicBool,
    forms: FormKey,
}

/// A browser that opens a session of a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSource<'a> {
    /// The address of the browser.
    pub(crate) address: IpAddr,
    /// Its `User-Agent`.
    pub(crate) browser: &'a str,
    /// The id of its session before, which ends.
    pub(crate) before: Option<&'a str>,
}

/// A sign-in without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The token is unknown, or the password is not that of the account.
    Unknown,
    /// The address or the account has failed too often, and has to wait.
    TooMany(Duration),
}

impl Sessions {
    /// The time for which a browser stays signed in.
    pub(crate) const MAX_AGE: Duration = MAX_AGE;

    /// Makes a handle without sessions in memory.
    pub(crate) fn new(store: Store, link_token: &str, passwords: Passwords) -> Self {
        let inner = Inner {
            store,
            link: hash_token(link_token),
            linked: Mutex::default(),
            attempts: Attempts::default(),
            passwords,
            has_people: AtomicBool::new(false),
            forms: FormKey::random(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns whether the server is known to have no person. Without the database it is not known.
    pub(crate) async fn needs_first_run(&self) -> bool {
        if self.inner.has_people.load(Ordering::Relaxed) {
            return false;
        }
        match tokio::time::timeout(PATIENCE, self.inner.store.has_people()).await {
            Ok(Ok(has_people)) => {
                self.inner.has_people.fetch_or(has_people, Ordering::Relaxed);
                !has_people
            }
            _ => false,
        }
    }

    /// Opens a session with the token of the sign-in link, and returns its id. Ends the browser's session before it.
    ///
    /// The owner of the server must never be locked out. Attempts are not limited, since the token has 160 random bits,
    /// and the database is not needed: it removes the session before in the background.
    pub(crate) fn open_by_link(&self, token: &str, before: Option<&str>) -> Option<String> {
        if !bool::from(hash_token(token).ct_eq(&self.inner.link)) {
            return None;
        }
        let id = random_hex::<32>();
        let mut linked = self.linked();
        if linked.len() >= MAX_IN_MEMORY {
            linked.pop_front();
        }
        linked.push_back((hash_token(&id), expiry()));
        drop(linked);
        if let Some(before) = before.filter(|before| !self.close_linked(&hash_token(before))) {
            self.close_later(before.to_owned());
        }
        Some(id)
    }

    /// Opens a session with a read token or with the token of the sign-in link, and returns its id. Ends the browser's
    /// session before it.
    ///
    /// Only failures are limited: behind a proxy that does not send the addresses of browsers, one that guesses must not
    /// lock out all others.
    pub(crate) async fn open(
        &self,
        from: IpAddr,
        token: &str,
        before: Option<&str>,
    ) -> Result<Result<String, Rejected>, StoreError> {
        if let Some(id) = self.open_by_link(token, before) {
            return Ok(Ok(id));
        }
        let id = random_hex::<32>();
        let token = hash_token(token);
        let of_token = before.filter(|before| !before.starts_with(OF_PERSON)).map(hash_token);
        // The hash is looked up first, by a reader: failed attempts do not wait for the writer.
        let is_known = self.inner.store.rights_of(&token).await?.is_some()
            && self.inner.store.open_session(&token, &hash_token(&id), of_token.as_ref(), (now(), expiry())).await?;
        if !is_known {
            let wait = self.inner.attempts.fail(from);
            return Ok(Err(wait.map_or(Rejected::Unknown, Rejected::TooMany)));
        }
        if let Some(before) = before {
            self.close(before).await?;
        }
        Ok(Ok(id))
    }

    /// Opens a session with an e-mail address and a password, and returns its id. Ends the browser's session before it.
    ///
    /// An unknown address takes as long as a known one. After too many failures, a right password has to wait too:
    /// otherwise it could be guessed at any rate.
    pub(crate) async fn open_by_password(
        &self,
        source: SessionSource<'_>,
        email: &str,
        password: &str,
    ) -> Result<Result<String, Rejected>, StoreError> {
        let Some(email) = names::email(email) else { return Ok(Err(Rejected::Unknown)) };
        if let Err(wait) = self.begin(source.address, &email) {
            return Ok(Err(Rejected::TooMany(wait)));
        }
        let account = self.inner.store.account(&email).await?;
        let (id, hash) = account.map_or((None, None), |account| (Some(account.id), account.password));
        let is_right = self.inner.passwords.verify(password.to_owned(), hash.clone()).await;
        let Some(person_id) = id.filter(|_| is_right) else { return Ok(Err(Rejected::Unknown)) };
        let Some(session) = self.open_with(source, &person_id, hash.as_deref()).await? else {
            return Ok(Err(Rejected::Unknown));
        };
        self.inner.attempts.succeed(source.address, &email);
        Ok(Ok(session))
    }

    /// Opens a session of a person who has just got an account or joined, and returns its id. Ends the browser's session
    /// before it. Returns `None` if the person is unknown or disabled.
    pub(crate) async fn open_for_person(
        &self,
        source: SessionSource<'_>,
        person_id: &str,
    ) -> Result<Option<String>, StoreError> {
        self.open_with(source, person_id, None).await
    }

    /// Opens a session of a person. Returns `None` if the hash of the password is not the given one any more.
    async fn open_with(
        &self,
        source: SessionSource<'_>,
        person_id: &str,
        password: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let id = format!("{OF_PERSON}{}", random_hex::<32>());
        let session = PersonSession {
            hash: hash_token(&id),
            created_at: now(),
            address: source.address.to_string(),
            browser: start_of(source.browser, MAX_BROWSER).to_owned(),
        };
        if !self.inner.store.open_person_session(person_id, password, session, expiry()).await? {
            return Ok(None);
        }
        if let Some(before) = source.before {
            self.close(before).await?;
        }
        Ok(Some(id))
    }

    /// Counts an attempt with a password, or returns the time to wait. The first attempt that has to wait for an account is
    /// written to the audit log in the background, so that the response takes as long for an unknown address.
    fn begin(&self, address: IpAddr, email: &str) -> Result<(), Duration> {
        let Err(Blocked { wait, is_first_of_account }) = self.inner.attempts.begin(address, email) else {
            return Ok(());
        };
        if is_first_of_account {
            let (store, email) = (self.inner.store.clone(), email.to_owned());
            let by = ChangedBy::now("somebody", address);
            tokio::spawn(async move {
                if let Err(error) = store.record_failed_sign_ins(&email, by).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "cannot write to the audit log that sign-ins to an account failed too often");
                }
            });
        }
        Err(wait)
    }

    /// Counts an attempt of a signed-in person to change the password. Returns the time to wait if too many failed: somebody
    /// who finds an open browser must not guess the password there.
    pub(crate) fn begin_password_change(&self, source: SessionSource<'_>, rights: &Rights) -> Option<Duration> {
        let Holder::Person { email, .. } = &rights.holder else { return None };
        self.begin(source.address, email).err()
    }

    /// Takes back an attempt to change the password, in which the current one was not wrong.
    pub(crate) fn end_password_change(&self, source: SessionSource<'_>, rights: &Rights) {
        if let Holder::Person { email, .. } = &rights.holder {
            self.inner.attempts.succeed(source.address, email);
        }
    }

    /// Counts an attempt to sign in by a provider of OpenID Connect. Returns the time to wait if too many failed: each one
    /// asks the provider.
    pub(crate) fn begin_by_provider(&self, address: IpAddr) -> Result<(), Duration> {
        self.inner.attempts.begin_from(address)
    }

    /// Takes back an attempt to sign in by a provider that succeeded.
    pub(crate) fn end_by_provider(&self, address: IpAddr) {
        self.inner.attempts.succeed_from(address);
    }

    /// Returns the rights of a session, or `None` if the session is unknown or has ended.
    pub(crate) async fn rights_of(&self, id: &str) -> Result<Option<Rights>, StoreError> {
        let hash = hash_token(id);
        let now = now();
        if self.linked().iter().any(|(linked, ends_at)| *linked == hash && *ends_at > now) {
            return Ok(Some(Rights { scope: Scope::Everything, actor: OWNER.to_owned(), holder: Holder::Link }));
        }
        if id.starts_with(OF_PERSON) {
            self.inner.store.rights_of_person_session(&hash, now).await
        } else {
            self.inner.store.rights_of_session(&hash, now).await
        }
    }

    /// Ends a session.
    pub(crate) async fn close(&self, id: &str) -> Result<(), StoreError> {
        if self.close_linked(&hash_token(id)) { Ok(()) } else { close_stored(&self.inner.store, id).await }
    }

    /// Ends a session in memory. Returns false if there is no such session.
    fn close_linked(&self, hash: &[u8; 32]) -> bool {
        let mut linked = self.linked();
        let before = linked.len();
        linked.retain(|(linked, _)| linked != hash);
        linked.len() < before
    }

    /// Ends a session in the database, without waiting for it.
    fn close_later(&self, id: String) {
        let store = self.inner.store.clone();
        tokio::spawn(async move {
            if let Err(error) = close_stored(&store, &id).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot end the previous session of a browser that signed in again");
            }
        });
    }

    /// Returns the token for the forms of a browser.
    pub(crate) fn form_token(&self, source: &FormSource<'_>) -> String {
        self.inner.forms.token(source)
    }

    /// Returns whether a form contains the token for its browser.
    pub(crate) fn is_form_token(&self, source: &FormSource<'_>, token: &str) -> bool {
        self.inner.forms.is_token(source, token)
    }

    fn linked(&self) -> MutexGuard<'_, VecDeque<([u8; 32], i64)>> {
        self.inner.linked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a session in the database.
async fn close_stored(store: &Store, id: &str) -> Result<(), StoreError> {
    let hash = hash_token(id);
    if id.starts_with(OF_PERSON) { store.close_person_session(&hash).await } else { store.close_session(&hash).await }
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Returns the time at which a session that is opened now ends, in microseconds since 1970.
fn expiry() -> i64 {
    now().saturating_add_unsigned(u64::try_from(MAX_AGE.as_micros()).unwrap_or(u64::MAX))
}
