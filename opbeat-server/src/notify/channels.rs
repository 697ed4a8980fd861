//! The channels of apps, for admins.

use std::net::IpAddr;

use jiff::Timestamp;

use super::outgoing::Destination;
use super::phone;
use crate::audit::ChangedBy;
use crate::names;
use crate::notification::{About, ChannelFilter, ChannelKind, Message, Named, NewChannel, Suppressed};
use crate::people::Refused;
use crate::query::{AppIdentity, Rights};
use crate::random::random_hex;
use crate::store::{Changed, Store};

/// The longest URL of a channel, in bytes.
const MAX_TARGET: usize = 1_000;

/// The longest token, in bytes.
const MAX_TOKEN: usize = 200;

/// The address of Pushover.
const PUSHOVER: &str = "https://api.pushover.net/1/messages.json";

/// Changes the channels of apps. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    store: Store,
}

/// A channel that was added.
#[derive(Debug)]
pub(crate) struct AddedChannel {
    /// Its id.
    pub(crate) id: i64,
    /// The new key of a webhook's signatures, which is never shown again.
    pub(crate) key: Option<String>,
}

/// A change of a channel. Fields with `None` stay as they are.
#[derive(Default)]
pub(crate) struct ChannelChange {
    /// The name.
    pub(crate) name: Option<String>,
    /// The URL.
    pub(crate) target: Option<String>,
    /// The token.
    pub(crate) token: Option<String>,
    /// The activities.
    pub(crate) activities: Option<String>,
}

/// The changes that an admin may make to the channels of an app.
#[derive(Debug)]
pub(crate) struct AppChannels<'a> {
    store: &'a Store,
    app: &'a AppIdentity,
    by: ChangedBy,
}

impl Channels {
    /// Makes a handle that writes to a store.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the changes that a reader may make to the channels of an app, from the address of a browser.
    ///
    /// # Errors
    ///
    /// Returns [`Refused::NoAdmin`] if the reader is no admin of the organization.
    pub(crate) fn of<'a>(
        &'a self,
        (rights, address): (&Rights, IpAddr),
        app: &'a AppIdentity,
    ) -> Result<AppChannels<'a>, Refused> {
        if !rights.may_administer(&app.organization_id) {
            return Err(Refused::NoAdmin);
        }
        Ok(AppChannels { store: &self.store, app, by: ChangedBy::now(rights.full_name(), address) })
    }
}

