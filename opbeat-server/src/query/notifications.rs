//! The channels of an app, and its newest notifications.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::notification::site_of;
use crate::store::{ChannelRow, MessageRow, Rights};

/// A channel of an app, without its secrets: the token, and the path of its URL.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    /// The id.
    pub(crate) id: i64,
    /// `webhook`, `slack`, `ntfy` or `pushover`.
    pub(crate) kind: String,
    /// The name.
    pub(crate) name: String,
    /// The scheme and the host of its URL; `null` for a token that may not change channels.
    pub(crate) site: Option<String>,
    /// The activities that it gets: `important` for new errors and those that happen again, or `all`.
    pub(crate) activities: String,
    /// When a message was last sent, or tried to, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) last_tried_at: Option<Timestamp>,
    /// The failure of the last attempt, or an empty string.
    pub(crate) last_error: String,
    /// The number of messages that wait.
    pub(crate) waiting: i64,
}

impl Query {
    /// Returns the channels of an app, in the order in which they were added.
    pub(crate) async fn channels(&self, app: &AppIdentity) -> Result<Vec<ChannelRow>, QueryError> {
        self.store.channels(&app.id).await
    }

    /// Returns the channels of an app for a program, as its rights allow.
    pub(crate) async fn channel_views(&self, app: &AppIdentity, rights: &Rights) -> Result<Vec<Channel>, QueryError> {
        let is_admin = rights.may_administer(&app.organization_id);
        let view = |row: ChannelRow| Channel {
            id: row.id,
            kind: row.kind,
            name: row.name,
            site: is_admin.then(|| site_of(&row.target)),
            activities: row.filter,
            last_tried_at: row.last_tried_at.map(from_micros),
            last_error: row.last_error,
            waiting: row.waiting,
        };
        Ok(self.channels(app).await?.into_iter().map(view).collect())
    }

    /// Returns the newest notifications of an app, the newest first.
    pub(crate) async fn notifications(&self, app: &AppIdentity) -> Result<Vec<MessageRow>, QueryError> {
        self.store.messages(&app.id).await
    }
}
