//! The current transaction and span of a thread.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use super::carry::{Carry, Place};
use crate::clock::Instant;
use crate::pipeline::TransactionHandle;
use crate::transaction::running::{Active, SpanRef};

/// The current transaction, the current span in it, and the state that decides what new spans and late work do.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) transaction: Option<Arc<Active>>,
    pub(crate) span: Option<SpanRef>,
    /// The number of the [`Entered`](super::Entered) guard that made this context current; 0 if none did.
    pub(crate) guard: u32,
    /// The current span is a leaf: spans that start in it are not recorded.
    pub(crate) is_leaf: bool,
    late: Late,
    /// The context of another library in which this one is carried, from the first time that it is current.
    carry: Option<Arc<Carry>>,
}

/// The policy for late work: work that outlives its transaction.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Late {
    /// Late work is not recorded.
    #[default]
    Ignored,
    /// Late work begins a transaction of its own.
    Continues,
    /// Late work has begun a transaction of its own, and the owner of this context has to end it.
    OwnTransaction,
}

thread_local! {
    static CURRENT: RefCell<Context> = const {
        RefCell::new(Context { transaction: None, span: None, guard: 0, is_leaf: false, late: Late::Ignored, carry: None })
    };
}

impl Context {
    pub(crate) fn of(transaction: Arc<Active>) -> Self {
        Self::of_any(Some(transaction))
    }

    /// Makes a context of a transaction, in one of its spans or outside of all spans.
    pub(in crate::transaction) fn at(transaction: Arc<Active>, span: Option<SpanRef>, is_leaf: bool) -> Self {
        Self { transaction: Some(transaction), span, is_leaf, ..Self::default() }
    }

    /// Makes a context that is not current, with a transaction or without one.
    #[inline]
    pub(crate) fn of_any(transaction: Option<Arc<Active>>) -> Self {
        Self { transaction, ..Self::default() }
    }

    /// Calls a closure with the current context; `None` while the thread shuts down.
    #[inline]
    pub(crate) fn with<T>(look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow_mut().ok().map(|mut current| look(&mut current))).ok().flatten()
    }

    /// Copies the current context, for work that runs elsewhere. The copy never ends a transaction that late work began
    /// here.
    pub(in crate::transaction) fn of_current() -> Self {
        let copy = |current: &mut Self| {
            current.continue_late();
            let &mut Self { ref transaction, span, is_leaf, .. } = current;
            Self { transaction: transaction.clone(), span, is_leaf, ..Self::default() }
        };
        Self::with(copy).unwrap_or_default()
    }

    /// Returns whether this context belongs to a transaction.
    #[inline]
    pub(in crate::transaction) fn is_of(&self, transaction: &Arc<Active>) -> bool {
        self.transaction.as_ref().is_some_and(|own| Arc::ptr_eq(own, transaction))
    }

    /// Returns whether the running code is part of an HTTP request.
    #[inline]
    pub(crate) fn is_in_request(&self) -> bool {
        self.transaction.as_ref().is_some_and(|active| active.is_request && !active.has_ended())
    }

    fn has_ended(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.has_ended())
    }

    /// Returns whether the context's transaction has ended, and another transaction is current now.
    pub(in crate::transaction) fn is_outlived(&self) -> bool {
        let has_moved = |current: &mut Self| {
            current.continue_late();
            current.transaction.as_ref().is_some_and(|current| !self.is_of(current))
        };
        Self::with(has_moved).unwrap_or(false) && self.has_ended()
    }

    /// Adds a poll that began at `since` to the time that the transaction was busy.
    pub(in crate::transaction) fn note_poll(&self, since: Option<Instant>) {
        if let (Some(active), Some(since)) = (&self.transaction, since) {
            active.note_poll(since.elapsed());
        }
    }

    /// Swaps this context with the current one. A second call swaps them back.
    #[inline]
    pub(crate) fn swap(&mut self) {
        Self::with(|current| mem::swap(current, self));
    }

    /// Makes this context current, and enters the context in which it is carried.
    #[inline]
    pub(crate) fn resume(&mut self) {
        if self.transaction.is_some() {
            self.enter_carry();
        }
        self.swap();
    }

    /// Makes the earlier context current again after [`resume`](Self::resume).
    #[inline]
    pub(crate) fn pause(&mut self) {
        self.swap();
        if let Some(carry) = &self.carry {
            carry.leave();
        }
    }

    #[inline]
    fn enter_carry(&mut self) {
        if self.carry.is_none() {
            self.carry = Carry::start(|| self.place());
        }
        if let Some(carry) = &self.carry {
            carry.enter();
        }
    }

    fn place(&self) -> Option<Place> {
        let active = self.transaction.clone()?;
        Some(Place { active, span: self.span, is_leaf: self.is_leaf })
    }

    /// Sets the current span.
    #[inline]
    pub(in crate::transaction) fn set_span(&mut self, span: Option<SpanRef>, is_leaf: bool) {
        (self.span, self.is_leaf) = (span, is_leaf);
        if let Some(carry) = &self.carry {
            carry.set_span(span, is_leaf);
        }
    }

    /// Ends the context in which this one is carried. It is called before the end of the transaction.
    #[inline]
    pub(crate) fn stop_carrying(&mut self) {
        self.carry = None;
    }

    /// Starts to carry this context for a guard that enters and leaves it itself.
    pub(super) fn start_carrying(&mut self) -> Option<Arc<Carry>> {
        if self.transaction.is_some() {
            self.enter_carry();
        }
        self.carry.clone()
    }

    /// Makes this context current until the guard is dropped.
    ///
    /// Changes to it in the meantime, such as a new current span, are kept for the next time.
    pub(crate) fn enter(&mut self) -> EnteredContext<'_> {
        self.resume();
        EnteredContext { context: self }
    }
}

/// Late work.
impl Context {
    /// Lets late work in this context continue in a transaction of its own.
    pub(super) fn for_late_work(self) -> Self {
        Self { late: Late::Continues, ..self }
    }

    /// Begins a transaction for late work if the context allows that and its transaction has ended.
    #[inline]
    pub(in crate::transaction) fn continue_late(&mut self) {
        if self.late == Late::Continues {
            self.begin_own_if_ended();
        }
    }

    #[cold]
    fn begin_own_if_ended(&mut self) {
        if let Some(parent) = self.transaction.as_ref().filter(|_| self.has_ended()) {
            let child = Active::begin(&parent.recorder, "task.detached".into(), |child| child.set_parent(parent));
            // It may be current now, and then its owner leaves the context in which it is carried.
            let carry = self.carry.take();
            *self = Self { late: Late::OwnTransaction, carry, ..Self::of(child) };
            if let (Some(carry), Some(place)) = (&self.carry, self.place()) {
                carry.set_place(place);
            }
        }
    }

    /// Returns whether late work has begun a transaction of its own.
    pub(super) fn has_own_transaction(&self) -> bool {
        self.late == Late::OwnTransaction
    }

    /// Returns the transaction that late work has begun, once: the caller has to end it.
    pub(super) fn take_own_transaction(&mut self) -> Option<Arc<Active>> {
        if !self.has_own_transaction() {
            return None;
        }
        self.late = Late::Ignored;
        self.transaction.clone()
    }
}

/// Keeps a borrowed context current: futures hold one during each poll.
pub(crate) struct EnteredContext<'a> {
    context: &'a mut Context,
}

impl Drop for EnteredContext<'_> {
    fn drop(&mut self) {
        self.context.pause();
    }
}
