//! What is current on a thread.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::Active;

/// The current transaction, the current span within it, and the span that swallows what is beneath it.
#[derive(Clone, Default)]
pub(crate) struct Context {
    pub(crate) transaction: Option<Arc<Active>>,
    pub(crate) span: Option<u32>,
    pub(crate) leaf: Option<u32>,
}

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context { transaction: None, span: None, leaf: None }) };
}

impl Context {
    pub(crate) fn of(transaction: Arc<Active>) -> Self {
        Self { transaction: Some(transaction), span: None, leaf: None }
    }

    /// Looks at what is current. Nothing is, while the thread shuts down.
    #[inline]
    pub(crate) fn with<T>(look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow_mut().ok().map(|mut current| look(&mut current))).ok().flatten()
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

/// Keeps a transaction current on this thread until it is dropped.
///
/// It must not be held over an `.await`: wrap the future instead, by
/// [`CurrentTransaction::wrap`](crate::CurrentTransaction::wrap).
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct Entered {
    before: Context,
    /// The guard swaps a thread's own state, so that it must stay on the thread.
    stays: PhantomData<*const ()>,
}

impl Entered {
    pub(crate) fn new(mut context: Context) -> Self {
        context.swap();
        Self { before: context, stays: PhantomData }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.before.swap();
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}
