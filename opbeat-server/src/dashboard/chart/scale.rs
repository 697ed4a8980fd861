//! The axes of charts.

use jiff::Timestamp;
use maud::{Markup, html};

/// The distance from the top of a chart to its highest value, in pixels.
pub(super) const TOP: f64 = 14.0;
/// The distance from the top of a chart to its zero line, in pixels.
pub(super) const BOTTOM: f64 = 176.0;

/// The distance from the top of a chart to its times, in pixels.
const LABELS: f64 = 194.0;

/// A vertical axis from zero to a round number that is not below the highest value.
pub(super) struct Scale {
    max: f64,
    step: f64,
}

impl Scale {
    pub(super) fn up_to(highest: f64) -> Self {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let magnitude = 10_f64.powf((highest / 4.0).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps.into_iter().find(|step| step * 4.0 >= highest).unwrap_or(steps[4]);
        Self { max: (highest / step).ceil() * step, step }
    }

    /// Returns the vertical position of a value, in pixels from the top.
    pub(super) fn y(&self, value: f64) -> f64 {
        BOTTOM - (value / self.max).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    /// Draws lines at round values, with their labels.
    pub(super) fn grid(&self, unit: impl Fn(f64) -> String) -> Markup {
        let count = (self.max / self.step).round() as u32;
        html! {
            @for value in (0..=count).map(|index| f64::from(index) * self.step) {
                @let y = format!("{:.1}", self.y(value));
                line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                @if value > 0.0 { text.axis x="0" y=(format!("{:.1}", self.y(value) - 3.0)) { (unit(value)) } }
            }
        }
    }
}

/// The distances between labelled times, in seconds: round ones, so that a reader can count.
const TICKS: [i64; 9] = [60, 5 * 60, 15 * 60, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, DAY, 7 * DAY];

const DAY: i64 = 86_400;

/// Draws at most eight round times. Every second label has the class `minor`, which narrow pages hide.
pub(super) fn axis(starts: &[Timestamp], step: i64) -> Markup {
    let labels = labels(starts.first().map_or(0, |first| first.as_second()), step.saturating_mul(starts.len() as i64));
    html! {
        @for (index, (share, label)) in labels.iter().enumerate() {
            @let anchor = match *share { share if share < 0.03 => "start", share if share > 0.97 => "end", _ => "middle" };
            @let class = if index % 2 == 1 { "axis minor" } else { "axis" };
            text class=(class) x=(percent(*share)) y=(LABELS) text-anchor=(anchor) { (label) }
        }
    }
}

/// Returns the round times in a range that starts at a time, both in seconds, with their shares of the width. A midnight is
/// labelled with its day.
fn labels(first: i64, length: i64) -> Vec<(f64, String)> {
    const MOST: i64 = 7;
    let every = TICKS.into_iter().find(|tick| length / tick <= MOST).unwrap_or(length.max(1));
    let label = |at: i64| {
        let time = Timestamp::from_second(at).ok()?;
        Some((
            (at - first) as f64 / length as f64,
            time.strftime(if at % DAY == 0 { "%m-%d" } else { "%H:%M" }).to_string(),
        ))
    };
    let from = first.saturating_add((-first).rem_euclid(every));
    (0..=MOST).map(|index| from + index * every).take_while(|at| *at < first + length).filter_map(label).collect()
}

/// Formats a share of the width.
pub(super) fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (highest, max, step) in [(0.0, 1.0, 0.25), (7.3, 8.0, 2.0), (180.0, 200.0, 50.0), (1_001.0, 1_500.0, 500.0)]
        {
            let scale = Scale::up_to(highest);
            assert!((scale.max - max).abs() < 1e-9 && (scale.step - step).abs() < 1e-9, "{highest}: {}", scale.max);
        }
    }

    #[test]
    fn times_are_round_and_midnight_has_its_day() {
        let start: Timestamp = "2026-11-27T13:34:00Z".parse().unwrap();
        let texts = |length| labels(start.as_second(), length).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(15 * 60), ["13:35", "13:40", "13:45"]);
        assert_eq!(texts(6 * 3_600), ["14:00", "15:00", "16:00", "17:00", "18:00", "19:00"]);
        assert_eq!(texts(DAY), ["18:00", "11-28", "06:00", "12:00"]);
        assert_eq!(texts(7 * DAY).len(), 7);
        assert_eq!(texts(400 * DAY).len(), 1);
        assert_eq!(labels(0, 0), []);
    }

    #[test]
    fn the_highest_value_is_at_the_top() {
        let scale = Scale::up_to(100.0);
        assert!((scale.y(100.0) - TOP).abs() < 1e-9 && (scale.y(0.0) - BOTTOM).abs() < 1e-9);
    }
}
