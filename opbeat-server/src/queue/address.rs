//! The address of the queue.

/// The place of the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
