//! The address of the queue.

use std::fmt;

use crate::text::without_password;

/// The place of the queue.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum QueueAddress {
    /// The data folder of this process.
    #[default]
    Embedded,
    /// RabbitMQ, by its URL: `amqp://user:password@host:5672/vhost`.
    ///
    /// The parameter `prefix` of the URL replaces `opbeat` in the names of the queues. So two installations can share a
    /// virtual host.
    Amqp(String),
}

/// The URL's password is hidden.
impl fmt::Debug for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("Embedded"),
            Self::Amqp(url) => f.debug_tuple("Amqp").field(&without_password(url)).finish(),
        }
    }
}
