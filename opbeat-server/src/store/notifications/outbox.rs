//! The outbox: a row for each message and receiver, which one worker at a time sends.
//!
//! A worker that claims a row moves the time of its next attempt ahead. If the worker dies, the row is due again then: a
//! message is sent at least once, and mostly exactly once.

use std::collections::BTreeSet;

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

/// A message that this worker sends.
#[derive(Clone)]
pub(crate) struct Claimed {
    /// Its id in the outbox.
    pub(crate) id: i64,
    /// The number of attempts with this one.
    pub(crate) attempts: i64,
    /// The receiver.
    pub(crate) receiver: Receiver,
    /// The message, unless a newer version of the server wrote it.
    pub(crate) message: Option<Message>,
}

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
    /// Claims messages that are due, at most one of each receiver, and none of those that are busy or have just failed. Other workers leave them
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
                    notification_channels.secret, notifications.person_id, people.email
             FROM notifications
             LEFT JOIN notification_channels ON notification_channels.id = notifications.channel_id
             LEFT JOIN people ON people.id = notifications.person_id
             WHERE notifications.due_at <= ?1 AND (notification_channels.id IS NULL
                 OR notification_channels.last_error = '' OR notification_channels.last_tried_at <= ?2)
             ORDER BY notifications.due_at, notifications.id LIMIT ?3",
        );
        let rows = rows.bind(now).bind(now.saturating_sub(PAUSE)).bind(MAX_LOOKED_AT).read_all(&self.readers).await?;
        let mut busy = busy;
        let mut chosen = Vec::new();
        for row in &rows {
            let claimed = claimed(row)?;
            if chosen.len() < limit && busy.insert(claimed.receiver.key()) {
                chosen.push((claimed, row.try_get::<i64, _>("due_at")?));
            }
        }
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut own = Vec::new();
            for (claimed, due_at) in chosen {
                let claim =
                    query("UPDATE notifications SET due_at = ?, attempts = attempts + 1, error = '' WHERE id = ? AND due_at = ?");
                if claim.bind(until).bind(claimed.id).bind(due_at).execute(connection)? > 0 {
                    own.push(claimed);
                }
            }
            Ok(own)
        })
        .await
    }

    /// Stores the result of an attempt.
    pub(crate) async fn finish_message(&self, claimed: &Claimed, outcome: Outcome, now: i64) -> Result<(), StoreError> {
        let (id, receiver) = (claimed.id, claimed.receiver.clone());
        self.write(move |connection| {
            let (due_at, sent_at, error) = match outcome {
                Outcome::Sent => (None, Some(now), String::new()),
                Outcome::Later(error, at) => (Some(at), None, error),
                Outcome::GivenUp(error) => (None, None, error),
            };
            query("UPDATE notifications SET due_at = ?, sent_at = ?, error = ? WHERE id = ?")
                .bind(due_at)
                .bind(sent_at)
                .bind(&error)
                .bind(id)
                .execute(connection)?;
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
    .bind(message.created_at)
    .execute(connection)?;
    Ok(())
}

fn claimed(row: &Row<'_>) -> Result<Claimed, StoreError> {
    let receiver = match row.try_get::<Option<i64>, _>("channel_id")? {
        Some(id) => Receiver::Channel {
            id,
            kind: row.try_get::<Option<String>, _>("kind")?.unwrap_or_default(),
            target: row.try_get::<Option<String>, _>("target")?.unwrap_or_default(),
            secret: row.try_get::<Option<String>, _>("secret")?.unwrap_or_default(),
        },
        None => Receiver::Person {
            id: row.try_get::<Option<String>, _>("person_id")?.unwrap_or_default(),
            email: row.try_get::<Option<String>, _>("email")?.unwrap_or_default(),
        },
    };
    Ok(Claimed {
        id: row.try_get("id")?,
        attempts: row.try_get::<i64, _>("attempts")?.saturating_add(1),
        receiver,
        message: serde_json::from_str(row.try_get("message")?).ok(),
    })
}
