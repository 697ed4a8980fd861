//! Messages of RabbitMQ through lapin: published messages as spans, and consumed ones as transactions.
//!
//! A published message has the headers `traceparent`, `tracestate` and `baggage`, so the transaction of its consumer
//! continues the trace.
//!
//! # Examples
//!
//! ```no_run
//! # use futures_util::StreamExt as _;
//! # use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions};
//! use opbeat_instrument::lapin::{Channel, Consumer};
//!
//! # async fn send(_mail: &[u8]) {}
//! # async fn run(agent: opbeat_core::Agent, connection: lapin::Connection) -> lapin::Result<()> {
//! let channel = Channel::new(connection.create_channel().await?);
//! channel.basic_publish("".into(), "mails".into(), BasicPublishOptions::default(), b"hello", Default::default()).await?;
//!
//! let consumer = channel.basic_consume("mails".into(), "".into(), BasicConsumeOptions::default(), Default::default());
//! let mut consumer = Consumer::new(&agent, consumer.await?);
//! while let Some(delivery) = consumer.next().await {
//!     let delivery = delivery?;
//!     delivery.wrap(send(&delivery.data)).await;
//!     delivery.ack(BasicAckOptions::default()).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod consumer;
mod delivery;
mod headers;
mod publish;

pub use consumer::Consumer;
pub use delivery::Delivery;
pub use publish::{Channel, Confirm};
