//! The address of RabbitMQ, and the names and properties of the queues in it.

use std::fmt;
use std::path::PathBuf;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri};

use crate::trust::TrustError;

/// The number of deliveries after which RabbitMQ gives a record up, and moves it to the dead letters.
pub(super) const DELIVERY_LIMIT: i64 = 20;

/// The time in seconds after which a silent connection counts as dead, unless the URL has another one.
const HEARTBEAT: u16 = 10;

/// The address of RabbitMQ. Its password is omitted from logs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AmqpAddress {
    pub(super) uri: AMQPUri,
    prefix: String,
    /// The file with the certificates of the authorities that are trusted, unless those of the system are.
    pub(super) authorities: Option<PathBuf>,
}

impl fmt::Debug for AmqpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { authority, vhost, .. } = &self.uri;
        let (host, port) = (&authority.host, authority.port);
        f.debug_struct("AmqpAddress").field("host", host).field("port", &port).field("vhost", vhost).finish()
    }
}

/// The URL of RabbitMQ cannot be used. It is not shown, since it can contain a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidAddress {
    /// It is no URL of AMQP.
    #[error("the URL of RabbitMQ is invalid; it looks like amqp://user:password@host:5672/vhost")]
    NoUrl,
    /// The certificates of authorities cannot be used.
    #[error("the connection to RabbitMQ cannot be encrypted: {0}")]
    Trust(#[from] TrustError),
    /// It names authorities, and asks for a connection without encryption.
    #[error("cacertfile in the URL of RabbitMQ needs a URL that starts with amqps://")]
    NotEncrypted,
}

impl AmqpAddress {
    /// Parses the URL of RabbitMQ. Its parameter `prefix` replaces `opbeat` in the names of the queues, and `cacertfile`
    /// is the file with the authorities of `amqps`.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not a URL of AMQP, or the authorities cannot be read.
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidAddress> {
        let mut uri: AMQPUri = url.parse().map_err(|_: String| InvalidAddress::NoUrl)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let prefix = parameter("prefix").unwrap_or("opbeat").to_owned();
        let authorities = parameter("cacertfile").map(PathBuf::from);
        let address = Self { uri, prefix, authorities };
        match address.is_encrypted() {
            true => drop(address.tls()?),
            false if address.authorities.is_some() => return Err(InvalidAddress::NotEncrypted),
            false => {}
        }
        Ok(address)
    }

    /// Returns whether connections are encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    /// Returns the name of the queue with the records.
    pub(super) fn intake(&self) -> ShortString {
        format!("{}.intake", self.prefix).into()
    }

    /// Returns the name of the queue with the records that RabbitMQ gave up.
    pub(super) fn dead(&self) -> ShortString {
        format!("{}.dead", self.prefix).into()
    }

    /// Declares both queues. RabbitMQ refuses this if they exist with other properties.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(self.dead(), options, table([("x-queue-type", text("quorum"))])).await?;
        let properties = table([
            ("x-queue-type", text("quorum")),
            // A full queue refuses, so that records stay in the spool instead of being dropped.
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(self.dead().as_str())),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-delivery-limit", AMQPValue::LongLongInt(DELIVERY_LIMIT)),
        ]);
        channel.queue_declare(self.intake(), options, properties).await?;
        Ok(())
    }

    /// Returns the number of records that wait for a worker.
    pub(super) async fn ready(&self, channel: &Channel) -> lapin::Result<u64> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(self.intake(), options, FieldTable::default()).await?;
        Ok(u64::from(queue.message_count()))
    }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn table<const N: usize>(pairs: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in pairs {
        table.insert(name.into(), value);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_shown_and_the_prefix_names_the_queues() {
        let address = AmqpAddress::parse("amqp://opbeat:hunter2@mq.example:5673/%2f?prefix=a").unwrap();
        assert!(!format!("{address:?}").contains("hunter2"));
        assert_eq!((address.intake().as_str(), address.dead().as_str()), ("a.intake", "a.dead"));
        assert_eq!(AmqpAddress::parse("amqp://mq.example").unwrap().intake().as_str(), "opbeat.intake");
        for invalid in [
            "http://mq.example",
            "amqp:opbeat:hunter2@mq.example",
            "amqps://opbeat:hunter2@mq.example?cacertfile=/none.crt",
            "amqp://opbeat:hunter2@mq.example?cacertfile=/none.crt",
        ] {
            let error = AmqpAddress::parse(invalid).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
