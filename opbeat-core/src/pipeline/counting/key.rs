//! The key that transactions are counted by.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ptr;

use crate::record::TransactionName;

/// The name and the kind of a transaction.
#[derive(Clone, Eq)]
pub(super) struct Key {
    pub(super) name: TransactionName,
    pub(super) kind: Cow<'static, str>,
}

/// Route names are interned, so that most comparisons end at equal addresses.
impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.has_same_address(other) || (self.name == other.name && self.kind == other.kind)
    }
}

impl Key {
    #[inline]
    fn has_same_address(&self, other: &Self) -> bool {
        let (TransactionName::Route { method, route }, TransactionName::Route { method: its_method, route: its_route }) =
            (&self.name, &other.name)
        else {
            return false;
        };
        ptr::eq(*route, *its_route) && ptr::eq(*method, *its_method) && ptr::eq(&*self.kind, &*other.kind)
    }
}

/// Hashes only the route or the name, which distinguish nearly all keys. Hashing each further part would take every
/// request the same time again.
impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.name {
            TransactionName::Route { route, .. } => route.hash(state),
            name => name.hash(state),
        }
    }
}
