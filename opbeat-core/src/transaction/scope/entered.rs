//! The guard that keeps a transaction current in code without `async`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::carry::Carry;
use super::context::Context;

/// The largest number of saved contexts of a thread, see [`SAVED`]. Only code that forgets guards reaches it.
const MAX_SAVED: usize = 64;

thread_local! {
    /// The number of the guard that this thread made last.
    static LAST: Cell<u32> = const { Cell::new(0) };
    /// The earlier contexts of guards that were dropped while a later guard still lived, by the guard's number. The
    /// later guard restores them when it is dropped.
    static SAVED: RefCell<Vec<(u32, Context)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a transaction current on this thread until it is dropped. Guards may be dropped in any order.
///
/// Do not hold it over an `.await`: wrap the future instead, with
/// [`CurrentTransaction::wrap`](crate::CurrentTransaction::wrap).
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct Entered {
    before: Context,
    guard: u32,
    /// The context of another library that this guard has entered.
    carry: Option<Arc<Carry>>,
    /// The guard swaps state of its thread, so it must stay on that thread.
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// Makes a context current, and carries it.
    pub(in crate::transaction) fn new(mut context: Context) -> Self {
        let carry = context.start_carrying();
        let mut entered = Self::here(context);
        entered.carry = carry;
        entered
    }

    /// Makes a context current on this thread only.
    pub(in crate::transaction) fn here(mut context: Context) -> Self {
        let guard = next();
        context.guard = guard;
        context.swap();
        Self { before: context, guard, carry: None, not_send: PhantomData }
    }
}

/// Restores the context from before the guard. If a later guard's context is current, that one stays current, and the
/// context from before is saved for its end.
impl Drop for Entered {
    fn drop(&mut self) {
        let is_current = Context::with(|current| current.guard == self.guard).unwrap_or(false);
        let mut before = mem::take(&mut self.before);
        if is_current {
            skip_dropped_guards(&mut before);
            before.swap();
        } else {
            save(self.guard, before);
        }
        if let Some(carry) = self.carry.take() {
            carry.leave();
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

fn save(guard: u32, before: Context) {
    // A thread that is ending restores no context any more.
    let _ = SAVED.try_with(|saved| {
        let mut saved = saved.borrow_mut();
        if saved.len() < MAX_SAVED {
            saved.push((guard, before));
        }
    });
}

/// Replaces a context that was made by a guard that was dropped by the context from before that guard.
fn skip_dropped_guards(context: &mut Context) {
    let take = |guard: u32| {
        let take = |saved: &RefCell<Vec<(u32, Context)>>| {
            let mut saved = saved.borrow_mut();
            let index = saved.iter().position(|(known, _)| *known == guard)?;
            Some(saved.swap_remove(index).1)
        };
        SAVED.try_with(take).ok().flatten()
    };
    // A dropped context may run code of the application, so that nothing is borrowed then.
    while let Some(before) = take(context.guard) {
        *context = before;
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}
