//! The bars of time by kind of span, and of spans in a waterfall.

use maud::{Markup, html};

use super::scale::percent;
use crate::dashboard::format::share;
use crate::query::BreakdownPart;

/// Draws one bar for all the time, divided by kind of span.
pub(in crate::dashboard) fn breakdown(parts: &[BreakdownPart]) -> Markup {
    let starts = parts.iter().scan(0.0, |before, part| {
        let start = *before;
        *before += part.share;
        Some(start)
    });
    html! {
        svg.breakdown role="img" aria-label="Time by kind of span" {
            @for (part, start) in parts.iter().zip(starts) {
                rect class={ "kind " (kind_class(&part.kind)) } x=(percent(start)) y="0" width=(percent(part.share)) height="100%" {
                    title { (part.kind) " " (share(part.share)) }
                }
            }
        }
    }
}

/// Draws the position of a span in its transaction.
pub(in crate::dashboard) fn position(kind: &str, start: f64, length: f64, whole: f64) -> Markup {
    let whole = whole.max(f64::MIN_POSITIVE);
    let start = (start / whole).clamp(0.0, 1.0);
    // A span too short to be visible is drawn with 0.2 % of the width.
    let length = (length / whole).clamp(0.002, (1.0 - start).max(0.002));
    html! {
        svg.track aria-hidden="true" {
            rect class={ "kind " (kind_class(kind)) } x=(percent(start)) y="15%" width=(percent(length)) height="70%" rx="2" {}
        }
    }
}

/// Returns the style class of a kind of span, by its first word.
pub(in crate::dashboard) fn kind_class(kind: &str) -> &'static str {
    match kind.split('.').next().unwrap_or(kind) {
        "app" | "transaction" => "app",
        "db" => "db",
        "ext" | "http" => "ext",
        "template" | "view" => "template",
        "cache" => "cache",
        "code" => "code",
        _ => "unknown",
    }
}
