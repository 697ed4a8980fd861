//! The handle to the transaction that code runs in.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::{Active, Context, Entered, InTransaction, Span};
use crate::capture::{error_record, message_record};
use crate::record::{ErrorId, ErrorRecord, Level, TransactionId, TransactionName, TransactionResult, User, Value};

/// A handle to a transaction, cheap to clone, that does nothing when there is none or when it has ended.
///
/// [`current`] returns the one that the running code is part of; the adapters have extractors for it.
#[derive(Clone, Default)]
pub struct CurrentTransaction {
    pub(crate) active: Option<Arc<Active>>,
}

/// Returns the transaction that the running code is part of, or a handle that does nothing.
///
/// # Examples
///
/// ```
/// use opbeat_core::User;
///
/// opbeat_core::current().set_user(User::new(42));
/// ```
#[must_use]
pub fn current() -> CurrentTransaction {
    CurrentTransaction { active: Context::with(|context| context.transaction.clone()).flatten() }
}

impl CurrentTransaction {
    /// Returns whether there is a transaction behind the handle.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.active.is_some()
    }

    /// Returns the transaction's id.
    #[must_use]
    pub fn id(&self) -> Option<TransactionId> {
        self.active.as_ref().map(|active| active.id)
    }

    /// Names the transaction, in place of the name that the adapter gives it.
    ///
    /// Names tell apart what a developer wants to look at apart: use few different ones, without ids in them.
    pub fn set_name(&self, name: impl Into<TransactionName>) {
        if let Some(active) = &self.active {
            active.rename(name.into());
        }
    }

    /// Sets the result that the transaction is counted under, in place of the one that it ends with.
    pub fn set_result(&self, result: impl Into<TransactionResult>) {
        if let Some(active) = &self.active {
            active.set_result(result.into());
        }
    }

    /// Says who the work is done for. Errors show it.
    pub fn set_user(&self, user: User) {
        if let Some(active) = &self.active {
            active.set_user(user);
        }
    }

    /// Sets a tag: a word to find the transaction and its errors by. At most 64 are kept.
    pub fn set_tag(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(active) = &self.active {
            active.set_tag(key.into(), value.into());
        }
    }

    /// Sets an extra value, to be shown with the transaction and its errors. At most 64 are kept.
    pub fn set_extra(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(active) = &self.active {
            active.set_extra(key.into(), value.into());
        }
    }

    /// Starts a span in the transaction; see [`span`](crate::span()).
    pub fn span(&self, signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Span {
        match &self.active {
            Some(active) => Span::start(active, signature.into(), kind.into()),
            None => Span::default(),
        }
    }

    /// Reports an error with its chain of sources, the stack and the request. Returns the report's id.
    #[track_caller]
    pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(error_record(error))
    }

    /// Reports a message. Returns the report's id.
    #[track_caller]
    pub fn capture_message(&self, level: Level, message: impl Into<String>) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(message_record(level, message.into()))
    }

    /// Makes the transaction current on this thread until the guard is dropped: for code without `async`.
    pub fn enter(&self) -> Entered {
        Entered::new(self.context())
    }

    /// Makes the transaction current whenever `future` is polled: for spawned tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn send_mail() {}
    /// # async fn handler() {
    /// tokio::spawn(opbeat_core::current().wrap(send_mail()));
    /// # }
    /// ```
    pub fn wrap<F>(&self, future: F) -> InTransaction<F> {
        InTransaction::new(self.context(), future)
    }

    pub(crate) fn report(&self, record: ErrorRecord) -> Option<ErrorId> {
        let active = self.active.as_ref()?;
        active.mark_error(record.id);
        active.recorder.capture(record, Some(Arc::clone(active) as _))
    }

    /// Keeps the current span, if it is one of this transaction's.
    fn context(&self) -> Context {
        let Some(active) = &self.active else {
            return Context::default();
        };
        let current = Context::with(|context| context.clone()).unwrap_or_default();
        match &current.transaction {
            Some(transaction) if Arc::ptr_eq(transaction, active) => current,
            _ => Context::of(Arc::clone(active)),
        }
    }
}

impl fmt::Debug for CurrentTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentTransaction").field(&self.id()).finish()
    }
}
