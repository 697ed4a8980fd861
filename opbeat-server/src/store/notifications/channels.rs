//! The channels of an app.

use crate::audit::{AuditAction, ChangedBy};
use crate::notification::{ChannelFilter, ChannelKind, Message, NewChannel};
use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;
use crate::store::people::{Changed, record};

/// The largest number of channels of an app.
pub(super) const MAX_CHANNELS: i64 = 20;

/// The number of newest messages in a list.
const MAX_MESSAGES: i64 = 20;

/// A channel, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelRow {
    /// Its id.
    pub(crate) id: i64,
    /// Its kind, as it is stored.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// The URL that messages are posted to. It may be a secret.
    pub(crate) target: String,
    /// The activities that it gets, as they are stored.
    pub(crate) filter: String,
    /// When a message was last sent, or tried to, in microseconds since 1970.
    pub(crate) last_tried_at: Option<i64>,
    /// The failure of the last attempt, or an empty string.
    pub(crate) last_error: String,
    /// The number of messages that wait.
    pub(crate) waiting: i64,
}

/// A message of the outbox, as a list shows it.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    /// When it was made, in microseconds since 1970.
    pub(crate) created_at: i64,
    /// The name of the channel, or of the person.
    pub(crate) receiver: String,
    /// The message, unless a newer version of the server wrote it.
    pub(crate) message: Option<Message>,
    /// The time of the next attempt, in microseconds since 1970; `None` if it was sent or given up.
    pub(crate) due_at: Option<i64>,
    /// The number of attempts.
    pub(crate) attempts: i64,
    /// When it was sent, in microseconds since 1970.
    pub(crate) sent_at: Option<i64>,
    /// The failure of the last attempt, or an empty string.
    pub(crate) error: String,
}

impl Store {
    /// Returns the channels of an app, in the order in which they were added.
    pub(crate) async fn channels(&self, app_id: &str) -> Result<Vec<ChannelRow>, StoreError> {
        let rows = query(
            "SELECT id, kind, name, target, activities, last_tried_at, last_error,
                    (SELECT count(*) FROM notifications
                     WHERE channel_id = notification_channels.id AND due_at IS NOT NULL) AS waiting
             FROM notification_channels WHERE app_id = ? ORDER BY id LIMIT ?",
        )
        .bind(app_id)
        .bind(MAX_CHANNELS)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(channel).collect()
    }

    /// Returns a channel of an app with its secret, to change it.
    pub(crate) async fn channel_to_change(&self, app_id: &str, channel: i64) -> Result<Option<NewChannel>, StoreError> {
        let row = query(
            "SELECT kind, name, target, secret, activities FROM notification_channels WHERE app_id = ? AND id = ?",
        )
        .bind(app_id)
        .bind(channel)
        .read_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        // A newer version of the server may have written a kind that this one does not know.
        let Some(kind) = ChannelKind::of(row.try_get("kind")?) else { return Ok(None) };
        Ok(Some(NewChannel {
            kind,
            name: row.try_get("name")?,
            target: row.try_get("target")?,
            secret: row.try_get("secret")?,
            filter: ChannelFilter::of(row.try_get("activities")?).unwrap_or(ChannelFilter::Important),
        }))
    }

