//! The queue in RabbitMQ.
//!
//! ```text
//! Publisher ─► group of records ─► published, confirmed ──────────────────► answered
//!                    │ RabbitMQ is away, slow, full or blocked, or the
//!                    │ spool still has records
//!                    ▼
//!                  spool, synced ─► answered           drain: the spool ─► published, confirmed ─► released
//!                                                         │ too large for RabbitMQ
//!                                                         └─► set aside in a folder, until the next start
//!
//! Consumer ◄─ opbeat.intake ── 20 deliveries without an acknowledgement ─► opbeat.dead ─► Consumer, set aside
//! ```
//!
//! Both queues are quorum queues, so that confirmed records survive the loss of a node. A record has an id from intake
//! on, so that a record that was published twice, or delivered twice, is stored once.
//!
//! `Link` keeps one connection for publishing, and the consumer has one of its own: RabbitMQ stops reading from
//! connections that publish when its memory or its disk is low.

mod address;
mod condition;
mod consumer;
mod drain;
mod link;
mod outage;
mod publish;
mod publisher;
#[cfg(test)]
mod tests;
mod tls;

pub(crate) use address::{AmqpAddress, InvalidAddress};
pub(crate) use condition::BrokerCondition;
pub(crate) use consumer::Consumer;
pub(crate) use link::Connections;
pub(crate) use publisher::Publisher;
