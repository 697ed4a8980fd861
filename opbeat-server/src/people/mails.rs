//! How persons get mails.

use jiff::tz::TimeZone;

use super::handle::{People, Refused};
use crate::notification::{Mails, Preferences};
use crate::store::{Rights, StoreError};

impl People {
    /// Changes how the person who is signed in gets mails. Quiet hours are texts such as `22:00`, which are empty if there
    /// are none, and the name of their time zone, which is empty for UTC.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, the reader is no person, or the database fails.
    pub(crate) async fn change_mails(
        &self,
        rights: &Rights,
        mails: &str,
        (from, to, time_zone): (&str, &str, &str),
    ) -> Result<(), Refused> {
        const NO_TIMES: Refused =
            Refused::invalid("quiet_from", "Quiet hours need a start and another end, such as 22:00 and 07:00.");
        const NO_ZONE: Refused =
            Refused::invalid("time_zone", "No time zone has this name. Use one such as Europe/Vienna, or UTC.");
        let person = rights.person().ok_or(Refused::Missing("person"))?;
        let mails = Mails::of(mails).ok_or(Refused::invalid("mails", "Choose when you get mails."))?;
        let time_zone = zone(time_zone.trim()).ok_or(NO_ZONE)?;
        let quiet = match (from, to) {
            ("", "") => None,
            (from, to) => {
                let times = minutes(from).zip(minutes(to)).filter(|(from, to)| from != to);
                Some(times.ok_or(NO_TIMES)?)
            }
        };
        Ok(self.store.set_preferences(person, Preferences { mails, quiet, time_zone }).await?)
    }

    /// Turns the mails off that the secret of a link belongs to. Returns false if there is no such link.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub(crate) async fn stop_mails(&self, secret: &str) -> Result<bool, StoreError> {
        self.store.stop_mails(secret.as_bytes()).await
    }
}

/// Returns the time zone of a name, and UTC if the name is empty.
fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

/// Returns the minutes after midnight of a time such as `22:00`.
fn minutes(time: &str) -> Option<i64> {
    let (hours, minutes) = time.split_once(':')?;
    let number = |digits: &str| digits.parse::<u8>().ok().filter(|_| digits.len() == 2).map(i64::from);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
