//! The chart of a trend, small enough for a table cell.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::percent;

/// Draws one bar per hour.
pub(in crate::dashboard) fn trend(counts: &[i64], label: &str) -> Markup {
    const HEIGHT: f64 = 24.0;
    let highest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = 1.0 / counts.len().max(1) as f64;
    html! {
        svg.spark role="img" aria-label=(label) {
            title { (label) }
            line.grid x1="0" x2="100%" y1=(HEIGHT - 0.5) y2=(HEIGHT - 0.5) {}
            @for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                @let height = (*count as f64 / highest * (HEIGHT - 2.0)).max(2.0);
                rect.bar.failed x=(percent((index as f64 + 0.15) * width)) y=(format!("{:.1}", HEIGHT - height))
                    width=(percent(width * 0.7)) height=(format!("{height:.1}")) {}
            }
        }
    }
}

/// Draws one bar for each value, as one path: a table has many of them.
pub(in crate::dashboard) fn spark(values: &[f64], label: &str) -> Markup {
    const HEIGHT: f64 = 24.0;
    let highest = values.iter().copied().fold(0.0, f64::max);
    let mut bars = String::new();
    for (index, value) in values.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let top = HEIGHT - (value / highest * (HEIGHT - 2.0)).max(2.0);
        // Writing to a string cannot fail.
        let _ = write!(bars, "M{index} {HEIGHT}V{top:.0}h.7V{HEIGHT}z");
    }
    let view = format!("-.15 0 {} {HEIGHT}", values.len().max(1));
    html! {
        svg.spark.bars role="img" aria-label=(label) viewBox=(view) preserveAspectRatio="none" {
            path.bar.impact d=(bars) {}
        }
    }
}
