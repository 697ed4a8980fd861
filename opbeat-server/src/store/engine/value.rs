//! Values of parameters and columns.

use std::borrow::Cow;

use super::error::Error;

/// A value of a parameter or of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'v> {
    /// No value.
    Null,
    /// An integer, or a flag as 0 or 1.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(Cow<'v, str>),
    /// Bytes.
    Blob(Cow<'v, [u8]>),
}

impl Value<'_> {
    /// Returns the value without a reference to others.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Real(number) => Value::Real(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Blob(bytes) => Value::Blob(Cow::Owned(bytes.into_owned())),
        }
    }

    /// Returns the size of a text or of bytes, in bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            Self::Null | Self::Integer(_) | Self::Real(_) => size_of::<i64>(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "no value",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a number",
            Self::Text(_) => "a text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// Implements `From` for owned and borrowed types.
macro_rules! from {
    ($($type:ty => |$value:ident| $result:expr;)*) => {
        $(impl<'v> From<$type> for Value<'v> {
            fn from($value: $type) -> Self {
                $result
            }
        })*
    };
}

from! {
    i64 => |number| Self::Integer(number);
    u8 => |number| Self::Integer(number.into());
    u32 => |number| Self::Integer(number.into());
    bool => |flag| Self::Integer(flag.into());
    f64 => |number| Self::Real(number);
    &'v str => |text| Self::Text(Cow::Borrowed(text));
    &'v String => |text| Self::Text(Cow::Borrowed(text));
    &'v &'v str => |text| Self::Text(Cow::Borrowed(text));
    String => |text| Self::Text(Cow::Owned(text));
    Cow<'v, str> => |text| Self::Text(text);
    &'v [u8] => |bytes| Self::Blob(Cow::Borrowed(bytes));
    Cow<'v, [u8]> => |bytes| Self::Blob(bytes);
    &'v Vec<u8> => |bytes| Self::Blob(Cow::Borrowed(bytes));
    Vec<u8> => |bytes| Self::Blob(Cow::Owned(bytes));
}

impl<'v, const LENGTH: usize> From<&'v [u8; LENGTH]> for Value<'v> {
    fn from(bytes: &'v [u8; LENGTH]) -> Self {
        Self::Blob(Cow::Borrowed(bytes))
    }
}

impl<'v, T: Into<Self>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A type that a column's value is read as.
pub(crate) trait FromValue<'v>: Sized {
    /// Reads a value. Fails if the value is of another type.
    fn from_value(value: &'v Value<'_>) -> Result<Self, Error>;
}

fn mismatch(value: &Value<'_>, expected: &'static str) -> Error {
    Error::column(format!("a column has {}, not {expected}", value.kind()))
}

impl FromValue<'_> for i64 {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        match value {
            Value::Integer(number) => Ok(*number),
            other => Err(mismatch(other, "an integer")),
        }
    }
}

impl FromValue<'_> for u32 {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        Self::try_from(i64::from_value(value)?).map_err(|_| mismatch(value, "a 32-bit number"))
    }
}

impl FromValue<'_> for bool {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        i64::from_value(value).map(|flag| flag != 0)
    }
}

impl FromValue<'_> for f64 {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        match value {
            Value::Real(number) => Ok(*number),
            Value::Integer(number) => Ok(*number as Self),
            other => Err(mismatch(other, "a number")),
        }
    }
}

impl<'v> FromValue<'v> for &'v str {
    fn from_value(value: &'v Value<'_>) -> Result<Self, Error> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(mismatch(other, "a text")),
        }
    }
}

impl FromValue<'_> for String {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

impl<'v> FromValue<'v> for &'v [u8] {
    fn from_value(value: &'v Value<'_>) -> Result<Self, Error> {
        match value {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(mismatch(other, "bytes")),
        }
    }
}

impl FromValue<'_> for Vec<u8> {
    fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }
}

impl<'v, T: FromValue<'v>> FromValue<'v> for Option<T> {
    fn from_value(value: &'v Value<'_>) -> Result<Self, Error> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}
