//! How a person gets mails: at once, collected, or not at all; and the hours in which none is sent.

use super::plan::HOUR;

/// A minute in microseconds.
const MINUTE: i64 = 60_000_000;

/// The minutes of a day.
const DAY_MINUTES: i64 = 1_440;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// When.
    pub(crate) mails: Mails,
    /// The start and the end of the quiet hours, in minutes after midnight, UTC. They may contain midnight.
    pub(crate) quiet: Option<(i64, i64)>,
}

impl Preferences {
    /// Returns the time at which a message is sent that is made now. All times are in microseconds since 1970.
    pub(crate) fn due_at(self, now: i64) -> i64 {
        let at = match self.mails {
            Mails::Digest => now - now.rem_euclid(HOUR) + HOUR,
            Mails::AtOnce | Mails::Never => now,
        };
        let Some((from, to)) = self.quiet else { return at };
        let minute = at.div_euclid(MINUTE).rem_euclid(DAY_MINUTES);
        let is_quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        if !is_quiet {
            return at;
        }
        let wait = (to - minute).rem_euclid(DAY_MINUTES);
        at - at.rem_euclid(MINUTE) + wait * MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_wait_for_the_digest_and_the_end_of_the_quiet_hours() {
        let at = |hour: i64, minute: i64| (hour * 60 + minute) * MINUTE;
        let digest = Preferences { mails: Mails::Digest, quiet: None };
        assert_eq!((digest.due_at(at(7, 0)), digest.due_at(at(7, 59))), (at(8, 0), at(8, 0)));
        let night = Preferences { mails: Mails::AtOnce, quiet: Some((22 * 60, 7 * 60)) };
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
        let noon = Preferences { mails: Mails::AtOnce, quiet: Some((12 * 60, 13 * 60)) };
        assert_eq!((noon.due_at(at(12, 30)), noon.due_at(at(13, 0))), (at(13, 0), at(13, 0)));
    }
}
