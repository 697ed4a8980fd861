//! One row of the table: which spans or events are shown, and how.

use std::borrow::Cow;
use std::time::Duration;

use tracing::Metadata;

use super::pattern::Pattern;

/// Spans or events of one library that the bridge shows, and how it shows them.
///
/// The target and the name select them. Both match exactly, or by their beginning if they end in `*`. Other methods
/// describe the span that is recorded. Fields that no method names are dropped, so that secrets stay in the process.
///
/// # Examples
///
/// ```
/// use opbeat_instrument::tracing::{Row, SpanBridge};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// // The library does `info_span!("search", index = "books", hits = Empty)`.
/// let row = Row::span("my_search", "search").kind("db.search.query").signature_field("index").extra("hits", "hits");
/// let subscriber = tracing_subscriber::registry().with(SpanBridge::new().with_row(row.leaf()).layer());
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) target: Pattern,
    name: Option<Pattern>,
    pub(in crate::tracing) kind: Kind,
    pub(in crate::tracing) signature: Signature,
    pub(in crate::tracing) action: Action,
    pub(in crate::tracing) is_leaf: bool,
    /// The events come before queries, on the thread of the application's code.
    pub(in crate::tracing) notes_call_site: bool,
    /// The shortest duration of an event that is recorded.
    pub(in crate::tracing) at_least: Duration,
    /// The fields that are read, and their meanings.
    pub(in crate::tracing) fields: Vec<(Cow<'static, str>, Meaning)>,
}

/// The kind of a row's spans.
#[derive(Clone, Debug)]
pub(in crate::tracing) enum Kind {
    Fixed(Cow<'static, str>),
    /// `db.<system>.query`, or `db.<system>.transaction` for `BEGIN` and the like. The system is a field's value, or else
    /// this one.
    Query(&'static str),
    /// The same for the events of sqlx, which do not name the system.
    Sqlx,
}

/// The signature of a row's spans, unless they have a statement.
#[derive(Clone, Debug)]
pub(in crate::tracing) enum Signature {
    Name,
    Fixed(Cow<'static, str>),
    /// The values of the fields with the meaning [`Meaning::Signature`], separated by this text.
    Fields(&'static str),
}

/// The use of a row's spans and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tracing) enum Action {
    /// A span of a transaction.
    Span,
    /// An event that is recorded as a span that has ended.
    Event,
    /// A span that is an attempt of the enclosing span's call.
    Attempt,
    /// A span that names the transaction.
    Name,
    /// A span that prepares a statement, which later spans name by its number.
    Prepare,
}

/// The meaning of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tracing) enum Meaning {
    /// An SQL statement. Empty ones are ignored.
    Statement,
    /// An SQL statement that is used if no other field has one. It may be shortened.
    Summary,
    /// A part of the signature.
    Signature,
    /// The name of the database system.
    System,
    /// The duration in seconds.
    Duration,
    /// The row applies only if the field has this value.
    Only(Cow<'static, str>),
    /// The row applies only to callsites with this field.
    Present,
    /// The span failed if the field has this value.
    Failed(Cow<'static, str>),
    /// The span ends when this field is set.
    End,
    /// The connection and the number of a prepared statement.
    Connection,
    Prepared,
    /// A number of rows. The first one that is not zero becomes the extra value `rows`.
    Rows,
    /// An extra value with this key.
    Extra(Cow<'static, str>),
    /// The text of a GraphQL request, whose operation names the transaction.
    Operation,
}

impl Row {
    /// Describes spans by their target and name.
    #[must_use]
    pub fn span(target: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(target.into(), Some(Pattern::new(name)), Action::Span)
    }

    /// Describes events by their target. They are recorded at the end of the work, so a field must contain its duration:
    /// see [`duration_field`](Self::duration_field).
    #[must_use]
    pub fn event(target: impl Into<Cow<'static, str>>) -> Self {
        Self::new(target.into(), None, Action::Event)
    }

    fn new(target: Cow<'static, str>, name: Option<Pattern>, action: Action) -> Self {
        Self {
            target: Pattern::new(target),
            name,
            kind: Kind::Fixed(Cow::Borrowed("app.span")),
            signature: Signature::Name,
            action,
            is_leaf: false,
            notes_call_site: false,
            at_least: Duration::ZERO,
            fields: Vec::new(),
        }
    }

    /// Sets the kind, dotted from the general to the specific, such as `db.search.query`. The default is `app.span`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = Kind::Fixed(kind.into());
        self
    }

    /// Makes the kind `db.<system>.query`. A field whose value is the system is set with
    /// [`system_field`](Self::system_field).
    #[must_use]
    pub fn query(mut self, system: &'static str) -> Self {
        self.kind = Kind::Query(system);
        self
    }

    /// Sets the field that contains the name of the database system, such as `postgresql`.
    #[must_use]
    pub fn system_field(self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::System)
    }

    /// Sets a fixed signature. The default is the name of a span, and the target of an event.
    #[must_use]
    pub fn signature(mut self, signature: impl Into<Cow<'static, str>>) -> Self {
        self.signature = Signature::Fixed(signature.into());
        self
    }

    /// Sets the field that contains the signature. Its values must be few, so not an id or an address with an id.
    #[must_use]
    pub fn signature_field(self, field: &'static str) -> Self {
        self.signature_fields([field], "")
    }

    /// Sets several fields whose values form the signature, with a separator.
    #[must_use]
    pub fn signature_fields<const N: usize>(mut self, fields: [&'static str; N], separator: &'static str) -> Self {
        self.signature = Signature::Fields(separator);
        fields.into_iter().fold(self, |row, field| row.field(field, Meaning::Signature))
    }

    /// Sets a field that contains an SQL statement. The signature comes from it, and its text without values becomes the
    /// extra value `sql`. If there are several fields, the first value that is not empty is used.
    #[must_use]
    pub fn statement_field(self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::Statement)
    }

    /// Sets the field of an event that contains the duration in seconds.
    #[must_use]
    pub fn duration_field(self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::Duration)
    }

    /// Ignores events with a shorter duration.
    #[must_use]
    pub fn at_least(mut self, duration: Duration) -> Self {
        self.at_least = duration;
        self
    }

    /// Shows a field's value as an extra value with this key.
    #[must_use]
    pub fn extra(self, key: impl Into<Cow<'static, str>>, field: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::Extra(key.into()))
    }

    /// Restricts the row to spans and events that have a field with this value.
    #[must_use]
    pub fn only_if(self, field: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::Only(value.into()))
    }

    /// Sets the extra value `error` if a field has this value.
    #[must_use]
    pub fn failed_if(self, field: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::Failed(value.into()))
    }