    /// Changes a channel of an app of an organization.
    pub(crate) async fn change_channel(
        &self,
        (organization_id, app_id, app): (&str, &str, &str),
        channel: i64,
        new: NewChannel,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, app_id, app) = (organization_id.to_owned(), app_id.to_owned(), app.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let changed = query(
                "UPDATE notification_channels SET name = ?, target = ?, secret = ?, activities = ?
                 WHERE app_id = ? AND id = ? AND kind = ?",
            )
            .bind(&new.name)
            .bind(&new.target)
            .bind(&new.secret)
            .bind(new.filter.as_str())
            .bind(&app_id)
            .bind(channel)
            .bind(new.kind.as_str())
            .execute(connection)?;
            if changed == 0 {
                return Ok(Changed::Missing);
            }
            let action = AuditAction::ChannelChanged { app, channel: new.name };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Adds a channel to an app of an organization, and returns its id. Returns `None` if there are too many.
    pub(crate) async fn add_channel(
        &self,
        (organization_id, app_id, app): (&str, &str, &str),
        new: &NewChannel,
        by: ChangedBy,
    ) -> Result<Option<i64>, StoreError> {
        let (organization_id, app_id, app) = (organization_id.to_owned(), app_id.to_owned(), app.to_owned());
        let new = new.clone();
        self.write(move |connection| {
            lock_people(connection)?;
            let count = query("SELECT count(*) FROM notification_channels WHERE app_id = ?").bind(&app_id);
            if count.fetch_one(connection)?.try_get::<i64, _>(0)? >= MAX_CHANNELS {
                return Ok(None);
            }
            let added = query(
                "INSERT INTO notification_channels (app_id, kind, name, target, secret, activities, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            )
            .bind(&app_id)
            .bind(new.kind.as_str())
            .bind(&new.name)
            .bind(&new.target)
            .bind(&new.secret)
            .bind(new.filter.as_str())
            .bind(by.at)
            .fetch_one(connection)?;
            let action = AuditAction::ChannelAdded { app, channel: new.name };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Some(added.try_get(0)?))
        })
        .await
    }

    /// Removes a channel of an app, with its messages.
    pub(crate) async fn remove_channel(
        &self,
        (organization_id, app_id, app): (&str, &str, &str),
        channel: i64,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, app_id, app) = (organization_id.to_owned(), app_id.to_owned(), app.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let name = query("SELECT name FROM notification_channels WHERE app_id = ? AND id = ?");
            let Some(name) = name.bind(&app_id).bind(channel).fetch_optional(connection)? else {
                return Ok(Changed::Missing);
            };
            let delete = query("DELETE FROM notification_channels WHERE app_id = ? AND id = ?");
            delete.bind(&app_id).bind(channel).execute(connection)?;
            let budget = query("DELETE FROM notification_budgets WHERE app_id = ? AND receiver = ?");
            budget.bind(&app_id).bind(format!("channel-{channel}")).execute(connection)?;
            let action = AuditAction::ChannelRemoved { app, channel: name.try_get(0)? };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Puts a message for a channel of an app into the outbox. Returns false if the app has no such channel.
    pub(crate) async fn send_to_channel(
        &self,
        app_id: &str,
        channel: i64,
        message: &Message,
    ) -> Result<bool, StoreError> {
        let text = serde_json::to_string(message).map_err(std::io::Error::from)?;
        let added = query(
            "INSERT INTO notifications (app_id, channel_id, message, created_at, due_at, attempts, error)
             SELECT app_id, id, ?3, ?4, ?4, 0, '' FROM notification_channels WHERE app_id = ?1 AND id = ?2",
        )
        .bind(app_id)
        .bind(channel)
        .bind(text)
        .bind(message.created_at)
        .run(&self.writer)
        .await?;
        Ok(added > 0)
    }

    /// Returns the newest messages of an app, the newest first.
    pub(crate) async fn messages(&self, app_id: &str) -> Result<Vec<MessageRow>, StoreError> {
        let rows = query(
            "SELECT created_at, message, due_at, attempts, sent_at, error, coalesce(
                 (SELECT name FROM notification_channels WHERE id = notifications.channel_id),
                 (SELECT coalesce(nullif(name, ''), email) FROM people WHERE id = notifications.person_id), '') AS receiver
             FROM notifications WHERE app_id = ? ORDER BY id DESC LIMIT ?",
        )
        .bind(app_id)
        .bind(MAX_MESSAGES)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(message).collect()
    }
}

fn channel(row: &Row<'_>) -> Result<ChannelRow, StoreError> {
    Ok(ChannelRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        target: row.try_get("target")?,
        filter: row.try_get("activities")?,
        last_tried_at: row.try_get("last_tried_at")?,
        last_error: row.try_get("last_error")?,
        waiting: row.try_get("waiting")?,
    })
}

fn message(row: &Row<'_>) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        created_at: row.try_get("created_at")?,
        receiver: row.try_get("receiver")?,
        message: serde_json::from_str(row.try_get("message")?).ok(),
        due_at: row.try_get("due_at")?,
        attempts: row.try_get("attempts")?,
        sent_at: row.try_get("sent_at")?,
        error: row.try_get("error")?,
    })
}
