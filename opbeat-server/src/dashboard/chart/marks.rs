//! Marks of releases in charts over time.

use maud::{Markup, html};

use super::scale::{BOTTOM, TOP, percent};
use crate::dashboard::format::time;
use crate::dashboard::path;
use crate::query::{AppIdentity, ReleaseMark, Series};

/// The smallest distance of two marks, as a share of the width. Nearer ones share a label.
const DISTANCE: f64 = 0.05;

/// Returns the role of a chart: a picture, or a group if it contains the links of marks.
pub(super) const fn role(series: &Series) -> &'static str {
    if series.releases.is_empty() { "img" } else { "group" }
}

/// Draws a line at each release of a series, with a link. The label of several near ones is their number.
pub(super) fn marks(series: &Series, app: &AppIdentity) -> Markup {
    let groups = groups(series);
    html! {
        @for (share, releases) in &groups {
            @if let Some(newest) = releases.first() {
                a.release href=(if releases.len() == 1 { path::release(app, newest.number) } else { path::releases(app) }) {
                    line x1=(percent(*share)) x2=(percent(*share)) y1=(TOP) y2=(BOTTOM) {}
                    text.axis x=(percent(*share)) y=(TOP - 3.0) text-anchor=(if *share > 0.9 { "end" } else { "start" }) {
                        @if releases.len() == 1 { "R#" (newest.number) } @else { (releases.len()) " releases" }
                    }
                    title { @for release in releases { "R#" (release.number) ", " (time(release.completed_at)) "\n" } }
                }
            }
        }
    }
}

/// Returns the places of the marks as shares of the width, each with its releases, the newest first.
fn groups(series: &Series) -> Vec<(f64, Vec<ReleaseMark>)> {
    let Some(first) = series.points.first() else { return Vec::new() };
    let length = series.step_seconds as f64 * series.points.len() as f64;
    let mut groups: Vec<(f64, Vec<ReleaseMark>)> = Vec::new();
    for release in &series.releases {
        let share = (release.completed_at.as_second() - first.start.as_second()) as f64 / length.max(1.0);
        match groups.last_mut() {
            Some((place, releases)) if *place - share < DISTANCE => releases.push(*release),
            _ => groups.push((share.clamp(0.0, 1.0), vec![*release])),
        }
    }
    groups
}
