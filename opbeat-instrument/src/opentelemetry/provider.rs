//! The tracer provider and its tracers.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use opbeat_core::Agent;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope};

use super::facts::Facts;
use super::settings::Settings;
use super::span::{Span, instant};
use super::{attached, parent, transaction};

/// The largest number of bytes of a kind.
const MAX_KIND: usize = 64;

/// A tracer provider that records spans in the current transaction.
///
/// # Examples
///
/// ```
/// use opbeat_instrument::opentelemetry::TracerProvider;
/// use opentelemetry::trace::Tracer;
///
/// opentelemetry::global::set_tracer_provider(TracerProvider::new());
///
/// // A library does this:
/// opentelemetry::global::tracer("shelves").in_span("count", |_| println!("4"));
/// ```
#[derive(Clone, Debug)]
pub struct TracerProvider {
    settings: Arc<Settings>,
}

impl TracerProvider {
    /// Makes a provider. Its spans are recorded in transactions that others begin: the adapters of web frameworks, for
    /// example.
    ///
    /// The first provider of the process also observes the contexts that are attached to threads.
    #[must_use]
    pub fn new() -> Self {
        attached::observe();
        Self { settings: Arc::default() }
    }

    /// Begins a transaction for each span of a server or a consumer that starts outside of all transactions: for
    /// frameworks and brokers that are instrumented for OpenTelemetry and have no adapter of ours.
    ///
    /// A server's transaction has the kind `web.otel`, and is named after method and route, or else after the span. A
    /// consumer's has the kind `task.otel`. They continue the trace and the baggage in the span's context. Their result is
    /// the HTTP status, or `error` or `ok` by the span's status.
    #[must_use]
    pub fn begin_transactions(mut self, agent: &Agent) -> Self {
        Arc::make_mut(&mut self.settings).agent = Some(agent.clone());
        self
    }

    /// Keeps an attribute of this name as an extra value of its span, although no convention says that it contains no
    /// secrets. At most 32 are kept of a span, and 256 bytes of each.
    #[must_use]
    pub fn keep_attribute(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.settings).kept_attributes.push(name.into());
        self
    }
}

impl Default for TracerProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl opentelemetry::trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer { scope: scope_kind(scope.name()).into(), settings: Arc::clone(&self.settings) }
    }
}

/// A tracer of one instrumented library, from a [`TracerProvider`].
#[derive(Clone, Debug)]
pub struct Tracer {
    /// The kind of spans that wait for no known system.
    scope: Arc<str>,
    settings: Arc<Settings>,
}

impl opentelemetry::trace::Tracer for Tracer {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, parent_cx: &Context) -> Span {
        if parent_cx.is_telemetry_suppressed() {
            return Span::unrecorded(parent_cx.span().span_context().clone());
        }
        let SpanBuilder { span_kind, name, start_time, attributes, events, links: _ } = builder;
        let mut facts = Facts::new(name, span_kind.unwrap_or(SpanKind::Internal));
        for attribute in attributes.iter().flatten() {
            facts.set(attribute, &self.settings.kept_attributes);
        }
        let mut span = match parent::find(parent_cx) {
            Some(position) => {
                let started = start_time.map_or_else(Instant::now, instant);
                Span::start(position, facts, started, &self.scope, &self.settings)
            }
            None => self.start_outside(facts, parent_cx),
        };
        span.add_events(events.unwrap_or_default());
        span
    }
}

impl Tracer {
    /// Starts a span outside of all transactions.
    fn start_outside(&self, facts: Facts, parent_cx: &Context) -> Span {
        let agent = self.settings.agent.as_ref();
        if let Some(transaction) = agent.and_then(|agent| transaction::begin(agent, &facts, parent_cx)) {
            return Span::of_transaction(transaction, facts, &self.scope, &self.settings);
        }
        // The core counts spans without a transaction.
        drop(opbeat_core::span(facts.name, ""));
        Span::unrecorded(parent_cx.span().span_context().clone())
    }
}

/// Returns the kind of a library's spans: `otel.` and its name, with the separators of kinds.
fn scope_kind(scope: &str) -> String {
    let mut kind = String::from("otel");
    for part in scope.split(['.', ':', '/', '\\']).filter(|part| !part.is_empty()) {
        kind.push('.');
        kind.extend(part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }));
    }
    kind.truncate(kind.floor_char_boundary(MAX_KIND));
    kind
}
