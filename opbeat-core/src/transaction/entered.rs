//! What keeps a transaction current in code without `async`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::mem;

use super::Context;

/// Guards that are dropped before later ones, and have not been passed over yet. More are never needed at once, but
/// where guards are forgotten.
const MOST_CLOSED: usize = 64;

thread_local! {
    /// The number of the guard that this thread made last.
    static LAST: Cell<u32> = const { Cell::new(0) };
    /// What was current before guards that were dropped while a later one still lived.
    static CLOSED: RefCell<Vec<(u32, Context)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a transaction current on this thread until it is dropped. Guards may be dropped in any order.
///
/// It must not be held over an `.await`: wrap the future instead, by
/// [`CurrentTransaction::wrap`](crate::CurrentTransaction::wrap).
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct Entered {
    before: Context,
    guard: u32,
    /// The guard swaps a thread's own state, so that it must stay on the thread.
    stays: PhantomData<*const ()>,
}

impl Entered {
    pub(super) fn new(mut context: Context) -> Self {
        let guard = next();
        context.guard = guard;
        context.swap();
        Self { before: context, guard, stays: PhantomData }
    }
}

/// What the guard made current goes. If something else is current by now, that stays, and what comes after it is noted.
impl Drop for Entered {
    fn drop(&mut self) {
        let is_current = Context::with(|current| current.guard == self.guard).unwrap_or(false);
        let mut before = mem::take(&mut self.before);
        if is_current {
            pass_over_closed(&mut before);
            before.swap();
        } else {
            close(self.guard, before);
        }
    }
}

fn next() -> u32 {
    let next = |last: &Cell<u32>| {
        last.set(last.get().checked_add(1).unwrap_or(1));
        last.get()
    };
    LAST.try_with(next).unwrap_or(0)
}

fn close(guard: u32, before: Context) {
    // A thread that ends needs it no more.
    let _ = CLOSED.try_with(|closed| {
        let mut closed = closed.borrow_mut();
        if closed.len() < MOST_CLOSED {
            closed.push((guard, before));
        }
    });
}

/// Goes back to what was current before the guards that are gone.
fn pass_over_closed(context: &mut Context) {
    let _ = CLOSED.try_with(|closed| {
        let mut closed = closed.borrow_mut();
        while let Some(index) = closed.iter().position(|(guard, _)| *guard == context.guard) {
            *context = closed.swap_remove(index).1;
        }
    });
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}
