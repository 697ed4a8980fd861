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

    /// Appends a list of any number of integers, in parentheses. It is one parameter, so that the text of the statement
    /// does not depend on their number.
    pub(crate) fn push_integers(&mut self, integers: &[i64]) -> &mut Self {
        let integers: Vec<String> = integers.iter().map(ToString::to_string).collect();
        self.push("(SELECT CAST(value AS BIGINT) FROM json_each(").push_bind(format!("[{}]", integers.join(",")));
        self.push("))")
    }

    /// Appends parameters with their values, in parentheses: a row to compare with.
    pub(crate) fn push_row<T: Into<Value<'q>>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
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
