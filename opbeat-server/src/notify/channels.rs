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
    /// Adds a channel. Returns the new key of a webhook's signatures, which is never shown again.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if a value is invalid, there are too many channels, or the database fails.
    pub(crate) async fn add(
        self,
        (kind, filter): (&str, &str),
        (name, target, token): (&str, &str, &str),
    ) -> Result<Option<String>, Refused> {
        let kind = ChannelKind::of(kind).ok_or(invalid("kind", "Choose a kind of channel."))?;
        let filter = ChannelFilter::of(filter).ok_or(invalid("activities", "Choose the activities."))?;
        let name =
            names::name_of_person(name).ok_or(invalid("name", "A channel needs a name of at most 100 characters."))?;
        let target = match target.trim() {
            "" if kind == ChannelKind::Pushover => PUSHOVER,
            target => target,
        };
        if target.len() > MAX_TARGET {
            return Err(invalid("target", "The URL must have at most 1,000 bytes."));
        }
        Destination::parse(target).map_err(|reason| invalid("target", reason))?;
        let secret = secret(kind, target, token)?;
        let key = (kind == ChannelKind::Webhook).then(|| secret.clone());
        let target = target.to_owned();
        let new = NewChannel { kind, name, target, secret, filter };
        let app = (&*self.app.organization_id, &*self.app.id, &*self.app.name);
        match self.store.add_channel(app, &new, self.by).await? {
            Changed::TooMany => Err(invalid("name", "An app has at most 20 channels. Remove one first.")),
            _ => Ok(key),
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

/// Returns the new key of a webhook, or the token of a phone.
fn secret(kind: ChannelKind, target: &str, token: &str) -> Result<String, Refused> {
    let words: Vec<&str> = token.split_whitespace().collect();
    let is_plain = token.len() <= MAX_TOKEN && token.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !is_plain {
        return Err(invalid("token", "A token has at most 200 letters, digits and signs."));
    }
    match (kind, &*words) {
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
