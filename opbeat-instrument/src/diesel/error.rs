//! Names of diesel's errors, without their messages: those may contain values.

use std::borrow::Cow;

use diesel::ConnectionError;
use diesel::result::Error;

/// Returns the name of a query's error, such as `UniqueViolation`.
pub(super) fn of_query(error: &Error) -> Cow<'static, str> {
    let name = match error {
        Error::DatabaseError(kind, _) => return format!("{kind:?}").into(),
        Error::InvalidCString(_) => "InvalidCString",
        Error::NotFound => "NotFound",
        Error::QueryBuilderError(_) => "QueryBuilderError",
        Error::DeserializationError(_) => "DeserializationError",
        Error::SerializationError(_) => "SerializationError",
        Error::RollbackErrorOnCommit { .. } => "RollbackErrorOnCommit",
        Error::RollbackTransaction => "RollbackTransaction",
        Error::AlreadyInTransaction => "AlreadyInTransaction",
        Error::NotInTransaction => "NotInTransaction",
        Error::BrokenTransactionManager => "BrokenTransactionManager",
        _ => "Other",
    };
    name.into()
}

/// Returns the name of a connection's error, such as `BadConnection`.
pub(super) fn of_connection(error: &ConnectionError) -> &'static str {
    match error {
        ConnectionError::InvalidCString(_) => "InvalidCString",
        ConnectionError::BadConnection(_) => "BadConnection",
        ConnectionError::InvalidConnectionUrl(_) => "InvalidConnectionUrl",
        ConnectionError::CouldntSetupConfiguration(_) => "CouldntSetupConfiguration",
        _ => "Other",
    }
}
