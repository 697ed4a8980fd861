//! The layer that makes spans of transactions from spans and events of `tracing`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use opbeat_core::Span;
use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::instrument::{FinishedSpan, LivePosition, Position};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::described::{Described, Facts, kind_with};
use super::prepared::Prepared;
use super::table::{Action, Entry, Kind, Row, Table};
use super::values::Values;
use super::{carrier, entered, graphql, probe, sqlx};
use crate::sql::Statement;

/// The layer of the bridge. It is made by [`SpanBridge::layer`](super::SpanBridge::layer).
pub struct BridgeLayer {
    table: Arc<Table>,
    sqlx_database: Option<&'static str>,
    prepared: Prepared,
    /// The subscriber has a layer that reports errors itself.
    has_error_layer: AtomicBool,
}

/// The data of a span that carries a transaction.
struct Carrying(LivePosition);

/// The data of a span that the table shows.
struct Shown {
    /// `None` after its end.
    span: Option<Span>,
    /// The position in the span, or that of its parent if the span is not recorded.
    position: Position,
    /// The start of a span whose signature is perhaps found later.
    started: Option<Instant>,
    kind: Cow<'static, str>,
    /// A signature that was found after the start.
    late: Option<Cow<'static, str>>,
    /// Events of sqlx in the span belong to it.
    is_query: bool,
    statement: Option<Statement>,
    connection: Option<i64>,
    prepared: Option<i64>,
    attempts: i64,
    rows: Option<i64>,
    failed: bool,
}

impl BridgeLayer {
    pub(super) fn new(table: Arc<Table>, sqlx_database: Option<&'static str>) -> Self {
        Self { table, sqlx_database, prepared: Prepared::default(), has_error_layer: AtomicBool::new(false) }
    }

    fn row(&self, metadata: &'static Metadata<'static>) -> Option<&Row> {
        match self.table.find(metadata)? {
            Entry::Row(row) => Some(row),
            Entry::Question => None,
        }
    }

    fn facts(&self, name: &'static str) -> Facts<'_> {
        Facts { name, sqlx_database: self.sqlx_database, prepared: &self.prepared }
    }
}

/// Positions.
impl BridgeLayer {
    /// Returns the position of a span or an event: that of the nearest enclosing span with one. If that is in the current
    /// transaction of the thread, the current position is nearer.
    fn position<'a, S: LookupSpan<'a>>(&self, mut nearest: Option<SpanRef<'a, S>>) -> Option<Position> {
        let current = Position::current();
        while let Some(span) = nearest {
            if let Some(enclosing) = position_in(&span) {
                let nearer = current.filter(|current| current.is_in_transaction_of(&enclosing));
                return Some(nearer.unwrap_or(enclosing));
            }
            nearest = span.parent();
        }
        current
    }
}

/// Returns the position that a span has as its data.
fn position_in<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Position> {
    let extensions = span.extensions();
    let shown = || extensions.get::<Shown>().map(|shown| shown.position.clone());
    shown().or_else(|| extensions.get::<Carrying>().map(|carrying| carrying.0.now()))
}

/// Spans.
impl BridgeLayer {
    fn start(&self, row: &Row, attributes: &Attributes<'_>, position: &Position) -> Option<Shown> {
        Values::read(
            row,
            |visitor| attributes.record(visitor),
            |values| {
                if !values.meet_conditions() {
                    return None;
                }
                let described = Described::of(row, values, self.facts(attributes.metadata().name()));
                let is_complete = described.statement.is_some() || !row.describes_late();
                let started = (!is_complete).then(Instant::now);
                let mut shown = Shown {
                    span: None,
                    position: position.clone(),
                    started,
                    kind: described.kind.clone(),
                    late: None,
                    is_query: row.is_leaf && matches!(row.kind, Kind::Query(_)),
                    statement: None,
                    connection: values.connection(),
                    prepared: values.prepared(),
                    attempts: 0,
                    rows: None,
                    failed: false,
                };
                if matches!(row.action, Action::Span | Action::Prepare) {
                    let span = position.start(described.signature, described.kind);
                    let span = if row.is_leaf { span.leaf() } else { span };
                    if let Some(inner) = span.position() {
                        shown.position = inner;
                    }
                    shown.span = Some(span);
                    shown.set_statement(described.statement);
                    shown.set_extras(values);
                }
                Some(shown)
            },
        )
    }

    fn record(&self, row: &Row, shown: &mut Shown, values: &Values<'_>, name: &'static str) {
        shown.connection = shown.connection.or_else(|| values.connection());
        shown.prepared = shown.prepared.or_else(|| values.prepared());
        match row.action {
            Action::Name => {
                if let Some(operation) = values.operation().and_then(graphql::operation) {
                    shown.position.transaction().set_name(operation);
                }
            }
            Action::Span | Action::Prepare => {
                let described = Described::of(row, values, self.facts(name));
                if described.statement.is_none() && described.signature != name && shown.statement.is_none() {
                    shown.late = Some(described.signature);
                }
                shown.find_statement(described.statement);
                shown.set_extras(values);
                if values.have_end() {
                    shown.end();
                }
            }
            Action::Event | Action::Attempt => {}
        }
        if row.action == Action::Prepare
            && let (Some(connection), Some(prepared), Some(statement)) =
                (shown.connection, shown.prepared, &shown.statement)
        {
            self.prepared.add((connection, prepared), statement.clone());
        }
    }
}

impl Shown {
    fn set_statement(&mut self, statement: Option<Statement>) {
        let Some(statement) = statement else { return };
        if let Some(span) = &self.span {
            span.set_extra("sql", statement.text());
        }
        self.statement = Some(statement);
    }

