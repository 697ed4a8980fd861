//! What transactions are told apart by.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ptr;

use crate::record::TransactionName;

/// A name and a kind.
#[derive(Clone, Eq)]
pub(super) struct Key {
    pub(super) name: TransactionName,
    pub(super) kind: Cow<'static, str>,
}

/// Names of routes are kept once, so that most often their addresses tell that they are the same.
impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.lies_where(other) || (self.name == other.name && self.kind == other.kind)
    }
}

impl Key {
    #[inline]
    fn lies_where(&self, other: &Self) -> bool {
        let (TransactionName::Route { method, route }, TransactionName::Route { method: its_method, route: its_route }) =
            (&self.name, &other.name)
        else {
            return false;
        };
        ptr::eq(*route, *its_route) && ptr::eq(*method, *its_method) && ptr::eq(&*self.kind, &*other.kind)
    }
}

/// Routes tell nearly all names apart, and each further part costs every request as much again.
impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.name {
            TransactionName::Route { route, .. } => route.hash(state),
            name => name.hash(state),
        }
    }
}
