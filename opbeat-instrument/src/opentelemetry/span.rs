//! A span of OpenTelemetry that is recorded as one of ours.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opbeat_core::Transaction;
use opbeat_core::instrument::{FinishedSpan, Position};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Span as OtelSpan, SpanContext, Status};

use super::description::Description;
use super::facts::Facts;
use super::live::{self, Live, SpanIds};
use super::settings::Settings;
use super::transaction;

/// A span that a [`Tracer`](super::Tracer) has started. It ends when it is dropped.
pub struct Span {
    context: SpanContext,
    /// Keeps the position findable for spans that start in this one.
    _live: Option<Live>,
    running: Option<Box<Running>>,
}

/// A span that has not ended.
struct Running {
    recorded: Recorded,
    started: Instant,
    facts: Facts,
    /// The facts have changed since the start.
    is_changed: bool,
    /// The kind of spans that wait for no known system.
    scope: Arc<str>,
    settings: Arc<Settings>,
}

/// The part of our data that the span stands for.
enum Recorded {
    Span(opbeat_core::Span),
    Transaction(Transaction),
}

impl Span {
    /// Makes a span that records nothing and passes on a context.
    pub(super) fn unrecorded(context: SpanContext) -> Self {
        Self { context, _live: None, running: None }
    }

    /// Starts a span at a position.
    pub(super) fn start(
        position: Position,
        facts: Facts,
        started: Instant,
        scope: &Arc<str>,
        settings: &Arc<Settings>,
    ) -> Self {
        let description = Description::of(&facts, scope);
        let span = position.start(description.signature, description.kind);
        let span = if description.is_leaf { span.leaf() } else { span };
        // A span that is not recorded, in a leaf for example, passes on the context of its parent.
        let position = span.position().unwrap_or(position);
        Self::running(Recorded::Span(span), position, facts, started, scope, settings)
    }

    /// Stands for a transaction that has begun.
    pub(super) fn of_transaction(
        transaction: Transaction,
        facts: Facts,
        scope: &Arc<str>,
        settings: &Arc<Settings>,
    ) -> Self {
        let position = {
            let _entered = transaction.enter();
            Position::current()
        };
        let Some(position) = position else { return Self::unrecorded(SpanContext::NONE) };
        Self::running(Recorded::Transaction(transaction), position, facts, Instant::now(), scope, settings)
    }

    fn running(
        recorded: Recorded,
        position: Position,
        facts: Facts,
        started: Instant,
        scope: &Arc<str>,
        settings: &Arc<Settings>,
    ) -> Self {
        let context = live::span_context(&position);
        let live = Live::new(SpanIds::of(&context), position);
        let (scope, settings) = (Arc::clone(scope), Arc::clone(settings));
        let running = Running { recorded, started, facts, is_changed: false, scope, settings };
        Self { context, _live: Some(live), running: Some(Box::new(running)) }
    }

    /// Notes the events that the span's builder has.
    pub(super) fn add_events(&mut self, events: Vec<Event>) {
        for event in events {
            self.note_event(&event.name, &event.attributes);
        }
    }

    fn note_event(&mut self, name: &str, attributes: &[KeyValue]) {
        if name != "exception" {
            return;
        }
        let Some(running) = self.change() else { return };
        let message = running.facts.set_exception(attributes);
        if let Recorded::Transaction(transaction) = &running.recorded {
            transaction::report_exception(transaction, message);
        }
    }

    /// Returns the running span to change it; `None` if it has ended or is not recorded.
    fn change(&mut self) -> Option<&mut Running> {
        let running = self.running.as_mut()?;
        if !running.recorded.is_recording() {
            return None;
        }
        running.is_changed = true;
        Some(running)
    }

    fn end_at(&mut self, ended: Instant) {
        if let Some(running) = self.running.take() {
            running.end(ended);
        }
    }
}

impl Recorded {
    fn is_recording(&self) -> bool {
        match self {
            Self::Span(span) => span.position().is_some(),
            Self::Transaction(transaction) => transaction.is_recording(),
        }
    }
}

impl Running {
    fn end(self, ended: Instant) {
        match self.recorded {
            Recorded::Span(span) => {
                let Description { kind, signature, is_leaf, extra } = Description::of(&self.facts, &self.scope);
                let duration = ended.saturating_duration_since(self.started);
                let mut end = FinishedSpan::new(signature, kind, duration).ended_at(ended.max(self.started));
                for (key, value) in extra {
                    end = end.extra(key, value);
                }
                for (key, value) in self.facts.others {
                    end = end.extra(key, value);
                }
                span.end_as(if is_leaf { end.leaf() } else { end });
            }
            Recorded::Transaction(transaction) if !std::thread::panicking() => {
                transaction::end(transaction, self.facts);
            }
            // A transaction that is dropped while a panic unwinds counts as panicked.
            Recorded::Transaction(transaction) => drop(transaction),
        }
    }
}

impl OtelSpan for Span {
    fn add_event_with_timestamp<T>(&mut self, name: T, _: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        self.note_event(&name.into(), &attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.recorded.is_recording())
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(Running { facts, settings, .. }) = self.change() {
            facts.set(&attribute, &settings.kept_attributes);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(running) = self.change() {
            running.facts.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(running) = self.change() {
            running.facts.rename(new_name.into());
        }
    }

    /// Does nothing: a span of ours has one parent.
    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.end_at(instant(timestamp));
    }
}

/// Converts a time of the system's clock, which is now or in the past.
pub(super) fn instant(time: SystemTime) -> Instant {
    let now = Instant::now();
    let age = SystemTime::now().duration_since(time).unwrap_or(Duration::ZERO);
    now.checked_sub(age).unwrap_or(now)
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end_at(Instant::now());
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span").field("context", &self.context).finish_non_exhaustive()
    }
}
