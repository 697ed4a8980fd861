//! The time at which a change without a release began.
//!
//! Of all ways to divide the hours around a change in two, the one whose parts differ most is chosen: that of the smallest sum
//! of squares (Hawkins, *Testing a Sequence of Observations for a Shift in Location*, 1977).

use crate::study::Subject;

/// The hours before the time that is looked at in which the change can have begun, in minutes.
const BEFORE: usize = 360;

impl Subject<'_> {
    /// Returns the minute at which the transaction became slower, with the precision of a block.
    ///
    /// It is the begin of the change that the study was made with if the levels do not rise.
    #[must_use]
    pub fn onset(&self) -> usize {
        let (before, after) = self.windows();
        let length = self.block_length();
        let first = before.end.saturating_sub(length.blocks_in(BEFORE)).max(before.start);
        let levels: Vec<Option<f64>> = (first..after.end).map(|block| self.level(block)).collect();
        let block = rise(&levels).map_or(before.end, |place| first + place);
        length.minutes_of(block)
    }
}

/// Returns the place from which on values are higher, if they are.
fn rise(values: &[Option<f64>]) -> Option<usize> {
    let add =
        |(count, sum): (f64, f64), value: &Option<f64>| value.map_or((count, sum), |value| (count + 1.0, sum + value));
    let all = values.iter().fold((0.0, 0.0), add);
    let mut below = (0.0, 0.0);
    let mut best = (0.0, None);
    for (place, value) in values.iter().enumerate() {
        let above: (f64, f64) = (all.0 - below.0, all.1 - below.1);
        if below.0 > 0.0 && above.0 > 0.0 && value.is_some() {
            let difference = above.1 / above.0 - below.1 / below.0;
            let gain = difference * difference.abs() * above.0 * below.0 / all.0;
            if gain > best.0 {
                best = (gain, Some(place));
            }
        }
        below = add(below, value);
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::rise;

    #[test]
    fn the_place_is_that_of_the_largest_rise() {
        let values = [0.1, -0.1, 0.0, 0.1, 1.0, 1.1, 0.9].map(Some);
        assert_eq!(rise(&values), Some(4));
        assert_eq!(rise(&[Some(0.0), None, Some(1.0), Some(1.0)]), Some(2));
        assert_eq!(rise(&[Some(1.0), Some(0.0)]), None);
        assert_eq!(rise(&[]), None);
    }
}
