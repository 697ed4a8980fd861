//! The status of an error in words, and its history.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::assignment::AssignedBy;
use crate::dashboard::format::{ago, signed_count, time};
use crate::error_status::{Event, MuteEnd, Status};
use crate::query::{ActivityView, ErrorSummary};

/// Says in a sentence why an error is not open, or that it regressed.
pub(super) fn status(error: &ErrorSummary, now: Timestamp) -> Markup {
    let since = error.status_since.map(|since| ago(since, now)).unwrap_or_default();
    let release = error.ends.after_release.map(after);
    html! {
        @match error.status {
            Status::Open => {
                @if let Some(regressed) = error.regressed_at {
                    p.state.bad { "It happened again " (ago(regressed, now)) ", after it was resolved." }
                }
            }
            Status::Resolved => {
                p.state { "Resolved " (since) ". "
                    @match release {
                        Some(release) => { "The first error of " (release) " opens it again." }
                        None => "The next error opens it again.",
                    }
                }
            }
            Status::Muted => {
                @let ends = [
                    error.ends.time.map(time),
                    error.ends.times_seen.map(|count| format!("it was seen {} times", signed_count(count))),
                    release,
                ];
                @let ends: Vec<String> = ends.into_iter().flatten().collect();
                p.state { "Muted " (since) @if ends.is_empty() { ", for ever." } @else { ", until " (ends.join(" or ")) "." } }
            }
        }
    }
}

/// Names the releases after one with a number, or after none.
fn after(release: i64) -> String {
    if release > 0 { format!("a release after R#{release}") } else { "the next release".to_owned() }
}

/// Lists the events, the newest first.
pub(super) fn events(activity: &[ActivityView], now: Timestamp) -> Markup {
    html! {
        ol.events {
            @for activity in activity {
                li {
                    span.when.muted title=(time(activity.happened_at)) { (ago(activity.happened_at, now)) }
                    div {
                        (sentence(activity))
                        @if let Event::Commented { text } = &activity.event { p.text { (text) } }
                    }
                }
            }
        }
    }
}

fn sentence(activity: &ActivityView) -> Markup {
    let actor = activity.actor.as_deref().map(|name| if name.is_empty() { "somebody" } else { name });
    let text = match &activity.event {
        Event::Created { release: 0 } => "It happened for the first time.".to_owned(),
        Event::Created { release } => format!("It happened for the first time, in R#{release}."),
        Event::Resolved { after_release: None } => "resolved it".to_owned(),
        Event::Resolved { after_release: Some(release) } => format!("resolved it in {}", after(*release)),
        Event::Muted { until, further_errors, after_release } => {
            let ends = [
                until.map(time),
                further_errors.map(|errors| format!("{} further errors", signed_count(errors))),
                after_release.map(after),
            ];
            let ends: Vec<String> = ends.into_iter().flatten().collect();
            if ends.is_empty() { "muted it".to_owned() } else { format!("muted it until {}", ends.join(" or ")) }
        }
        Event::Opened => "opened it again".to_owned(),
        Event::Regressed { release: 0 } => "It happened again, and is open again.".to_owned(),
        Event::Regressed { release } => format!("It happened again in R#{release}, and is open again."),
        Event::Spiked { in_hour, per_day, days } => format!(
            "It happened {} times in an hour, after {} times a day in the {days} days before.",
            signed_count(*in_hour),
            signed_count(*per_day)
        ),
        Event::Unmuted { reason } => match reason {
            MuteEnd::Time => "It happened again when the mute was over, and is open again.",
            MuteEnd::Count => "It happened as often as the mute allowed, and is open again.",
            MuteEnd::Release => "It happened again in a new release, and is open again.",
        }
        .to_owned(),
        Event::Assigned { assignee, by, reason } => {
            let name = assignee.as_deref().unwrap_or("nobody");
            match by {
                AssignedBy::Person => format!("assigned it to {name}"),
                AssignedBy::Blame | AssignedBy::Team => format!("It was assigned to {name}, because {reason}."),
            }
        }
        Event::Commented { .. } => "commented".to_owned(),
        Event::Merged { error } => format!("merged E#{error} into it"),
        Event::MergedInto { error } => format!("merged it into E#{error}"),
        Event::Split { error } => format!("split E#{error} from it"),
        Event::SplitFrom { error } => format!("split it from E#{error}"),
    };
    html! { @if let Some(actor) = actor { strong { (actor) } " " } (text) }
}
