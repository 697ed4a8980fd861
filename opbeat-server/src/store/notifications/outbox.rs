//! The outbox: a row for each message and receiver, which one worker at a time sends.
//!
//! A worker that claims a row moves the time of its next attempt ahead. If the worker dies, the row is due again then: a
//! message is sent at least once, and mostly exactly once.

use std::collections::{BTreeMap, BTreeSet};

use super::preferences;
use super::recipients::To;
use crate::notification::Message;
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;

/// The number of rows among which those of free receivers are looked for.
const MAX_LOOKED_AT: i64 = 500;

/// The time for which a channel is left alone after a failure, in microseconds, so that one that does not answer is not asked
/// again and again.
const PAUSE: i64 = 30_000_000;

/// The receiver of a claimed message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// A channel of an app.
    Channel {
        /// Its id.
        id: i64,
        /// Its kind, as it is stored.
        kind: String,
        /// The URL that it is posted to.
        target: String,
        /// The key of the signatures, or an empty string.
        secret: String,
    },
    /// A person, who gets a mail.
    Person {
        /// The id.
        id: String,
        /// The e-mail address.
        email: String,
        /// The secret of the link that turns mails off.
        unsubscribe: Vec<u8>,
    },
}

impl Receiver {
    /// Returns a text that no other receiver has.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Channel { id, .. } => To::Channel(*id).text(),
            Self::Person { id, .. } => id.clone(),
        }
    }
}

/// Messages that this worker sends to one receiver: one to a channel, and all that are due to a person.
#[derive(Clone)]
pub(crate) struct Claimed {
    /// Their ids in the outbox.
    pub(crate) ids: Vec<i64>,
    /// The largest number of attempts, with this one.
    pub(crate) attempts: i64,
    /// The receiver.
    pub(crate) receiver: Receiver,
    /// The messages, without those that a newer version of the server wrote.
    pub(crate) messages: Vec<Message>,
}

/// The largest number of messages in one mail.
const MAX_IN_MAIL: usize = 50;

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The receiver took it.
    Sent,
    /// It failed, and is tried again at a time, in microseconds since 1970.
    Later(String, i64),
    /// It failed, and is not tried again.
    GivenUp(String),
}

impl Store {
    /// Claims messages that are due, of each channel at most one, and none of those that are busy or have just failed. Other workers leave them
    /// alone until `until`, in microseconds since 1970.
    pub(crate) async fn claim_messages(
        &self,
        (now, until): (i64, i64),
        busy: BTreeSet<String>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let rows = query(
            "SELECT notifications.id, notifications.message, notifications.due_at, notifications.attempts,
                    notifications.channel_id, notification_channels.kind, notification_channels.target,
                    notification_channels.secret, notifications.person_id, people.email,
                    notification_preferences.unsubscribe
             FROM notifications
             LEFT JOIN notification_channels ON notification_channels.id = notifications.channel_id
             LEFT JOIN people ON people.id = notifications.person_id
             LEFT JOIN notification_preferences ON notification_preferences.person_id = notifications.person_id
             WHERE notifications.due_at <= ?1 AND (notification_channels.id IS NULL
                 OR notification_channels.last_error = '' OR notification_channels.last_tried_at <= ?2)
             ORDER BY notifications.due_at, notifications.id LIMIT ?3",
        );
        let rows = rows.bind(now).bind(now.saturating_sub(PAUSE)).bind(MAX_LOOKED_AT).read_all(&self.readers).await?;
        let chosen = choose(&rows, &busy, limit)?;
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut own = Vec::new();
            for (mut claimed, rows) in chosen {
                for (id, due_at, message) in rows {
                    let claim = query(
                        "UPDATE notifications SET due_at = ?, attempts = attempts + 1, error = ''
                         WHERE id = ? AND due_at = ?",
                    );
                    if claim.bind(until).bind(id).bind(due_at).execute(connection)? > 0 {
                        claimed.ids.push(id);
                        claimed.messages.extend(message);
                    }
                }
                if !claimed.ids.is_empty() {
                    own.push(claimed);
                }
            }
            Ok(own)
        })
        .await
    }

    /// Stores the result of an attempt.
    pub(crate) async fn finish_message(&self, claimed: &Claimed, outcome: Outcome, now: i64) -> Result<(), StoreError> {
        let (ids, receiver) = (claimed.ids.clone(), claimed.receiver.clone());
        self.write(move |connection| {
            let (due_at, sent_at, error) = match outcome {
                Outcome::Sent => (None, Some(now), String::new()),
                Outcome::Later(error, at) => (Some(at), None, error),
                Outcome::GivenUp(error) => (None, None, error),
            };
            for id in ids {
                query("UPDATE notifications SET due_at = ?, sent_at = ?, error = ? WHERE id = ?")
                    .bind(due_at)
                    .bind(sent_at)
                    .bind(&error)
                    .bind(id)
                    .execute(connection)?;
            }
            let Receiver::Channel { id: channel, .. } = receiver else { return Ok(()) };
            query("UPDATE notification_channels SET last_tried_at = ?, last_error = ? WHERE id = ?")
                .bind(now)
                .bind(&error)
                .bind(channel)
                .execute(connection)?;
            Ok(())
        })
        .await
    }
}

