//! The source of a report.

use opbeat_protocol::Timestamp;

use crate::changes::{NoteAction, NoteKey};

/// The reason of notes on events that are counted at their receipt, since their time is too old or in the future.
pub(super) const OTHER_TIME: &str = "other_time";

/// The source of a report: its app and the headers of its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The app's id.
    pub(crate) app_id: String,
    /// When the report was received.
    pub(crate) received: Timestamp,
    /// `X-Opbeat-Platform`, such as `lang=python/3.11.7 platform=CPython framework=flask/2.2.5`.
    pub(crate) platform: String,
    /// `User-Agent`, such as `opbeat-nodejs/4.17.0 opbeat-http-client/1.2.2`.
    pub(crate) user_agent: String,
    /// `X-Opbeat-Client`, such as `opbeat-react/v3.4.0`, or an empty string; `None` if no browser sent the report.
    pub(crate) browser_agent: Option<String>,
}

/// The language of the agent that sent a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Node,
    Ruby,
    Go,
    Rust,
    Browser,
}

impl Origin {
    /// Returns the key of notes on changed values of this report.
    pub(super) fn note(&self, reason: &str) -> NoteKey {
        NoteKey {
            app_id: self.app_id.clone(),
            minute: self.received.minute().seconds(),
            action: NoteAction::Changed,
            reason: reason.to_owned(),
        }
    }

    /// Returns the language of the agent, by its platform header or else by its user agent, or `None` if neither is
    /// known.
    ///
    /// The Python agent sends no platform before version 3.4, and the agents for Ruby and Go never do. Before version
    /// 2.0, the Python agent's user agent is `opbeat/<version>`.
    pub(super) fn language(&self) -> Option<Language> {
        const PLATFORMS: [(&str, Language); 4] = [
            ("lang=python", Language::Python),
            ("lang=node", Language::Node),
            ("platform=rust", Language::Rust),
            ("platform=cordova", Language::Browser),
        ];
        const AGENTS: [(&str, Language); 8] = [
            ("opbeat-python/", Language::Python),
            ("opbeat/", Language::Python),
            ("opbeat-nodejs/", Language::Node),
            ("opbeat-ruby/", Language::Ruby),
            ("opbeat_ruby/", Language::Ruby),
            ("opbeat-rust/", Language::Rust),
            ("Go-http-client/", Language::Go),
            ("Mozilla/", Language::Browser),
        ];
        let platform = PLATFORMS.iter().find(|(start, _)| self.platform.split(' ').any(|part| part.starts_with(start)));
        let agent = || AGENTS.iter().find(|(start, _)| self.user_agent.starts_with(start));
        platform.or_else(agent).map(|(_, language)| *language)
    }

    /// Returns whether the Python agent sent the report.
    pub(super) fn is_python(&self) -> bool {
        self.language() == Some(Language::Python)
    }
}
