//! Statements that were prepared, by the number that later spans name them by.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sql::Statement;

/// The largest number of statements. The oldest ones are forgotten.
const MAX_STATEMENTS: usize = 4_096;

/// The connection, and the number that the server gave to the statement.
pub(super) type Number = (i64, i64);

#[derive(Default)]
pub(super) struct Prepared(Mutex<Known>);

#[derive(Default)]
struct Known {
    statements: HashMap<Number, Statement>,
    oldest: VecDeque<Number>,
}

impl Prepared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, number: Number, statement: Statement) {
        let mut known = self.known();
        if known.statements.insert(number, statement).is_none() {
            known.oldest.push_back(number);
        }
        if known.oldest.len() > MAX_STATEMENTS
            && let Some(oldest) = known.oldest.pop_front()
        {
            known.statements.remove(&oldest);
        }
    }

    pub(super) fn find(&self, number: Number) -> Option<Statement> {
        self.known().statements.get(&number).cloned()
    }
}
