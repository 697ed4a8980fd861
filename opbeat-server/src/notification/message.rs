//! A message, as the outbox keeps it: the facts about an activity at the time when it was made.

use serde::{Deserialize, Serialize};

use crate::assignment::AssignedBy;
use crate::error_status::{Event, MuteEnd};

/// An organization or an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    /// The id.
    pub(crate) id: String,
    /// The short name.
    pub(crate) name: String,
}

/// A message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The id of the activity: 32 hexadecimal digits, which are the same for each receiver and each attempt.
    pub(crate) id: String,
    /// When it was made, in microseconds since 1970.
    pub(crate) created_at: i64,
    /// The organization.
    pub(crate) organization: Named,
    /// The app.
    pub(crate) app: Named,
    /// The subject.
    pub(crate) about: About,
    /// The messages that this one stands for too.
    pub(crate) suppressed: Suppressed,
}

/// The subject of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// An activity of an error.
    Error(Box<ErrorActivity>),
    /// Only that messages were suppressed.
    Suppressed,
    /// A test by a person.
    Test {
        /// The name of the person.
        by: String,
    },
}

/// An activity of an error, and the state of the error then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorActivity {
    /// The number of the error in its app.
    pub(crate) number: i64,
    /// The type of the error.
    pub(crate) type_name: String,
    /// The message of the error.
    pub(crate) message: String,
    /// The function that caused it.
    pub(crate) culprit: String,
    /// The level, such as `error`.
    pub(crate) level: String,
    /// When the first one happened, in microseconds since 1970.
    pub(crate) first_seen: i64,
    /// When the latest one happened, in microseconds since 1970.
    pub(crate) last_seen: i64,
    /// The number of errors.
    pub(crate) times_seen: i64,
    /// When the activity happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The name of the token or the person, or an empty string for the server.
    pub(crate) actor: String,
    /// The activity.
    pub(crate) event: Event,
    /// The name of the person or the team that the error is assigned to.
    pub(crate) assignee: Option<String>,
    /// The cause of the assignment.
    pub(crate) assigned_by: Option<AssignedBy>,
    /// The reason for the assignment, or for none, in a sentence.
    pub(crate) reason: String,
}

/// The numbers of messages that were not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Suppressed {
    /// Of the same error, within the cool-down.
    pub(crate) repeats: i64,
    /// Of the app to this receiver, beyond the budget of an hour.
    pub(crate) over_budget: i64,
}

impl Message {
    /// Returns the path of the page, without the base path. Names have no characters that a path encodes.
    pub(crate) fn path(&self) -> String {
        let Self { organization, app, .. } = self;
        match &self.about {
            About::Error(error) => format!("/{}/{}/errors/{}/", organization.name, app.name, error.number),
            About::Suppressed => format!("/{}/{}/errors/", organization.name, app.name),
            About::Test { .. } => format!("/{}/{}/", organization.name, app.name),
        }
    }

    /// Returns the title, as in Opbeat's activities.
    pub(crate) fn title(&self) -> String {
        match &self.about {
            About::Error(error) => format!("Error group E#{}", error.number),
            About::Suppressed | About::Test { .. } => format!("App {}", self.app.name),
        }
    }

    /// Returns what happened as a sentence, and the number of messages that were suppressed.
    pub(crate) fn summary(&self) -> String {
        let sentence = match &self.about {
            About::Error(error) => error.sentence(),
            About::Suppressed => String::new(),
            About::Test { by } => format!("{by} sent this message to test the channel."),
        };
        let Suppressed { repeats, over_budget } = self.suppressed;
        let suppressed = [
            (repeats, "of this error, within the cool-down"),
            (over_budget, "of this app, beyond the budget of messages in an hour"),
        ];
        let suppressed = suppressed.into_iter().filter(|(number, _)| *number > 0);
        let suppressed =
            suppressed.map(|(number, which)| format!("Suppressed {number}: earlier notifications {which}."));
        let parts: Vec<String> = std::iter::once(sentence).chain(suppressed).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }

    /// Returns a line for subjects and notifications: the app, the activity and the error. Control characters are spaces, so
    /// that no error begins another line or header.
    pub(crate) fn headline(&self) -> String {
        let app = format!("{}/{}", self.organization.name, self.app.name);
        let text = match &self.about {
            About::Error(error) => {
                format!("[{app}] {} E#{}: {}", error.headline(), error.number, error.text())
            }
            About::Suppressed => format!("[{app}] {} notifications were suppressed", self.suppressed.over_budget),
            About::Test { .. } => format!("[{app}] Test message"),
        };
        crate::text::shortened(&one_line(&text), MAX_HEADLINE)
    }
}

