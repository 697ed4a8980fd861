//! The times at which names are judged.
//!
//! Each look is one more chance of a false report. Half an hour can be within one episode of noise, of which the typical
//! noise says nothing, so earlier looks ask for more standard errors.

/// A time after a change at which names are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// After half an hour: finds large changes of busy names.
    HalfHour,
    /// After an hour.
    Hour,
    /// After three hours: finds most changes of names with a request a minute.
    ThreeHours,
    /// After a day: also finds changes of names with a request every five minutes.
    Day,
}

impl Look {
    /// All looks, in the order of time.
    pub const ALL: [Self; 4] = [Self::HalfHour, Self::Hour, Self::ThreeHours, Self::Day];

    /// Returns the minutes between the end of the deployment and the look.
    #[must_use]
    pub const fn minutes(self) -> usize {
        match self {
            Self::HalfHour => 30,
            Self::Hour => 60,
            Self::ThreeHours => 180,
            Self::Day => 1_440,
        }
    }

    /// Returns the standard errors that an effect needs to be reported, after a release.
    #[must_use]
    pub const fn limit(self) -> f64 {
        match self {
            Self::HalfHour => 6.0,
            Self::Hour => 5.0,
            Self::ThreeHours => 2.6,
            Self::Day => 2.5,
        }
    }

    /// Returns the number of parts of the time after that must each show half of the effect.
    ///
    /// An episode of noise lasts up to 40 minutes. It can be in both halves of the 50 minutes of the second look, but hardly in
    /// all thirds of them.
    pub(crate) const fn parts(self) -> usize {
        match self {
            Self::HalfHour | Self::Day => 2,
            Self::Hour | Self::ThreeHours => 3,
        }
    }

    /// Returns the smallest effect that is reported, on the logarithmic scale: ×1.6 after half an hour, which can be within
    /// one episode of noise, and ×1.19 later.
    pub(crate) const fn smallest_effect(self) -> f64 {
        match self {
            Self::HalfHour => 0.47,
            Self::Hour | Self::ThreeHours | Self::Day => 0.17,
        }
    }
}
