//! The families of spans that have pages of their own.

/// A family of spans: all kinds with the same first part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SpanFamily {
    /// Statements of databases: kinds such as `db.postgresql.query`.
    Queries,
    /// Calls of other services: kinds such as `ext.http.reqwest`.
    Calls,
}

impl SpanFamily {
    /// Returns the first part of the kinds.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queries => "db",
            Self::Calls => "ext",
        }
    }

    /// Returns the family of a kind, if it has one.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        let first = kind.split_once('.').map_or(kind, |(first, _)| first);
        [Self::Queries, Self::Calls].into_iter().find(|family| family.name() == first)
    }
}
