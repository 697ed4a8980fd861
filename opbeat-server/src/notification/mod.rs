//! Notifications as plain data: the messages about activities, their receivers, and the rules by which they are sent.
//!
//! ```text
//! activities of an error ─► plan: now, later or suppressed ─► message ─► activity as JSON, text or mail
//! ```

mod activity;
mod channel;
mod message;
mod plan;
mod preferences;
mod spike;

pub(crate) use activity::activity;
pub(crate) use channel::{ChannelFilter, ChannelKind, NewChannel, site_of};
pub(crate) use message::{About, ErrorActivity, Message, Named, Suppressed};
pub(crate) use plan::{Due, Group, HOUR, is_important, plan};
pub(crate) use preferences::{Mails, Preferences};
pub(crate) use spike::{MAX_HOURS, MIN_HOURS, is_spike};
