//! How persons get mails.

use jiff::tz::TimeZone;

use crate::notification::{Mails, Preferences};
use crate::random::random_hex;
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;

/// The name of the time zone of a person who named none.
const UTC: &str = "UTC";

impl Store {
    /// Returns how a person gets mails.
    pub(crate) async fn preferences(&self, person_id: &str) -> Result<Preferences, StoreError> {
        let row =
            query("SELECT mails, quiet_from, quiet_to, time_zone FROM notification_preferences WHERE person_id = ?");
        let row = row.bind(person_id).read_optional(&self.readers).await?;
        row.as_ref().map_or(Ok(Preferences::default()), preferences)
    }

    /// Sets how a person gets mails. Waiting messages are given up if the person wants none.
    pub(crate) async fn set_preferences(&self, person_id: &str, new: Preferences) -> Result<(), StoreError> {
        let person_id = person_id.to_owned();
        self.write(move |connection| {
            create(connection, &person_id)?;
            let (from, to) = new.quiet.unzip();
            let update = "UPDATE notification_preferences SET mails = ?, quiet_from = ?, quiet_to = ?, time_zone = ?
                          WHERE person_id = ?";
            query(update)
                .bind(new.mails.as_str())
                .bind(from)
                .bind(to)
                .bind(new.time_zone.iana_name().unwrap_or(UTC))
                .bind(&person_id)
                .execute(connection)?;
            if new.mails == Mails::Never {
                drop_waiting(connection, &person_id)?;
            }
            Ok(())
        })
        .await
    }

    /// Returns the name of the person to whose mails a secret belongs.
    pub(crate) async fn reader_of_mails(&self, secret: &[u8]) -> Result<Option<String>, StoreError> {
        let row = query(
            "SELECT people.email FROM notification_preferences
             JOIN people ON people.id = notification_preferences.person_id WHERE unsubscribe = ?",
        );
        let row = row.bind(secret).read_optional(&self.readers).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Turns the mails off that a secret belongs to. Returns false if there is no such secret.
    pub(crate) async fn stop_mails(&self, secret: &[u8]) -> Result<bool, StoreError> {
        let secret = secret.to_vec();
        self.write(move |connection| {
            let row = query("SELECT person_id FROM notification_preferences WHERE unsubscribe = ?").bind(&secret);
            let Some(row) = row.fetch_optional(connection)? else { return Ok(false) };
            let person_id: String = row.try_get(0)?;
            query("UPDATE notification_preferences SET mails = 'never' WHERE person_id = ?")
                .bind(&person_id)
                .execute(connection)?;
            drop_waiting(connection, &person_id)?;
            Ok(true)
        })
        .await
    }
}

/// Returns when a mail to a person is sent that is made now. The person has a secret for links that turn mails off then.
pub(super) fn due_at(connection: &mut Connection, person_id: &str, now: i64) -> Result<i64, StoreError> {
    create(connection, person_id)?;
    let row = query("SELECT mails, quiet_from, quiet_to, time_zone FROM notification_preferences WHERE person_id = ?");
    Ok(preferences(&row.bind(person_id).fetch_one(connection)?)?.due_at(now))
}

fn create(connection: &mut Connection, person_id: &str) -> Result<(), StoreError> {
    let insert = "INSERT INTO notification_preferences (person_id, mails, unsubscribe) VALUES (?, ?, ?)
                  ON CONFLICT (person_id) DO NOTHING";
    query(insert)
        .bind(person_id)
        .bind(Mails::AtOnce.as_str())
        .bind(random_hex::<16>().into_bytes())
        .execute(connection)?;
    Ok(())
}

fn drop_waiting(connection: &mut Connection, person_id: &str) -> Result<(), StoreError> {
    query("UPDATE notifications SET due_at = NULL, error = ? WHERE person_id = ? AND due_at IS NOT NULL")
        .bind("the person turned mails off")
        .bind(person_id)
        .execute(connection)?;
    Ok(())
}

fn preferences(row: &Row<'_>) -> Result<Preferences, StoreError> {
    let (from, to): (Option<i64>, Option<i64>) = (row.try_get("quiet_from")?, row.try_get("quiet_to")?);
    // A newer version of the server may have written another text.
    let mails = Mails::of(row.try_get("mails")?).unwrap_or_default();
    // So may a server with a newer database of time zones.
    let time_zone = TimeZone::get(row.try_get("time_zone")?).unwrap_or(TimeZone::UTC);
    Ok(Preferences { mails, quiet: from.zip(to), time_zone })
}
