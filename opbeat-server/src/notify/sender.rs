//! Sends one message to its receiver.

use std::sync::Arc;

use super::config::NotificationConfig;
use super::failure::Failure;
use super::mail::Mail;
use super::outgoing::Outgoing;
use super::{phone, slack, webhook};
use crate::notification::{ChannelKind, Message, activity};
use crate::store::{Claimed, Receiver, Routing};

/// Everything that is needed to make and to send messages. Copies share it.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    pub(super) routing: Routing,
    sender: Arc<Sender>,
}

#[derive(Debug)]
struct Sender {
    /// The URL of this server, without a slash at its end.
    base: String,
    outgoing: Outgoing,
    mail: Option<Mail>,
}

impl Notifier {
    /// Makes a notifier whose messages link to pages below a URL.
    pub(crate) fn new(config: &NotificationConfig, base: &str) -> Self {
        let mail = Mail::new(&config.mail, base);
        let routing = Routing {
            cool_down: i64::try_from(config.cool_down.as_micros()).unwrap_or(i64::MAX),
            hourly: config.hourly.into(),
            has_mail: mail.is_some(),
        };
        let outgoing = Outgoing::new(config.allowed_networks.clone());
        let base = base.trim_end_matches('/').to_owned();
        Self { routing, sender: Arc::new(Sender { base, outgoing, mail }) }
    }

    /// Sends a message. `now` is in seconds since 1970.
    pub(super) async fn send(&self, claimed: &Claimed, now: i64) -> Result<(), Failure> {
        let Some(message) = claimed.messages.first() else {
            return Err(Failure::lasting("a newer version of this server made the message"));
        };
        match &claimed.receiver {
            Receiver::Channel { kind, target, secret, .. } => self.post((kind, target, secret), message, now).await,
            Receiver::Person { email, unsubscribe, .. } => match &self.sender.mail {
                Some(mail) => mail.send((email, unsubscribe), &claimed.messages, &self.sender.base).await,
                None => Err(Failure::lasting("no mail server is configured: set smtp.url")),
            },
        }
    }

    async fn post(
        &self,
        (kind, target, secret): (&str, &str, &str),
        message: &Message,
        now: i64,
    ) -> Result<(), Failure> {
        let Sender { base, outgoing, .. } = &*self.sender;
        match ChannelKind::of(kind) {
            Some(ChannelKind::Webhook) => {
                let activity = activity(message, base);
                webhook::send(outgoing, (target, secret), (&message.id, &activity), now).await
            }
            Some(ChannelKind::Slack) => slack::send(outgoing, target, message, base).await,
            Some(ChannelKind::Ntfy) => phone::ntfy(outgoing, (target, secret), message, base).await,
            Some(ChannelKind::Pushover) => phone::pushover(outgoing, (target, secret), message, base).await,
            None => Err(Failure::lasting("a newer version of this server made the channel")),
        }
    }
}
