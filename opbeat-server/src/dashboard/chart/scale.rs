//! The axes of charts.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::dashboard::format::axis_time;

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

/// Draws the times of at most six points. Every second label has the class `minor`, which narrow pages hide.
pub(super) fn axis(starts: &[Timestamp], step: i64) -> Markup {
    const LABELLED: usize = 6;
    let every = starts.len().div_ceil(LABELLED).max(1);
    let shows_date = step >= 7_200;
    html! {
        @for (index, start) in starts.iter().enumerate().step_by(every) {
            @let anchor = if index == 0 { "start" } else { "middle" };
            @let class = if (index / every) % 2 == 1 { "axis minor" } else { "axis" };
            text class=(class) x=(percent(index as f64 / starts.len().max(1) as f64)) y=(LABELS) text-anchor=(anchor) {
                (axis_time(*start, shows_date))
            }
        }
    }
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
    fn the_highest_value_is_at_the_top() {
        let scale = Scale::up_to(100.0);
        assert!((scale.y(100.0) - TOP).abs() < 1e-9 && (scale.y(0.0) - BOTTOM).abs() < 1e-9);
    }
}
