//! Notifications: messages to people and programs about the activities of errors, after they are stored.
//!
//! ```text
//! activities that are due ─► routing: receivers, cool-down, budget ─► outbox ─► a lease ─► webhook, chat or mail
//!                            (one transaction of the store)             ▲                        │ failed
//!                                                                       └── later, at most six times
//! ```
//!
//! Nothing here is on the path of intake: an activity is a row that the worker has stored. A message is sent at least once.

mod channels;
mod config;
mod failure;
mod mail;
mod outgoing;
mod phone;
mod rounds;
mod sender;
mod slack;
mod webhook;

pub(crate) use channels::{AppChannels, ChannelChange, Channels};
pub use config::{MailConfig, NotificationConfig};
pub(crate) use rounds::notify;
pub(crate) use sender::Notifier;
