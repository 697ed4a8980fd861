//! How persons get mails.

use super::handle::{People, Refused};
use crate::notification::{Mails, Preferences};
use crate::store::{Rights, StoreError};

impl People {
    /// Changes how the person who is signed in gets mails. Times are texts such as `22:00`, in UTC, and empty for no quiet
    /// hours.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, the reader is no person, or the database fails.
    pub(crate) async fn change_mails(&self, rights: &Rights, mails: &str, quiet: (&str, &str)) -> Result<(), Refused> {
        const NO_TIMES: Refused =
            Refused::invalid("quiet_from", "Quiet hours need a start and another end, such as 22:00 and 07:00.");
        let person = rights.person().ok_or(Refused::Missing("person"))?;
        let mails = Mails::of(mails).ok_or(Refused::invalid("mails", "Choose when you get mails."))?;
        let quiet = match quiet {
            ("", "") => None,
            (from, to) => {
                let times = minutes(from).zip(minutes(to)).filter(|(from, to)| from != to);
                Some(times.ok_or(NO_TIMES)?)
            }
        };
        Ok(self.store.set_preferences(person, Preferences { mails, quiet }).await?)
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

/// Returns the minutes after midnight of a time such as `22:00`.
fn minutes(time: &str) -> Option<i64> {
    let (hours, minutes) = time.split_once(':')?;
    let number = |digits: &str| digits.parse::<u8>().ok().filter(|_| digits.len() == 2).map(i64::from);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
