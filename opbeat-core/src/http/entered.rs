//! A request's transaction while it is current.

use std::fmt;
use std::marker::PhantomData;

use super::HttpTransaction;

/// Keeps an [`HttpTransaction`] current.
///
/// It stays on its thread, so that a future that moves cannot hold it over an `.await`:
///
/// ```compile_fail
/// fn is_send<T: Send>() {}
/// is_send::<opbeat_core::http::EnteredHttp<'static>>();
/// ```
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct EnteredHttp<'a> {
    transaction: &'a mut HttpTransaction,
    was_panicking: bool,
    /// The guard swaps a thread's own state.
    stays: PhantomData<*const ()>,
}

impl<'a> EnteredHttp<'a> {
    #[inline]
    pub(super) fn new(transaction: &'a mut HttpTransaction) -> Self {
        transaction.swap_context();
        Self { was_panicking: std::thread::panicking(), transaction, stays: PhantomData }
    }
}

/// Executors catch a panic above us, and drop the future when nothing unwinds any more: it has to be noticed here.
impl Drop for EnteredHttp<'_> {
    #[inline]
    fn drop(&mut self) {
        self.transaction.swap_context();
        if std::thread::panicking() && !self.was_panicking {
            self.transaction.finish_panicked();
        }
    }
}

impl fmt::Debug for EnteredHttp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnteredHttp").finish_non_exhaustive()
    }
}
