//! The chart of requests over time, by class of result.

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};

use super::lines::running;
use super::marks::{marks, role};
use super::scale::{BOTTOM, Scale, axis, percent};
use crate::dashboard::format::{axis_time, count};
use crate::query::{AppIdentity, Series, SeriesPoint};
use crate::result_class::ResultClass;

/// Classes of results with their names in the legend, from the bottom to the top of a bar.
const CLASSES: [(ResultClass, &str); 5] = [
    (ResultClass::Success, "ok"),
    (ResultClass::Redirect, "redirected"),
    (ResultClass::ClientError, "client error"),
    (ResultClass::Failed, "failed"),
    (ResultClass::Other, "other"),
];

/// Draws the requests of a series per minute, by class of result.
pub(in crate::dashboard) fn results(series: &Series, app: &AppIdentity) -> Markup {
    per_minute("Requests per minute", rate, true, series, app)
}

/// Draws the executions of a series per minute. They have no result.
pub(in crate::dashboard) fn executions(title: &str, series: &Series, app: &AppIdentity) -> Markup {
    per_minute(title, |number| rate(number).replace(" rpm", "/min"), false, series, app)
}

/// Draws the counts of a series per minute, by class of result.
fn per_minute(title: &str, rate: fn(f64) -> String, has_results: bool, series: &Series, app: &AppIdentity) -> Markup {
    let points = &series.points;
    let minutes = series.step_seconds as f64 / 60.0;
    let highest = points.iter().map(|point| point.count as f64 / minutes).fold(0.0, f64::max);
    let scale = Scale::up_to(highest);
    let starts: Vec<Timestamp> = points.iter().map(|point| point.start).collect();
    let is_seen = |class| points.iter().any(|point| by_class(point).contains_key(&class));
    html! {
        figure.chart.executions[!has_results] {
            figcaption {
                (title)
                span.legend {
                    @for (class, name) in CLASSES.into_iter().filter(|(class, _)| has_results && is_seen(*class)) {
                        span class={ "key box " (style(class)) } { (name) }
                    }
                }
            }
            svg role=(role(series)) aria-label={ (title) @if has_results { " by result" } ", up to " (rate(highest)) } {
                @for (index, point) in points.iter().enumerate() {
                    (bar(point, index, points.len(), minutes, &scale, series.step_seconds))
                }
                // The values are in front of the bars, to be readable.
                (scale.grid(rate))
                (axis(&starts, series.step_seconds))
                (marks(series, app))
            }
        }
    }
}

fn rate(number: f64) -> String {
    if number < 10.0 && number.fract() > 0.0 {
        format!("{number:.2} rpm")
    } else {
        format!("{} rpm", count(number as u64))
    }
}

fn bar(point: &SeriesPoint, index: usize, of: usize, minutes: f64, scale: &Scale, step: i64) -> Markup {
    let text: Vec<String> =
        point.results.iter().map(|(result, number)| format!("{} {}", label(result), count(*number))).collect();
    html! {
        @if point.count > 0 {
            g.running[!point.is_complete] {
                title { (axis_time(point.start, step >= 7_200)) " UTC" (running(point)) "\n" (text.join("\n")) }
                @for (class, from, to) in stacked(point, minutes) {
                    @let (top, bottom) = (scale.y(to), scale.y(from));
                    rect class={ "bar " (style(class)) } x=(percent((index as f64 + 0.1) / of as f64)) y=(format!("{top:.2}"))
                        width=(percent(0.8 / of as f64)) height=(format!("{:.2}", bottom - top)) {}
                }
                rect.hover x=(percent(index as f64 / of as f64)) y="14" width=(percent(1.0 / of as f64)) height=(BOTTOM - 14.0) {}
            }
        }
    }
}

/// Returns each class with the rates at which its part of the bar begins and ends.
fn stacked(point: &SeriesPoint, minutes: f64) -> Vec<(ResultClass, f64, f64)> {
    let classes = by_class(point);
    let counts = CLASSES.iter().filter_map(|(class, _)| Some((*class, *classes.get(class)? as f64 / minutes)));
    counts
        .scan(0.0, |below, (class, rate)| {
            let from = *below;
            *below += rate;
            Some((class, from, *below))
        })
        .collect()
}

fn by_class(point: &SeriesPoint) -> BTreeMap<ResultClass, u64> {
    let mut classes = BTreeMap::new();
    for (result, number) in &point.results {
        *classes.entry(ResultClass::of(result)).or_default() += number;
    }
    classes
}

fn label(result: &str) -> &str {
    if result.is_empty() { "no result" } else { result }
}

/// Returns the style class of a result.
pub(in crate::dashboard) fn result_style(result: &str) -> &'static str {
    style(ResultClass::of(result))
}

fn style(class: ResultClass) -> &'static str {
    match class {
        ResultClass::Success => "ok",
        ResultClass::Redirect => "redirect",
        ResultClass::ClientError => "client",
        ResultClass::Failed => "failed",
        ResultClass::Other => "other",
    }
}
