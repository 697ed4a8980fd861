//! Notifications: the channels of apps, the routing of activities to receivers, and the outbox.

mod budget;
mod channels;
mod outbox;
mod recipients;
mod routing;

pub(crate) use channels::{ChannelRow, MessageRow};
pub(crate) use outbox::{Claimed, Outcome, Receiver};
pub(crate) use routing::Routing;
