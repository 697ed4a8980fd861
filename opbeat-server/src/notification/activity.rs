//! The activity as JSON, with the members that Opbeat's web hooks had.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::message::{About, ErrorActivity, Message, Named};

/// Returns the activity of a message. `base` is the URL of this server, without a slash at its end.
pub(crate) fn activity(message: &Message, base: &str) -> Value {
    let url = format!("{base}{}", message.path());
    let (subject_type, action) = match &message.about {
        About::Error(error) => error.names(),
        About::Suppressed => ("app", "suppressed"),
        About::Test { .. } => ("app", "tested"),
    };
    let (occurred, author) = match &message.about {
        About::Error(error) => (error.happened_at, &*error.actor),
        About::Suppressed => (message.created_at, ""),
        About::Test { by } => (message.created_at, &**by),
    };
    let subject = match &message.about {
        About::Error(error) if subject_type == "assignmentlog" => {
            json!({"type_name": subject_type, "errorgroup": errorgroup(error, &url), "assignee": error.assignee,
                   "reason": error.reason})
        }
        About::Error(error) => errorgroup(error, &url),
        About::Suppressed | About::Test { .. } => {
            json!({"type_name": subject_type, "id": message.app.id, "name": message.app.name, "html_url": url})
        }
    };
    json!({
        "id": message.id,
        "type_name": "activity",
        "html_url": url,
        "author": if author.is_empty() { Value::Null } else { json!({"name": author}) },
        "created": time(message.created_at),
        "occurred": time(occurred),
        "title": message.title(),
        "summary": message.summary(),
        "organization": named(&message.organization),
        "app": named(&message.app),
        "subject_type": subject_type,
        "subject": subject,
        "action": action,
        "suppressed": {"repeats": message.suppressed.repeats, "over_budget": message.suppressed.over_budget},
    })
}

fn errorgroup(error: &ErrorActivity, url: &str) -> Value {
    json!({
        "type_name": "errorgroup",
        "number": error.number,
        "created": time(error.first_seen),
        "first_seen": time(error.first_seen),
        "last_seen": time(error.last_seen),
        "times_seen": {"total": error.times_seen},
        "html_url": url,
        "exception_type": error.type_name,
        "message": error.message,
        "culprit": error.culprit,
        "level": error.level,
    })
}

fn named(named: &Named) -> Value {
    json!({"id": named.id, "name": named.name, "short_name": named.name})
}

/// Returns a time in whole seconds, as `2015-05-27T13:57:28Z`.
fn time(micros: i64) -> String {
    Timestamp::from_second(micros.div_euclid(1_000_000)).unwrap_or_default().to_string()
}
