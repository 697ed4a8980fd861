//! Publishes records with confirms.

use lapin::options::BasicPublishOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, ErrorKind};

use super::super::batch::RecordId;
use super::super::message::Message;
use crate::random::hex;

/// The delivery mode of messages that RabbitMQ keeps on its disk.
const PERSISTENT: u8 = 2;

/// The content type of a record.
const CONTENT_TYPE: &str = "application/vnd.opbeat.changes";

/// A record that was not published for sure.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
    /// RabbitMQ has refused it. The connection is in order.
    #[error("RabbitMQ refuses records: its queue is full, or has lost its majority")]
    Refused,
    /// The queue has been removed. It is declared again on the next connection.
    #[error("the queue in RabbitMQ is missing")]
    Returned,
    /// A record is larger than RabbitMQ takes, in bytes, if it says how much that is. The channel is closed.
    #[error("a record is larger than max_message_size of RabbitMQ")]
    TooLarge(Option<usize>),
    /// The connection failed.
    #[error("{0}")]
    Connection(lapin::Error),
    /// No confirm came in time.
    #[error("RabbitMQ does not confirm records in time")]
    Timeout,
}

impl From<lapin::Error> for PublishError {
    fn from(error: lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(refusal)
                if *refusal.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
                    && refusal.get_message().as_str().contains("message size") =>
            {
                Self::TooLarge(limit_in(refusal.get_message().as_str()))
            }
            _ => Self::Connection(error),
        }
    }
}

/// Returns the limit in "message size 200 is larger than configured max size 100".
fn limit_in(text: &str) -> Option<usize> {
    let digits = text.rsplit("max size").next().filter(|rest| rest.len() < text.len())?;
    digits.trim().trim_matches(['\'', '"']).parse().ok()
}

/// Publishes records in order, and waits until RabbitMQ has confirmed all of them.
///
/// After an error, some of them may be published. It is one result for all, since the client hands a returned message
/// out with any of the confirms that arrive together.
pub(super) async fn publish(channel: &Channel, queue: &ShortString, messages: &[Message]) -> Result<(), PublishError> {
    let (mut confirms, mut result) = (Vec::with_capacity(messages.len()), Ok(()));
    // A message that no queue takes is returned, instead of being dropped and confirmed.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    for message in messages {
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type(CONTENT_TYPE.into())
            .with_message_id(hex(&message.id).into())
            .with_app_id((&*message.app_id).into());
        match channel.basic_publish("".into(), queue.clone(), options, &message.payload, properties).await {
            Ok(confirm) => confirms.push(confirm),
            Err(error) => {
                // The confirms of the records before have the reason for which RabbitMQ has closed the channel.
                result = Err(error.into());
                break;
            }
        }
    }
    for confirm in confirms {
        match confirm.await? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => return Err(PublishError::Returned),
            Confirmation::Nack(_) | Confirmation::NotRequested if result.is_ok() => result = Err(PublishError::Refused),
            Confirmation::Nack(_) | Confirmation::NotRequested => {}
        }
    }
    result
}

/// Returns the id that a message was published with. Messages of others have none.
pub(super) fn id_of(properties: &BasicProperties) -> Option<RecordId> {
    let text = properties.message_id().as_ref()?.as_str().as_bytes();
    let mut id = RecordId::default();
    if text.len() != 2 * id.len() {
        return None;
    }
    for (byte, digits) in id.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_message_is_read_from_the_refusal() {
        let text = "PRECONDITION_FAILED - message size 200 is larger than configured max size 100";
        assert_eq!(limit_in(text), Some(100));
        assert_eq!(
            limit_in("PRECONDITION_FAILED - message size 200 larger than max size 134217728"),
            Some(134_217_728)
        );
        assert_eq!(limit_in("PRECONDITION_FAILED - message size too large"), None);
    }

    #[test]
    fn ids_are_read_as_they_were_written() {
        let id: RecordId = std::array::from_fn(|index| index as u8 * 17);
        let properties = |id: &str| BasicProperties::default().with_message_id(id.into());
        assert_eq!(id_of(&properties(&hex(&id))), Some(id));
        assert_eq!(id_of(&BasicProperties::default()), None);
        for invalid in ["", "00", &"g".repeat(32), &"é".repeat(16)] {
            assert_eq!(id_of(&properties(invalid)), None, "{invalid}");
        }
    }
}