    /// Sets the statement after the start, unless it is known.
    fn find_statement(&mut self, statement: Option<Statement>) {
        if let Some(statement) = statement.filter(|_| self.statement.is_none()) {
            self.late = Some(statement.signature());
            self.kind = kind_with(std::mem::take(&mut self.kind), &statement);
            self.set_statement(Some(statement));
        }
    }

    fn set_extras(&mut self, values: &Values<'_>) {
        let Some(span) = &self.span else { return };
        for (key, value) in values.extras() {
            span.set_extra(key, value);
        }
        self.rows = values.rows().or(self.rows);
        if values.have_failed() {
            self.failed = true;
            span.set_extra("error", true);
        }
    }

    fn end(&mut self) {
        let Some(span) = self.span.take() else { return };
        if self.attempts > 1 {
            span.set_extra("retries", self.attempts - 1);
        }
        // The number of a failed statement says nothing. The thread of SQLite sends it at about the time of the error, so that
        // it would be there in some spans only.
        if let Some(rows) = self.rows.filter(|_| !self.failed) {
            span.set_extra("rows", rows);
        }
        match self.late.take().zip(self.started) {
            Some((signature, started)) => {
                let kind = std::mem::take(&mut self.kind);
                span.end_as(FinishedSpan::new(signature, kind, started.elapsed()));
            }
            None => drop(span),
        }
    }
}

/// Events.
impl BridgeLayer {
    fn record_event<'a, S>(&self, row: &Row, event: &Event<'_>, context: &Context<'a, S>)
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        Values::read(
            row,
            |visitor| event.record(visitor),
            |values| {
                let Some(duration) = values.duration() else { return };
                if !values.meet_conditions() {
                    return;
                }
                let nearest = context.event_span(event);
                if matches!(row.kind, Kind::Sqlx) && nearest.as_ref().is_some_and(|nearest| merge(values, nearest)) {
                    return;
                }
                let Some(position) = self.position(nearest) else { return };
                if row.notes_call_site {
                    position.note_call_site();
                }
                if duration < row.at_least {
                    return;
                }
                let Described { kind, signature, statement } =
                    Described::of(row, values, self.facts(event.metadata().target()));
                let mut span = FinishedSpan::new(signature, kind, duration);
                if row.is_leaf {
                    span = span.leaf();
                }
                if let Some(statement) = statement {
                    span = span.extra("sql", statement.text());
                }
                if let Some(rows) = values.rows() {
                    span = span.extra("rows", rows);
                }
                for (key, value) in values.extras() {
                    span = span.extra(key, value);
                }
                position.record(span);
            },
        );
    }
}

/// Adds the statement and the numbers of rows of an event of sqlx to the query's span, if it is in one. Returns whether it
/// is.
fn merge<'a, S: LookupSpan<'a>>(values: &Values<'_>, span: &SpanRef<'a, S>) -> bool {
    let mut extensions = span.extensions_mut();
    let Some(shown) = extensions.get_mut::<Shown>().filter(|shown| shown.is_query) else { return false };
    if shown.statement.is_none() {
        shown.find_statement(values.statement().map(Statement::of));
    }
    shown.set_extras(values);
    true
}

impl<S> Layer<S> for BridgeLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.has_error_layer.store(subscriber.downcast_ref::<ErrorEvents>().is_some(), Ordering::Relaxed);
        probe::check(subscriber);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(row) = self.row(attributes.metadata()) else {
            if carrier::is_transaction(attributes.metadata())
                && let Some(position) = carrier::take_new()
            {
                span.extensions_mut().replace(Carrying(position));
            }
            return;
        };
        if row.action == Action::Attempt {
            count_attempt(&span);
        } else if let Some(position) = self.position(span.parent())
            && let Some(shown) = self.start(row, attributes, &position)
        {
            span.extensions_mut().replace(shown);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(row) = self.row(span.metadata()) else { return };
        Values::read(
            row,
            |visitor| record.record(visitor),
            |values| {
                if let Some(shown) = span.extensions_mut().get_mut::<Shown>() {
                    self.record(row, shown, values, span.name());
                }
            },
        );
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        // The transaction of a span that carries it is current already, unless other code enters the span. The worker
        // thread of SQLite has no code of the application, whose stacks are wanted.
        if carrier::is_moving() || sqlx::is_worker() {
            return;
        }
        if let Some(position) = context.span(id).and_then(|span| position_in(&span)) {
            entered::enter(id, &position);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if !carrier::is_moving() {
            entered::exit(id);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if let Some(row) = self.row(metadata) {
            self.record_event(row, event, &context);
        }
        if *metadata.level() == Level::ERROR && !self.has_error_layer.load(Ordering::Relaxed) {
            Layer::<S>::on_event(&ErrorEvents::new(), event, context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        // The span is dropped outside of the lock.
        let shown = context.span(&id).and_then(|span| span.extensions_mut().remove::<Shown>());
        if let Some(mut shown) = shown {
            shown.end();
        }
    }
}

/// Counts an attempt of the nearest enclosing span that is shown.
fn count_attempt<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) {
    for enclosing in span.scope().skip(1) {
        if let Some(shown) = enclosing.extensions_mut().get_mut::<Shown>() {
            shown.attempts += 1;
            return;
        }
    }
}

impl fmt::Debug for BridgeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeLayer").finish_non_exhaustive()
    }
}
