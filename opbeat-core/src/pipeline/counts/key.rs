//! What transactions are told apart by.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

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
        let names = match (&self.name, &other.name) {
            (
                TransactionName::Route { method, route },
                TransactionName::Route { method: its_method, route: its_route },
            ) => same(route, its_route) && same(method, its_method),
            (name, its_name) => name == its_name,
        };
        names && same(&self.kind, &other.kind)
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

#[inline]
fn same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}
