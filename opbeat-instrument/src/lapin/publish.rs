//! A channel whose published messages are recorded.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Confirmation, PublisherConfirm};

use super::headers::add_trace;
use crate::outgoing::{Call, Description, chain_text};

/// The kind of the spans.
const KIND: Cow<'static, str> = Cow::Borrowed("messaging.rabbitmq.publish");

/// A channel whose [`basic_publish`](Self::basic_publish) records a span. It derefs to [`lapin::Channel`] for everything
/// else.
#[derive(Clone, Debug)]
pub struct Channel {
    channel: lapin::Channel,
}

impl Channel {
    /// Wraps a channel.
    #[must_use]
    pub fn new(channel: lapin::Channel) -> Self {
        Self { channel }
    }

    /// Publishes a message, like [`lapin::Channel::basic_publish`].
    ///
    /// The span is named after the exchange, such as `PUBLISH orders`, or after the queue if the exchange is the default
    /// one. It lasts until the broker confirms the message, or until the confirmation is dropped. Its extra value
    /// `error` is the error, `nack` if the broker rejected the message, or `unroutable` if it returned the message.
    ///
    /// # Errors
    ///
    /// Returns the errors of lapin, unchanged.
    pub async fn basic_publish(
        &self,
        exchange: ShortString,
        routing_key: ShortString,
        options: BasicPublishOptions,
        payload: &[u8],
        mut properties: BasicProperties,
    ) -> lapin::Result<Confirm> {
        let mut call = Call::start(|| {
            let signature = format!("PUBLISH {}", destination(exchange.as_str(), routing_key.as_str()));
            Description { kind: KIND, signature, method: None, url: None }
        });
        if let Some(call) = &call {
            properties = add_trace(call, properties);
        }
        let publish = self.channel.basic_publish(exchange, routing_key, options, payload, properties);
        let result = match &call {
            Some(call) => call.wrap(publish).await,
            None => publish.await,
        };
        match (&mut call, &result) {
            (Some(call), Ok(_)) => call.note_answer(),
            (Some(call), Err(error)) => call.fail(chain_text(error)),
            (None, _) => {}
        }
        result.map(|confirm| Confirm { confirm, call })
    }
}

/// Returns the name of an exchange, or of the queue that the default exchange passes the message to. Queues with names
/// that the broker made up exist for one client, so they share a name.
fn destination<'a>(exchange: &'a str, routing_key: &'a str) -> &'a str {
    match (exchange, routing_key) {
        ("", queue) if queue.starts_with("amq.") => "(reply queue)",
        ("", queue) => queue,
        (exchange, _) => exchange,
    }
}

impl Deref for Channel {
    type Target = lapin::Channel;

    fn deref(&self) -> &lapin::Channel {
        &self.channel
    }
}

/// The broker's confirmation of a published message: a future, like [`PublisherConfirm`].
#[must_use = "the confirmation shows whether the broker has the message"]
pub struct Confirm {
    confirm: PublisherConfirm,
    call: Option<Call>,
}

impl Future for Confirm {
    type Output = lapin::Result<Confirmation>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.confirm).poll(cx));
        if let Some(mut call) = self.call.take() {
            match &result {
                Ok(Confirmation::Nack(_)) => call.fail("nack"),
                Ok(Confirmation::Ack(Some(_))) => call.fail("unroutable"),
                Ok(Confirmation::Ack(None) | Confirmation::NotRequested) => {}
                Err(error) => call.fail(chain_text(error)),
            }
        }
        Poll::Ready(result)
    }
}

impl fmt::Debug for Confirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirm").field("confirm", &self.confirm).finish_non_exhaustive()
    }
}
