//! How a person gets mails: at once, collected, or not at all; and the hours in which none is sent.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::plan::HOUR;

/// When a person gets mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mails {
    /// Each at once.
    #[default]
    AtOnce,
    /// Those of an hour in one.
    Digest,
    /// None.
    Never,
}

impl Mails {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::AtOnce, Self::Digest, Self::Never];

    /// Returns it as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Digest => "digest",
            Self::Never => "never",
        }
    }

    /// Returns it as people read it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::AtOnce => "each at once",
            Self::Digest => "once an hour, in one mail",
            Self::Never => "never",
        }
    }

    /// Returns that of a text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mails| mails.as_str() == text)
    }
}

/// How a person gets mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// When.
    pub(crate) mails: Mails,
    /// The start and the end of the quiet hours, in minutes after midnight in the person's time zone. They may contain
    /// midnight.
    pub(crate) quiet: Option<(i64, i64)>,
    /// The time zone of the quiet hours, such as `Europe/Vienna` in IANA's database.
    pub(crate) time_zone: TimeZone,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { mails: Mails::default(), quiet: None, time_zone: TimeZone::UTC }
    }
}

impl Preferences {
    /// Returns the time at which a message is sent that is made now. All times are in microseconds since 1970.
    pub(crate) fn due_at(&self, now: i64) -> i64 {
        let at = match self.mails {
            Mails::Digest => now - now.rem_euclid(HOUR) + HOUR,
            Mails::AtOnce | Mails::Never => now,
        };
        self.quiet.and_then(|quiet| self.end_of_quiet(quiet, at)).unwrap_or(at)
    }

    /// Returns the end of the quiet hours that contain a time, if they do. The clock may be changed in between.
    fn end_of_quiet(&self, (from, to): (i64, i64), at: i64) -> Option<i64> {
        let local = self.time_zone.to_datetime(Timestamp::from_microsecond(at).ok()?);
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let is_quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        if !is_quiet {
            return None;
        }
        let day = if minute < to { local.date() } else { local.date().tomorrow().ok()? };
        let end = day.at(i8::try_from(to / 60).ok()?, i8::try_from(to % 60).ok()?, 0, 0);
        Some(self.time_zone.to_timestamp(end).ok()?.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_wait_for_the_digest_and_the_end_of_the_quiet_hours() {
        let at = |hour: i64, minute: i64| (hour * 60 + minute) * 60_000_000;
        let digest = Preferences { mails: Mails::Digest, ..Preferences::default() };
        assert_eq!((digest.due_at(at(7, 0)), digest.due_at(at(7, 59))), (at(8, 0), at(8, 0)));
        let night = Preferences { quiet: Some((22 * 60, 7 * 60)), ..Preferences::default() };
        for (now, expected) in [
            (at(21, 59), at(21, 59)),
            (at(22, 0), at(24 + 7, 0)),
            (at(6, 59) + 1, at(7, 0)),
            (at(7, 0), at(7, 0)),
            (at(24 + 3, 30), at(24 + 7, 0)),
        ] {
            assert_eq!(night.due_at(now), expected);
        }
        let both = Preferences { mails: Mails::Digest, ..night };
        assert_eq!(both.due_at(at(21, 30)), at(24 + 7, 0));
        let noon = Preferences { quiet: Some((12 * 60, 13 * 60)), ..Preferences::default() };
        assert_eq!((noon.due_at(at(12, 30)), noon.due_at(at(13, 0))), (at(13, 0), at(13, 0)));
    }

    #[test]
    fn quiet_hours_are_those_of_the_persons_time_zone() {
        let time_zone = TimeZone::get("Europe/Vienna").unwrap();
        let night = Preferences { quiet: Some((22 * 60, 7 * 60)), time_zone, ..Preferences::default() };
        for (now, expected) in [
            ("2026-11-28T20:30:00Z", "2026-11-28T20:30:00Z"),
            ("2026-11-28T21:30:00Z", "2026-11-29T06:00:00Z"),
            ("2026-07-01T20:00:00Z", "2026-07-02T05:00:00Z"),
            // The clock goes back in this night, at 01:00 UTC.
            ("2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"),
        ] {
            let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
            assert_eq!(night.due_at(micros(now)), micros(expected), "{now}");
        }
    }
}