impl AppChannels<'_> {
    /// Adds a channel.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, there are too many channels, or the database fails.
    pub(crate) async fn add(
        self,
        (kind, filter): (&str, &str),
        (name, target, token): (&str, &str, &str),
    ) -> Result<AddedChannel, Refused> {
        let kind = ChannelKind::of(kind).ok_or(invalid("kind", "Choose a kind of channel."))?;
        let (filter, name, target) = (self::filter(filter)?, self::name(name)?, self::target(kind, target)?);
        let secret = secret(kind, &target, token)?;
        let key = (kind == ChannelKind::Webhook).then(|| secret.clone());
        let new = NewChannel { kind, name, target, secret, filter };
        let app = (&*self.app.organization_id, &*self.app.id, &*self.app.name);
        match self.store.add_channel(app, &new, self.by).await? {
            Some(id) => Ok(AddedChannel { id, key }),
            None => Err(invalid("name", "An app has at most 20 channels. Remove one first.")),
        }
    }

    /// Changes a channel.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, there is no such channel, or the database fails.
    pub(crate) async fn change(self, channel: i64, change: ChannelChange) -> Result<(), Refused> {
        let new = self.store.channel_to_change(&self.app.id, channel).await?;
        let mut new = new.ok_or(Refused::Missing("channel"))?;
        let ChannelChange { name, target, token, activities } = change;
        if let Some(name) = name {
            new.name = self::name(&name)?;
        }
        if let Some(activities) = activities {
            new.filter = filter(&activities)?;
        }
        let has_token = matches!(new.kind, ChannelKind::Ntfy | ChannelKind::Pushover);
        if let Some(target) = target {
            let target = self::target(new.kind, &target)?;
            // A token that nobody can read must not be sent to another place either.
            if has_token && token.is_none() && !new.secret.is_empty() && target != new.target {
                return Err(invalid("token", "Send the token as well: it is not sent to a new URL."));
            }
            new.target = target;
        }
        match token {
            Some(token) => new.secret = secret(new.kind, &new.target, &token)?,
            // The URL of ntfy is checked with the token.
            None if has_token => drop(secret(new.kind, &new.target, &new.secret)?),
            None => {}
        }
        let app = (&*self.app.organization_id, &*self.app.id, &*self.app.name);
        match self.store.change_channel(app, channel, new, self.by).await? {
            Changed::Done => Ok(()),
            _ => Err(Refused::Missing("channel")),
        }
    }

    /// Removes a channel, with the messages that wait for it.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such channel or the database fails.
    pub(crate) async fn remove(self, channel: i64) -> Result<(), Refused> {
        let app = (&*self.app.organization_id, &*self.app.id, &*self.app.name);
        match self.store.remove_channel(app, channel, self.by).await? {
            Changed::Done => Ok(()),
            _ => Err(Refused::Missing("channel")),
        }
    }

    /// Sends a message to test a channel, as soon as the worker sees it.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if there is no such channel or the database fails.
    pub(crate) async fn test(self, channel: i64) -> Result<(), Refused> {
        let AppIdentity { organization_id, organization, id, name } = self.app;
        let message = Message {
            id: random_hex::<16>(),
            created_at: Timestamp::now().as_microsecond(),
            organization: Named { id: organization_id.clone(), name: organization.clone() },
            app: Named { id: id.clone(), name: name.clone() },
            about: About::Test { by: self.by.actor },
            suppressed: Suppressed::default(),
        };
        let is_sent = self.store.send_to_channel(id, channel, &message).await?;
        if is_sent { Ok(()) } else { Err(Refused::Missing("channel")) }
    }
}

fn filter(text: &str) -> Result<ChannelFilter, Refused> {
    ChannelFilter::of(text).ok_or(invalid("activities", "Choose the activities."))
}

fn name(text: &str) -> Result<String, Refused> {
    names::name_of_person(text).ok_or(invalid("name", "A channel needs a name of at most 100 characters."))
}

/// Returns the URL of a channel.
fn target(kind: ChannelKind, text: &str) -> Result<String, Refused> {
    let target = match text.trim() {
        "" if kind == ChannelKind::Pushover => PUSHOVER,
        target => target,
    };
    if target.len() > MAX_TARGET {
        return Err(invalid("target", "The URL must have at most 1,000 bytes."));
    }
    Destination::parse(target).map_err(|reason| invalid("target", reason))?;
    Ok(target.to_owned())
}

/// Returns the new key of a webhook, or the token of a phone.
fn secret(kind: ChannelKind, target: &str, token: &str) -> Result<String, Refused> {
    let words: Vec<&str> = token.split_whitespace().collect();
    let is_plain = token.len() <= MAX_TOKEN && token.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !is_plain {
        return Err(invalid("token", "A token has at most 200 letters, digits and signs."));
    }
    match (kind, &*words) {
        (ChannelKind::Webhook | ChannelKind::Slack, [_, ..]) => {
            Err(invalid("token", "Webhooks and chats have no token. The server makes the key of a webhook."))
        }
        (ChannelKind::Webhook, _) => Ok(random_hex::<32>()),
        (ChannelKind::Slack, _) => Ok(String::new()),
        (ChannelKind::Ntfy, _) if phone::topic(target).is_none() => {
            Err(invalid("target", "The URL of ntfy must end with a topic, as in https://ntfy.sh/shop-errors."))
        }
        (ChannelKind::Ntfy, [] | [_]) => Ok(words.concat()),
        (ChannelKind::Pushover, [_, _]) => Ok(words.join(" ")),
        (ChannelKind::Ntfy, _) => Err(invalid("token", "An access token of ntfy has no spaces.")),
        (ChannelKind::Pushover, _) => {
            Err(invalid("token", "Pushover needs the token of the application, a space, and the key of the user."))
        }
    }
}

const fn invalid(field: &'static str, message: &'static str) -> Refused {
    Refused::Invalid { field, message }
}
