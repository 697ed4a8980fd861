//! Statements whose text depends on the question.

use std::borrow::Cow;
use std::fmt::Display;
use std::fmt::Write as _;

use super::query::Query;
use super::value::Value;

/// Builds a statement from its parts.
#[derive(Debug)]
pub(crate) struct QueryBuilder<'q> {
    sql: String,
    values: Vec<Value<'q>>,
}

impl<'q> QueryBuilder<'q> {
    /// Begins with the start of a statement.
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// Appends text. It must not contain anything that a client sent.
    pub(crate) fn push(&mut self, sql: impl Display) -> &mut Self {
        // A string takes all text.
        let _ = write!(self.sql, "{sql}");
        self
    }

    /// Appends a parameter with its value.
    pub(crate) fn push_bind(&mut self, value: impl Into<Value<'q>>) -> &mut Self {
        self.sql.push('?');
        self.values.push(value.into());
        self
    }

    /// Appends parameters with their values, in parentheses.
    pub(crate) fn push_list<T: Into<Value<'q>>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.sql.push('(');
        let mut separator = "";
        for value in values {
            self.sql.push_str(separator);
            self.push_bind(value);
            separator = ", ";
        }
        self.sql.push(')');
        self
    }

    /// Returns the statement.
    pub(crate) fn build(self) -> Query<'q> {
        Query::new(Cow::Owned(self.sql), self.values)
    }
}
