//! The channels of an app: the places where its activities are posted.

/// The kind of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    /// A URL that gets Opbeat's own activity as JSON, with a signature.
    Webhook,
    /// A URL that takes the messages of Slack.
    Slack,
    /// A topic of a server of ntfy.
    Ntfy,
    /// Pushover, with the token of an application and the key of a user or a group.
    Pushover,
}

impl ChannelKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 4] = [Self::Webhook, Self::Slack, Self::Ntfy, Self::Pushover];

    /// Returns the kind as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Ntfy => "ntfy",
            Self::Pushover => "pushover",
        }
    }

    /// Returns the kind of a text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Returns the name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "Webhook",
            Self::Slack => "Slack-compatible chat",
            Self::Ntfy => "ntfy, for phones",
            Self::Pushover => "Pushover, for phones",
        }
    }
}

/// The activities that a channel gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelFilter {
    /// New errors, and errors that happen again after they were resolved or muted.
    Important,
    /// All activities: assignments, comments and changes of the status too.
    All,
}

impl ChannelFilter {
    /// Returns the filter as text, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Important => "important",
            Self::All => "all",
        }
    }

    /// Returns the filter of a text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Important, Self::All].into_iter().find(|filter| filter.as_str() == text)
    }
}

/// A channel to add.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NewChannel {
    /// Its kind.
    pub(crate) kind: ChannelKind,
    /// Its name, which people choose.
    pub(crate) name: String,
    /// The URL that messages are posted to.
    pub(crate) target: String,
    /// The key of the signatures, a token, or an empty string.
    pub(crate) secret: String,
    /// The activities that it gets.
    pub(crate) filter: ChannelFilter,
}

/// The target and the secret are omitted, so that logs do not contain them.
impl std::fmt::Debug for NewChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewChannel").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns the scheme and the host of a URL. The path of a chat's URL is a secret.
pub(crate) fn site_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}
