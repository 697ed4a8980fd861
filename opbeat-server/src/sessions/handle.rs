//! The handle that opens, finds and closes sessions.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::attempts::Attempts;
use super::forms::{FormKey, FormSource};
use crate::intake::hash_token;
use crate::random::random_hex;
use crate::store::{Access, Rights, Scope, Store, StoreError};

/// The time after which a browser has to sign in again.
const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The largest number of sessions in memory. The oldest one ends first.
const MAX_IN_MEMORY: usize = 1_000;

/// The name of readers who opened the sign-in link, in activities.
const OWNER: &str = "the owner of the server";

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
    forms: FormKey,
}

/// A sign-in without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The token is unknown.
    Unknown,
    /// The address has tried too often, and has to wait.
    TooMany(Duration),
}

impl Sessions {
    /// The time for which a browser stays signed in.
    pub(crate) const MAX_AGE: Duration = MAX_AGE;

    /// Makes a handle without sessions in memory.
    pub(crate) fn new(store: Store, link_token: &str) -> Self {
        let link = hash_token(link_token);
        let forms = FormKey::random();
        let inner = Inner { store, link, linked: Mutex::default(), attempts: Attempts::default(), forms };
        Self { inner: Arc::new(inner) }
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
        if let Some(before) = before.map(hash_token).filter(|before| !self.close_linked(before)) {
            self.close_later(before);
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
        let (token, before) = (hash_token(token), before.map(hash_token));
        // The hash is looked up first, by a reader: failed attempts do not wait for the writer.
        let is_known = self.inner.store.rights_of(&token).await?.is_some()
            && self.inner.store.open_session(&token, &hash_token(&id), before.as_ref(), (now(), expiry())).await?;
        if !is_known {
            let wait = self.inner.attempts.fail(from);
            return Ok(Err(wait.map_or(Rejected::Unknown, Rejected::TooMany)));
        }
        before.map(|before| self.close_linked(&before));
        Ok(Ok(id))
    }

    /// Returns the rights of a session, or `None` if the session is unknown or has ended.
    pub(crate) async fn rights_of(&self, id: &str) -> Result<Option<Rights>, StoreError> {
        let hash = hash_token(id);
        let now = now();
        if self.linked().iter().any(|(linked, ends_at)| *linked == hash && *ends_at > now) {
            let actor = OWNER.to_owned();
            return Ok(Some(Rights { scope: Scope::Everything, access: Access::Write, actor }));
        }
        self.inner.store.rights_of_session(&hash, now).await
    }

    /// Ends a session.
    pub(crate) async fn close(&self, id: &str) -> Result<(), StoreError> {
        let hash = hash_token(id);
        if self.close_linked(&hash) { Ok(()) } else { self.inner.store.close_session(&hash).await }
    }

    /// Ends a session in memory. Returns false if there is no such session.
    fn close_linked(&self, hash: &[u8; 32]) -> bool {
        let mut linked = self.linked();
        let before = linked.len();
        linked.retain(|(linked, _)| linked != hash);
        linked.len() < before
    }

    /// Ends a session in the database, without waiting for it.
    fn close_later(&self, hash: [u8; 32]) {
        let store = self.inner.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.close_session(&hash).await {
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

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Returns the time at which a session that is opened now ends, in microseconds since 1970.
fn expiry() -> i64 {
    now().saturating_add_unsigned(u64::try_from(MAX_AGE.as_micros()).unwrap_or(u64::MAX))
}