/// The longest headline, in characters.
const MAX_HEADLINE: usize = 150;

/// Returns a text in one line, with single spaces.
fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(is_break).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

impl ErrorActivity {
    /// Returns the type and the message of the error.
    pub(crate) fn text(&self) -> String {
        match (self.type_name.is_empty(), self.message.is_empty()) {
            (true, _) => self.message.clone(),
            (false, true) => self.type_name.clone(),
            (false, false) => format!("{}: {}", self.type_name, self.message),
        }
    }

    const fn headline(&self) -> &'static str {
        match self.event {
            Event::Created { .. } => "New error",
            Event::Regressed { .. } => "Regressed",
            Event::Unmuted { .. } => "Happened again",
            Event::Spiked { .. } => "Spike of",
            Event::Resolved { .. } => "Resolved",
            Event::Muted { .. } => "Muted",
            Event::Opened => "Opened again",
            Event::Assigned { .. } => "Assigned",
            Event::Commented { .. } => "Comment on",
            Event::Merged { .. } | Event::MergedInto { .. } => "Merged",
            Event::Split { .. } | Event::SplitFrom { .. } => "Split",
        }
    }

    /// Returns Opbeat's names of the subject and of the action.
    pub(crate) const fn names(&self) -> (&'static str, &'static str) {
        match self.event {
            Event::Created { .. } if self.assignee.is_some() => ("assignmentlog", "created_and_assigned"),
            Event::Assigned { .. } => ("assignmentlog", "created"),
            Event::Created { .. } => ("errorgroup", "created"),
            Event::Resolved { .. } => ("errorgroup", "fixed"),
            Event::Regressed { .. } => ("errorgroup", "regressed"),
            Event::Unmuted { .. } => ("errorgroup", "unmuted"),
            Event::Spiked { .. } => ("errorgroup", "spiked"),
            Event::Muted { .. } => ("errorgroup", "muted"),
            Event::Opened => ("errorgroup", "opened"),
            Event::Commented { .. } => ("errorgroup", "commented"),
            Event::Merged { .. } | Event::MergedInto { .. } => ("errorgroup", "merged"),
            Event::Split { .. } | Event::SplitFrom { .. } => ("errorgroup", "split"),
        }
    }

    fn sentence(&self) -> String {
        let actor = if self.actor.is_empty() { "somebody" } else { &self.actor };
        let assignee = self.assignee.as_deref().unwrap_or("nobody");
        match &self.event {
            Event::Created { .. } => match (&self.assignee, self.assigned_by) {
                (None, _) => "The error group was first seen.".to_owned(),
                (Some(name), Some(AssignedBy::Person)) => {
                    format!("The error group was first seen and assigned to {name}.")
                }
                (Some(name), _) => format!("The error group was first seen and auto-assigned to {name}."),
            },
            Event::Regressed { release: 0 } => {
                "The error group regressed: it happened again after it was resolved.".to_owned()
            }
            Event::Regressed { release } => {
                format!("The error group regressed in R#{release}: it happened again after it was resolved.")
            }
            Event::Unmuted { reason } => match reason {
                MuteEnd::Time => "The error group happened again when its mute was over.",
                MuteEnd::Count => "The error group happened as often as its mute allowed.",
                MuteEnd::Release => "The error group happened again in a new release, which ended its mute.",
            }
            .to_owned(),
            Event::Spiked { in_hour, per_day, days } => format!(
                "The error group happened {in_hour} times in the last hour, after {per_day} times a day in the {days} days before."
            ),
            Event::Resolved { .. } => format!("The error group was resolved by {actor}."),
            Event::Muted { .. } => format!("The error group was muted by {actor}."),
            Event::Opened => format!("The error group was opened again by {actor}."),
            Event::Assigned { by: AssignedBy::Person, .. } => {
                format!("The error group was assigned to {assignee} by {actor}.")
            }
            Event::Assigned { .. } => format!("The error group was auto-assigned to {assignee}."),
            Event::Commented { text } => format!("{actor} commented: {text}"),
            Event::Merged { error } => format!("E#{error} was merged into the error group by {actor}."),
            Event::MergedInto { error } => format!("The error group was merged into E#{error} by {actor}."),
            Event::Split { error } => format!("E#{error} was split from the error group by {actor}."),
            Event::SplitFrom { error } => format!("The error group was split from E#{error} by {actor}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_an_error_starts_no_header() {
        assert_eq!(one_line("no ink\r\nBcc: eve@x\u{0}\u{b}\u{2028}end"), "no ink Bcc: eve@x end");
    }
}
