//! The channels of an app, and its newest notifications.

use super::{AppIdentity, Query, QueryError};
use crate::store::{ChannelRow, MessageRow};

impl Query {
    /// Returns the channels of an app, in the order in which they were added.
    pub(crate) async fn channels(&self, app: &AppIdentity) -> Result<Vec<ChannelRow>, QueryError> {
        self.store.channels(&app.id).await
    }

    /// Returns the newest notifications of an app, the newest first.
    pub(crate) async fn notifications(&self, app: &AppIdentity) -> Result<Vec<MessageRow>, QueryError> {
        self.store.messages(&app.id).await
    }
}