/// Adds a message.
pub(super) fn add(connection: &mut Connection, to: &To, message: &Message) -> Result<(), StoreError> {
    let due_at = match to {
        To::Channel(_) => message.created_at,
        To::Person(id) => preferences::due_at(connection, id, message.created_at)?,
    };
    let (channel, person) = match to {
        To::Channel(id) => (Some(*id), None),
        To::Person(id) => (None, Some(id.as_str())),
    };
    let text = serde_json::to_string(message).map_err(std::io::Error::from)?;
    query(
        "INSERT INTO notifications (app_id, channel_id, person_id, message, created_at, due_at, attempts, error)
         VALUES (?, ?, ?, ?, ?, ?, 0, '')",
    )
    .bind(&message.app.id)
    .bind(channel)
    .bind(person)
    .bind(text)
    .bind(message.created_at)
    .bind(due_at)
    .execute(connection)?;
    Ok(())
}

/// A message that is due: its id, the time, and the message unless a newer version of the server wrote it.
type DueRow = (i64, i64, Option<Message>);

/// Chooses the rows of some receivers that are not busy.
fn choose(rows: &[Row<'_>], busy: &BTreeSet<String>, limit: usize) -> Result<Vec<(Claimed, Vec<DueRow>)>, StoreError> {
    let mut chosen: BTreeMap<String, (Claimed, Vec<DueRow>)> = BTreeMap::new();
    for row in rows {
        let receiver = receiver(row)?;
        let key = receiver.key();
        if busy.contains(&key) {
            continue;
        }
        let due = (row.try_get("id")?, row.try_get("due_at")?, serde_json::from_str(row.try_get("message")?).ok());
        let attempts = row.try_get::<i64, _>("attempts")?.saturating_add(1);
        let is_person = matches!(receiver, Receiver::Person { .. });
        let has_room = chosen.len() < limit;
        match chosen.get_mut(&key) {
            Some((claimed, rows)) if is_person && rows.len() < MAX_IN_MAIL => {
                claimed.attempts = claimed.attempts.max(attempts);
                rows.push(due);
            }
            Some(_) => {}
            None if has_room => {
                let claimed = Claimed { ids: Vec::new(), attempts, receiver, messages: Vec::new() };
                chosen.insert(key, (claimed, vec![due]));
            }
            None => {}
        }
    }
    Ok(chosen.into_values().collect())
}

fn receiver(row: &Row<'_>) -> Result<Receiver, StoreError> {
    let text =
        |column: &'static str| Ok::<_, StoreError>(row.try_get::<Option<String>, _>(column)?.unwrap_or_default());
    Ok(match row.try_get::<Option<i64>, _>("channel_id")? {
        Some(id) => Receiver::Channel { id, kind: text("kind")?, target: text("target")?, secret: text("secret")? },
        None => Receiver::Person {
            id: text("person_id")?,
            email: text("email")?,
            unsubscribe: row.try_get::<Option<Vec<u8>>, _>("unsubscribe")?.unwrap_or_default(),
        },
    })
}
