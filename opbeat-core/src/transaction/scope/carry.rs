//! Another library's context that carries the current transaction along.

use std::sync::{Arc, Mutex, OnceLock};

use crate::lock::lock;
use crate::transaction::running::{Active, SpanRef};

/// Carries the current transaction in the context of another library, such as the current span of `tracing`.
///
/// Code that takes that context to another thread then takes the transaction with it. Applications use it through the
/// instrumentation of that library. See [`set_carrier`].
pub trait Carrier: Send + Sync + 'static {
    /// Returns whether transactions are carried now. If not, [`carry`](Self::carry) is not called.
    fn is_enabled(&self) -> bool;

    /// Starts to carry a transaction. The result lives as long as the task or the guard in which it is current.
    fn carry(&self, position: LivePosition) -> Option<Box<dyn Carried>>;
}

/// A transaction that a [`Carrier`] carries.
pub trait Carried: Send + Sync {
    /// Is called when the transaction becomes current on this thread.
    fn enter(&self);

    /// Is called on the same thread when the transaction is not current any more.
    fn leave(&self);
}

static CARRIER: OnceLock<Box<dyn Carrier>> = OnceLock::new();

/// Sets the carrier of the process. Returns whether it was set: only the first one is.
pub fn set_carrier(carrier: impl Carrier) -> bool {
    CARRIER.set(Box::new(carrier)).is_ok()
}

/// The position of a task or a guard in its transaction, which follows the spans that start and end there.
#[derive(Clone)]
pub struct LivePosition(Arc<Mutex<Place>>);

/// A transaction, the current span in it, and whether that is a leaf.
#[derive(Clone)]
pub(in crate::transaction) struct Place {
    pub(in crate::transaction) active: Arc<Active>,
    pub(in crate::transaction) span: Option<SpanRef>,
    pub(in crate::transaction) is_leaf: bool,
}

impl LivePosition {
    pub(in crate::transaction) fn place(&self) -> Place {
        lock(&self.0).clone()
    }
}

/// A context that is carried, and the position that follows it.
pub(super) struct Carry {
    live: LivePosition,
    carried: Box<dyn Carried>,
}

impl Carry {
    /// Starts to carry a place; `None` if no carrier does.
    #[inline]
    pub(super) fn start(place: impl FnOnce() -> Option<Place>) -> Option<Arc<Self>> {
        let carrier = CARRIER.get().filter(|carrier| carrier.is_enabled())?;
        let live = LivePosition(Arc::new(Mutex::new(place()?)));
        let carried = carrier.carry(live.clone())?;
        Some(Arc::new(Self { live, carried }))
    }

    pub(super) fn enter(&self) {
        self.carried.enter();
    }

    pub(super) fn leave(&self) {
        self.carried.leave();
    }

    /// Follows a change of the current span.
    pub(super) fn set_span(&self, span: Option<SpanRef>, is_leaf: bool) {
        let mut place = lock(&self.live.0);
        (place.span, place.is_leaf) = (span, is_leaf);
    }

    /// Follows late work into its own transaction.
    pub(super) fn set_place(&self, place: Place) {
        let before = std::mem::replace(&mut *lock(&self.live.0), place);
        drop(before);
    }
}
