//! Messages: records with their ids, as they are published and as the spool keeps them.

use std::sync::Arc;

use super::batch::RecordId;
use super::error::AppendError;

/// The size in bytes of the length of the app's id.
const LENGTH: usize = 2;

/// A record on its way to RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its id, which stays the same however often it is published.
    pub(super) id: RecordId,
    /// The app whose data it is; empty for records of the server itself.
    pub(super) app_id: Arc<str>,
    /// The payload.
    pub(super) payload: Vec<u8>,
}

impl Message {
    /// Returns the bytes that the spool keeps: the id, the app's id after its length, and the payload.
    pub(super) fn encode(&self) -> Result<Vec<u8>, AppendError> {
        let length = u16::try_from(self.app_id.len()).map_err(|_| AppendError::TooLarge(usize::from(u16::MAX)))?;
        let mut bytes = Vec::with_capacity(self.id.len() + LENGTH + self.app_id.len() + self.payload.len());
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(self.app_id.as_bytes());
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }

    /// Returns the message that the spool keeps as these bytes, or `None` if they are no message.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let (app_id, payload) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let app_id = str::from_utf8(app_id).ok()?.into();
        Some(Self { id: *id, app_id, payload: payload.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        for (app_id, payload) in [("shop", b"books".as_slice()), ("", b""), ("größe", &[0, 255])] {
            let message = Message { id: [7; 16], app_id: app_id.into(), payload: payload.to_vec() };
            assert_eq!(Message::decode(&message.encode().unwrap()), Some(message));
        }
        assert_eq!(Message::decode(b"no message"), None);
        assert_eq!(Message::decode(&[0xff; 40]), None);
    }
}
