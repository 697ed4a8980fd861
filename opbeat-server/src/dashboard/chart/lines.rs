//! The chart of durations over time: the average and percentiles.

use std::ops::Range;

use jiff::Timestamp;
use maud::{Markup, html};

use super::marks::{marks, role};
use super::scale::{BOTTOM, Scale, TOP, axis, percent};
use crate::dashboard::format::{axis_time, duration};
use crate::query::{AppIdentity, Series, SeriesPoint};

type Value = fn(&SeriesPoint) -> Option<f64>;

/// A line: its name, its style class and its value at each step.
type Line = (&'static str, &'static str, Value);

/// The lines of the durations, the least important first: later ones are drawn over earlier ones.
const DURATIONS: [Line; 4] = [
    ("99th percentile", "p99", |point| point.p99_ms),
    ("95th percentile", "p95", |point| point.p95_ms),
    ("median", "p50", |point| point.p50_ms),
    ("average", "average", |point| point.average_ms),
];

/// The lines of the times to the response head.
const HEADS: [Line; 3] = [
    ("99th percentile", "p99", |point| Some(point.head?.p99_ms)),
    ("95th percentile", "p95", |point| Some(point.head?.p95_ms)),
    ("median", "p50", |point| Some(point.head?.p50_ms)),
];

/// Draws the durations of a series, and the times to the response head if they are shorter.
pub(in crate::dashboard) fn durations(series: &Series, app: &AppIdentity) -> Markup {
    html! {
        (lines("Response time", "average and percentiles", series, app, &DURATIONS))
        @if series.has_shorter_heads() { (lines("Time to response head", "percentiles", series, app, &HEADS)) }
    }
}

/// Draws the average durations of a series without percentiles.
pub(in crate::dashboard) fn averages(title: &str, series: &Series, app: &AppIdentity) -> Markup {
    lines(title, "average", series, app, &DURATIONS[3..])
}

/// Draws lines over time. The first one has the highest values.
fn lines(title: &str, content: &str, series: &Series, app: &AppIdentity, lines: &[Line]) -> Markup {
    let points = &series.points;
    let highest = lines.iter().take(1).flat_map(|(.., value)| points.iter().filter_map(value)).fold(0.0, f64::max);
    let scale = Scale::up_to(highest);
    let complete = points.iter().take_while(|point| point.is_complete).count();
    let starts: Vec<Timestamp> = points.iter().map(|point| point.start).collect();
    html! {
        figure.chart {
            figcaption { (title) (legend(lines)) }
            svg role=(role(series)) aria-label={ (title) ": " (content) ", up to " (duration(highest)) } {
                (scale.grid(duration))
                svg.plot x="0" y=(TOP) width="100%" height=(BOTTOM - TOP) viewBox="0 0 1000 1000" preserveAspectRatio="none" {
                    @for (_, class, value) in lines {
                        path class={ "line " (class) } d=(outline(points, 0..complete, &scale, *value)) {}
                        // The running step is drawn as a dashed line from the last complete one.
                        @if complete < points.len() {
                            path class={ "line running " (class) } d=(outline(points, complete.saturating_sub(1)..points.len(), &scale, *value)) {}
                        }
                    }
                }
                (axis(&starts, series.step_seconds))
                @for (index, point) in points.iter().enumerate() {
                    (hover(point, lines, (index, points.len()), series.step_seconds))
                }
                (marks(series, app))
            }
        }
    }
}

fn legend(lines: &[Line]) -> Markup {
    html! {
        span.legend { @for (name, class, _) in lines.iter().rev() { span class={ "key " (class) } { (name) } } }
    }
}

/// Returns the path through neighbouring points of a part that have a value.
///
/// Each section starts with a short horizontal line, so that a point without neighbours is visible.
fn outline(points: &[SeriesPoint], part: Range<usize>, scale: &Scale, value: Value) -> String {
    let width = 1_000.0 / points.len().max(1) as f64;
    let mut outline = String::new();
    let mut is_open = false;
    for (index, point) in points.iter().enumerate().take(part.end).skip(part.start) {
        let Some(value) = value(point) else {
            is_open = false;
            continue;
        };
        let y = (scale.y(value) - TOP) / (BOTTOM - TOP) * 1_000.0;
        let x = (index as f64 + 0.5) * width;
        if is_open {
            outline.push_str(&format!("L{x:.1} {y:.1}"));
        } else if index == part.start && index > 0 {
            // The line continues that of the part before.
            outline.push_str(&format!("M{x:.1} {y:.1}"));
        } else {
            outline.push_str(&format!("M{:.1} {y:.1}L{:.1} {y:.1}", x - width * 0.3, x + width * 0.3));
        }
        is_open = true;
    }
    outline
}

/// Returns the note for a step that is not over.
pub(super) fn running(point: &SeriesPoint) -> &'static str {
    if point.is_complete { "" } else { ", still running" }
}

/// Draws the area of a step, whose tooltip contains the values.
fn hover(point: &SeriesPoint, lines: &[Line], (index, count): (usize, usize), step: i64) -> Markup {
    let values =
        lines.iter().rev().filter_map(|(name, _, value)| value(point).map(|ms| format!("{name} {}", duration(ms))));
    let text = values.collect::<Vec<_>>().join("\n");
    html! {
        @if !text.is_empty() {
            rect.hover x=(percent(index as f64 / count as f64)) y=(TOP) width=(percent(1.0 / count as f64)) height=(BOTTOM - TOP) {
                title { (axis_time(point.start, step >= 7_200)) " UTC" (running(point)) "\n" (text) }
            }
        }
    }
}
