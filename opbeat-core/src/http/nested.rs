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
