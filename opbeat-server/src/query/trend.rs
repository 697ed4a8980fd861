//! The steps of the small charts in tables.

use super::Range;
use crate::changes::RESOLUTIONS;

/// The largest number of steps.
const MAX_STEPS: i64 = 32;

/// The smallest number of rows of a resolution that make a trend.
const MIN_ROWS: i64 = 14;

/// A range in few equal steps, of which few rows of the store stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trend {
    /// The length of a row, in seconds.
    pub(super) resolution: i64,
    /// The start of the first step, in seconds since 1970.
    pub(super) from: i64,
    /// The number of steps.
    pub(super) steps: usize,
    step: i64,
}

impl Trend {
    /// Divides a range.
    pub(super) fn of(range: &Range) -> Self {
        let length = range.to - range.from;
        let longer = RESOLUTIONS.iter().rev().map(|row| row.seconds).filter(|row| *row >= range.resolution);
        let resolution = longer.into_iter().find(|row| length / row >= MIN_ROWS).unwrap_or(range.resolution);
        let from = range.from - range.from.rem_euclid(resolution);
        let step = resolution * (((range.to - from) / resolution).max(1) + MAX_STEPS - 1).div_euclid(MAX_STEPS);
        let steps = (range.to - from + step - 1) / step;
        Self { resolution, from, steps: usize::try_from(steps).unwrap_or(0), step }
    }

    /// Returns the step of a time in seconds since 1970. A row of a longer time can begin before the first one.
    pub(super) fn step_of(&self, start: i64) -> usize {
        usize::try_from((start - self.from).max(0) / self.step).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::query::RANGES;

    #[test]
    fn ranges_have_14_to_32_steps() {
        for (name, _) in RANGES {
            let range = Range::named(name, Timestamp::from_second(1_700_000_123).unwrap()).unwrap();
            let trend = Trend::of(&range);
            assert!((14..=32).contains(&trend.steps), "{name}: {trend:?}");
            assert!(trend.from <= range.from && trend.from % trend.resolution == 0, "{name}: {trend:?}");
            assert_eq!((trend.step_of(range.from - 1), trend.step_of(range.to - 1)), (0, trend.steps - 1), "{name}");
        }
    }
}
