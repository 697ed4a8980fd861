//! Layers around layers: one request is one transaction.

use std::sync::Arc;

use super::HttpTransaction;
use crate::record::TransactionName;
use crate::transaction::{Active, Context};

impl HttpTransaction {
    /// Names the transaction by its route, where there is one to find.
    ///
    /// Where another layer around the same request records it, that one's transaction gets the name if it knew no route:
    /// it may lie outside of the router.
    #[inline]
    pub fn name_route(&mut self, find: impl FnOnce() -> Option<TransactionName>) {
        if self.is_recording() {
            if let Some(name) = find() {
                self.set_route_name(name);
            }
        } else if let Some(outer) = Self::around() {
            outer.name_once(find);
        }
    }

    /// Returns the method and the target that are recorded of the request, here or by the layer around: for names that are
    /// looked for late.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config, http::HttpTransaction};
    /// # use opbeat_testing::MemoryExporter;
    /// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// let transaction = HttpTransaction::begin(&agent, "web.example", "GET", |request| {
    ///     request.set_line("GET", "/books/1?page=2");
    /// });
    /// assert_eq!(transaction.request_line(), Some(("GET".to_owned(), "/books/1?page=2".to_owned())));
    /// ```
    #[must_use]
    #[cold]
    pub fn request_line(&self) -> Option<(String, String)> {
        self.active().cloned().or_else(Self::around)?.request_line()
    }

    /// Returns whether a layer that lies around records the request already.
    #[inline]
    pub(super) fn is_nested() -> bool {
        Context::with(|context| context.is_in_request()).unwrap_or(false)
    }

    /// Returns the transaction of the layer that lies around.
    fn around() -> Option<Arc<Active>> {
        let around = Context::with(|context| context.transaction.clone()).flatten();
        around.filter(|active| active.is_request)
    }
}
