//! The guard that keeps the transaction of a request current.

use std::fmt;
use std::marker::PhantomData;

use super::active_request::ActiveRequest;
use crate::reported_panic;

/// Keeps an [`HttpTransaction`](super::HttpTransaction) current until it is dropped.
///
/// It is not `Send`, so a future that moves between threads cannot hold it over an `.await`:
///
/// ```compile_fail
/// fn is_send<T: Send>() {}
/// is_send::<opbeat_core::http::EnteredHttp<'static>>();
/// ```
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct EnteredHttp<'a> {
    request: &'a mut Option<Box<ActiveRequest>>,
    was_panicking: bool,
    /// The guard swaps state of its thread, so it must stay on that thread.
    not_send: PhantomData<*const ()>,
}

impl<'a> EnteredHttp<'a> {
    #[inline]
    pub(super) fn new(request: &'a mut Option<Box<ActiveRequest>>) -> Self {
        if let Some(request) = request {
            request.context.resume();
        }
        reported_panic::expect_panic();
        Self { was_panicking: std::thread::panicking(), request, not_send: PhantomData }
    }
}

/// Ends the transaction if a panic unwinds through the guard. It has to happen here: executors catch the panic, and
/// drop the future when the thread is not panicking any more.
impl Drop for EnteredHttp<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(request) = self.request {
            request.context.pause();
        }
        if std::thread::panicking() && !self.was_panicking {
            end_panicked(self.request);
        }
    }
}

#[cold]
fn end_panicked(request: &mut Option<Box<ActiveRequest>>) {
    // The end of a joined request belongs to the outer layer.
    if let Some(request) = request.take().filter(|request| !request.is_joined) {
        request.end_panicked();
    }
}

impl fmt::Debug for EnteredHttp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnteredHttp").finish_non_exhaustive()
    }
}
