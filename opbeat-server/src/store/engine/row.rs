//! Rows of results.

use std::sync::Arc;

use super::error::Error;
use super::value::{FromValue, Value};

/// The names of a result's columns.
pub(super) type Names = Arc<[Box<str>]>;

/// A row of a result.
#[derive(Clone, Debug)]
pub(crate) struct Row<'r> {
    names: Names,
    values: Vec<Value<'r>>,
}

impl<'r> Row<'r> {
    pub(super) const fn new(names: Names, values: Vec<Value<'r>>) -> Self {
        Self { names, values }
    }

    /// Returns the row without a reference to its result.
    pub(super) fn into_owned(self) -> Row<'static> {
        Row { names: self.names, values: self.values.into_iter().map(Value::into_owned).collect() }
    }

    /// Returns all values, without a reference to the result.
    pub(crate) fn to_values(&self) -> Vec<Value<'static>> {
        self.values.iter().cloned().map(Value::into_owned).collect()
    }

    /// Reads a column by its name or its index. Fails if there is no such column, or its value is of another type.
    pub(crate) fn try_get<'v, T: FromValue<'v>, C: Column>(&'v self, column: C) -> Result<T, Error> {
        let value = column.index(&self.names).and_then(|index| self.values.get(index));
        let value = value.ok_or_else(|| Error::column(format!("there is no column {}", column.text())))?;
        T::from_value(value).map_err(|error| Error::column(format!("{} ({error})", column.text())))
    }
}

/// The name or the index of a column.
pub(crate) trait Column: Copy {
    /// Returns the index.
    fn index(&self, names: &[Box<str>]) -> Option<usize>;

    /// Returns the column for an error message.
    fn text(&self) -> String;
}

impl Column for &str {
    fn index(&self, names: &[Box<str>]) -> Option<usize> {
        names.iter().position(|name| **name == **self)
    }

    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl Column for usize {
    fn index(&self, _: &[Box<str>]) -> Option<usize> {
        Some(*self)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}
