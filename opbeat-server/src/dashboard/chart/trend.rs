//! The chart of a trend, small enough for a table cell.

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
