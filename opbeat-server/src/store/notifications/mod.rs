//! Notifications: the channels of apps, the routing of activities to receivers, and the outbox.

mod budget;
mod channels;
mod outbox;
mod preferences;
mod recipients;
mod routing;
mod spikes;

pub(crate) use channels::{ChannelRow, MessageRow};
pub(crate) use outbox::{Claimed, Outcome, Receiver};
pub(crate) use routing::Routing;