    /// Ends the span when the field is set, instead of when the span is closed.
    #[must_use]
    pub fn ends_with(self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field(field, Meaning::End)
    }

    /// Makes the spans leaves: spans in them are not recorded. A query that passes through two instrumented libraries is
    /// then shown once. Events of sqlx in a leaf add their statement and their numbers of rows to it.
    #[must_use]
    pub fn leaf(mut self) -> Self {
        self.is_leaf = true;
        self
    }

    pub(super) fn summary_field(self, field: &'static str) -> Self {
        self.field(field, Meaning::Summary)
    }

    pub(super) fn notes_call_site(mut self) -> Self {
        self.notes_call_site = true;
        self
    }

    pub(super) fn rows(self, fields: [&'static str; 2]) -> Self {
        fields.into_iter().fold(self, |row, field| row.field(field, Meaning::Rows))
    }

    pub(super) fn of_sqlx(mut self) -> Self {
        self.kind = Kind::Sqlx;
        self
    }

    pub(super) fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    pub(super) fn field(mut self, field: impl Into<Cow<'static, str>>, meaning: Meaning) -> Self {
        if self.fields.len() < MAX_FIELDS {
            self.fields.push((field.into(), meaning));
        }
        self
    }

    /// Returns whether the signature of a span can depend on fields that are set after its start.
    pub(in crate::tracing) fn describes_late(&self) -> bool {
        let describes =
            |meaning: &Meaning| matches!(meaning, Meaning::Statement | Meaning::Summary | Meaning::Signature);
        matches!(self.kind, Kind::Query(_)) || self.fields.iter().any(|(_, meaning)| describes(meaning))
    }

    /// Returns whether the row applies to the spans or events of a callsite.
    pub(super) fn matches(&self, metadata: &Metadata<'_>) -> bool {
        let matches_name = match &self.name {
            Some(name) => metadata.is_span() && name.matches(metadata.name()),
            None => metadata.is_event(),
        };
        matches_name && self.target.matches(metadata.target()) && self.has_conditions(metadata)
    }

    /// Returns whether a callsite has the fields that decide whether the row applies.
    fn has_conditions(&self, metadata: &Metadata<'_>) -> bool {
        let conditions =
            self.fields.iter().filter(|(_, meaning)| matches!(meaning, Meaning::Only(_) | Meaning::Present));
        conditions.into_iter().all(|(field, _)| metadata.fields().field(&**field).is_some())
    }
}

/// The largest number of fields of a row.
pub(in crate::tracing) const MAX_FIELDS: usize = 16;
