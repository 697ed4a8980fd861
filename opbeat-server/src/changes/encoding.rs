//! The changes of a request as bytes, which the queue holds.

use serde::{Deserialize, Serialize};

use super::Changes;
use super::earlier::{ChangesWithoutUsers, EarlierChanges};

/// The first byte of encoded changes. It changes with the format. `{` is the first byte of the records that earlier
/// versions of the server left in the queue.
const VERSION: u8 = 5;

/// The version before errors had users.
const VERSION_WITHOUT_USERS: u8 = 4;

/// The version before the documents of errors were packed. Otherwise it is the same as the next one.
const VERSION_WITH_JSON: u8 = 3;

/// The version before usage was counted.
const VERSION_WITHOUT_USAGE: u8 = 2;

/// The version before check-ins.
const VERSION_WITHOUT_CHECK_INS: u8 = 1;

/// The changes of one body, or of one part of a body that can arrive again by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BodyChanges {
    /// The app's id.
    pub(crate) app_id: String,
    /// The key by which a repeated delivery is recognised, or an empty string.
    pub(crate) idempotency_key: String,
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// The changes.
    pub(crate) changes: Changes,
    /// The part of it that counts against the app's quota.
    pub(crate) usage: Usage,
}

/// The amount of data that an app sent and that was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// The number of [events](Changes::events).
    pub(crate) events: u64,
    /// The size in bytes of the bodies as they were sent. The first part of a body has the size of the whole.
    pub(crate) bytes: u64,
}

impl BodyChanges {
    /// Makes the changes of a body, and counts its events.
    pub(crate) fn new(app_id: String, idempotency_key: String, received_at: i64, changes: Changes) -> Self {
        let usage = Usage { events: changes.events(), bytes: 0 };
        Self { app_id, idempotency_key, received_at, changes, usage }
    }
}

/// The changes of one body in a version before usage was counted.
#[derive(Deserialize)]
struct EarlierBody<C> {
    app_id: String,
    idempotency_key: String,
    received_at: i64,
    changes: C,
}

impl<C: Into<Changes>> From<EarlierBody<C>> for BodyChanges {
    fn from(body: EarlierBody<C>) -> Self {
        let EarlierBody { app_id, idempotency_key, received_at, changes } = body;
        Self::new(app_id, idempotency_key, received_at, changes.into())
    }
}

/// The changes of one body in a version before errors had users.
#[derive(Deserialize)]
struct BodyWithoutUsers {
    body: EarlierBody<ChangesWithoutUsers>,
    usage: Usage,
}

impl From<BodyWithoutUsers> for BodyChanges {
    fn from(BodyWithoutUsers { body, usage }: BodyWithoutUsers) -> Self {
        Self { usage, ..body.into() }
    }
}

/// Bytes that are not encoded changes of this version.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// Another version of the server encoded them.
    #[error("the record has an unknown format")]
    Format,
    /// They are damaged.
    #[error("the record is damaged: {0}")]
    Damaged(#[from] postcard::Error),
    /// They continue after the changes.
    #[error("the record is damaged: bytes follow its last value")]
    TooLong,
}

/// Encodes the changes of a request.
pub(crate) fn encode(bodies: &[BodyChanges]) -> Vec<u8> {
    let size = postcard::serialize_with_flavor(bodies, postcard::ser_flavors::Size::default()).unwrap_or_default();
    let mut record = Vec::with_capacity(1 + size);
    record.push(VERSION);
    postcard::to_extend(bodies, record).expect("a vector takes all bytes, and the lengths of all lists are known")
}

/// Returns the number of bytes that changes take in the queue.
pub(crate) fn size(changes: &Changes) -> usize {
    // The size of a number of bytes is counted without an allocation, and cannot fail.
    postcard::serialize_with_flavor(changes, postcard::ser_flavors::Size::default()).unwrap_or(usize::MAX)
}

/// Returns a document as JSON.
pub(crate) fn to_json<T: Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents have text keys, and JSON has a form for each of their values")
}

/// Decodes the result of [`encode`].
pub(crate) fn decode(record: &[u8]) -> Result<Vec<BodyChanges>, DecodeError> {
    match record.split_first() {
        Some((&VERSION, bytes)) => whole(bytes),
        Some((&(VERSION_WITHOUT_USERS | VERSION_WITH_JSON), bytes)) => {
            Ok(whole::<Vec<BodyWithoutUsers>>(bytes)?.into_iter().map(Into::into).collect())
        }
        Some((&VERSION_WITHOUT_USAGE, bytes)) => earlier::<ChangesWithoutUsers>(bytes),
        Some((&VERSION_WITHOUT_CHECK_INS, bytes)) => earlier::<EarlierChanges>(bytes),
        _ => Err(DecodeError::Format),
    }
}

fn earlier<'a, C: Deserialize<'a> + Into<Changes>>(bytes: &'a [u8]) -> Result<Vec<BodyChanges>, DecodeError> {
    Ok(whole::<Vec<EarlierBody<C>>>(bytes)?.into_iter().map(Into::into).collect())
}

/// Decodes a value that takes all of the bytes.
fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        _ => Err(DecodeError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::NewError;

    #[test]
    fn bytes_after_the_changes_are_damage() {
        let mut bytes = encode(&[]);
        assert!(decode(&bytes).unwrap().is_empty());
        bytes.push(0);
        assert!(matches!(decode(&bytes), Err(DecodeError::TooLong)));
    }

    #[test]
    fn records_of_earlier_versions_are_read() {
        // One body without changes: three short fields, and ten empty lists before there were check-ins.
        for (version, lists) in [(VERSION_WITHOUT_CHECK_INS, 10), (VERSION_WITHOUT_USAGE, 11)] {
            let mut record = vec![version, 1, 1, b'a', 1, b'k', 14];
            record.extend(vec![0; lists]);
            let bodies = decode(&record).unwrap();
            let [body] = bodies.as_slice() else { panic!("{bodies:?}") };
            assert_eq!((body.app_id.as_str(), body.idempotency_key.as_str(), body.received_at), ("a", "k", 7));
            assert_eq!(body.usage, Usage::default());
            record.push(0);
            assert!(matches!(decode(&record), Err(DecodeError::TooLong)));
        }
    }

    #[test]
    fn errors_of_records_without_users_are_read() {
        let error = NewError { app_id: "a".to_owned(), culprit: "c".to_owned(), occurrences: 3, ..NewError::default() };
        let changes = Changes { errors: vec![error], ..Changes::default() };
        let mut record = encode(&[BodyChanges::new("a".to_owned(), "k".to_owned(), 7, changes)]);
        record[0] = VERSION_WITHOUT_USERS;
        // A byte says that the error has no user. Seven bytes follow it: the lists of other changes, and the usage.
        record.remove(record.len() - 8);
        let bodies = decode(&record).unwrap();
        assert_eq!((bodies[0].usage.events, bodies[0].changes.errors.len()), (1, 1));
        let error = &bodies[0].changes.errors[0];
        assert_eq!((&*error.culprit, error.occurrences, &error.user), ("c", 3, &None));
    }

    #[test]
    fn usage_is_read_as_it_was_written() {
        let mut body = BodyChanges::new("a".to_owned(), String::new(), 7, Changes::default());
        body.usage = Usage { events: 3, bytes: u64::MAX };
        let decoded = decode(&encode(&[body.clone()])).unwrap();
        assert_eq!(decoded[0].usage, body.usage);
    }
}
