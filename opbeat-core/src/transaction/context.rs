//! What is current on a thread.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::Active;
use crate::pipeline::TransactionHandle;

/// The current transaction, the current span within it, and what else the running code needs to know of them.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) transaction: Option<Arc<Active>>,
    pub(crate) span: Option<u32>,
    /// The guard that made this context current, where one did.
    pub(crate) guard: u32,
    /// The current span swallows what starts beneath it.
    pub(crate) is_leaf: bool,
    pub(crate) late: Late,
}

/// What becomes of work when the transaction that it is part of is over.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Late {
    /// It does nothing any more.
    #[default]
    Lost,
    /// It goes on in a transaction of its own.
    GoesOn,
    /// It has begun one, and whoever holds the context ends it.
    Alone,
}

thread_local! {
    static CURRENT: RefCell<Context> = const {
        RefCell::new(Context { transaction: None, span: None, guard: 0, is_leaf: false, late: Late::Lost })
    };
}

impl Context {
    pub(crate) fn of(transaction: Arc<Active>) -> Self {
        Self { transaction: Some(transaction), ..Self::default() }
    }

    /// Looks at what is current. Nothing is, while the thread shuts down.
    #[inline]
    pub(crate) fn with<T>(look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow_mut().ok().map(|mut current| look(&mut current))).ok().flatten()
    }

    /// Copies what is current, for work that goes elsewhere. It ends nothing that was begun here.
    pub(super) fn of_current() -> Self {
        let copy = |current: &mut Self| {
            current.go_on();
            let &mut Self { ref transaction, span, is_leaf, .. } = current;
            Self { transaction: transaction.clone(), span, is_leaf, ..Self::default() }
        };
        Self::with(copy).unwrap_or_default()
    }

    /// Returns whether this is a context of a transaction.
    #[inline]
    pub(super) fn is_of(&self, transaction: &Arc<Active>) -> bool {
        self.transaction.as_ref().is_some_and(|own| Arc::ptr_eq(own, transaction))
    }

    /// Returns whether the running code is part of a request.
    #[inline]
    pub(crate) fn is_in_request(&self) -> bool {
        self.transaction.as_ref().is_some_and(|active| active.is_request && !active.has_ended())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.has_ended())
    }

    /// Returns whether its transaction is over, and the code that it runs beneath is part of another one by now.
    pub(super) fn is_left_behind(&self) -> bool {
        let has_moved = |current: &mut Self| {
            current.go_on();
            current.transaction.as_ref().is_some_and(|current| !self.is_of(current))
        };
        Self::with(has_moved).unwrap_or(false) && self.has_ended()
    }

    /// Adds a poll to the time that its transaction was at work.
    pub(super) fn note_work(&self, since: Option<Instant>) {
        if let (Some(active), Some(since)) = (&self.transaction, since) {
            active.note_work(since.elapsed());
        }
    }

    /// Swaps this context with what is current. The same call once more swaps them back.
    #[inline]
    pub(crate) fn swap(&mut self) {
        Self::with(|current| mem::swap(current, self));
    }

    /// Makes this context current until the guard is dropped.
    ///
    /// What changes in it meanwhile, such as the current span, is kept for the next time.
    pub(crate) fn enter(&mut self) -> EnteredContext<'_> {
        self.swap();
        EnteredContext { context: self }
    }
}

/// Keeps a borrowed context current: what futures hold around each poll.
pub(crate) struct EnteredContext<'a> {
    context: &'a mut Context,
}

impl Drop for EnteredContext<'_> {
    fn drop(&mut self) {
        self.context.swap();
    }
}
