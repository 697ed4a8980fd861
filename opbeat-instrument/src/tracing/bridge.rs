//! The settings of the bridge.

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::registry::LookupSpan;

use super::carrier;
use super::filter::BridgeFilter;
use super::layer::BridgeLayer;
use super::table::{Row, Table};

/// Returns the bridge with its default settings, as a layer with a filter of its own.
///
/// # Examples
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(opbeat_instrument::tracing::layer());
/// ```
#[must_use]
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> Filtered<BridgeLayer, BridgeFilter, S> {
    SpanBridge::new().layer()
}

/// The settings of the bridge from `tracing`.
#[derive(Clone, Debug)]
#[must_use = "the settings take effect in the layer"]
pub struct SpanBridge {
    rows: Vec<Row>,
    sqlx_database: Option<&'static str>,
    carries: bool,
}

impl SpanBridge {
    /// Makes the default settings.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), sqlx_database: None, carries: true }
    }

    /// Adds a row to the table. Rows that are added first apply first, and before the built-in ones.
    pub fn with_row(mut self, row: Row) -> Self {
        self.rows.push(row);
        self
    }

    /// Sets the database of sqlx, such as `postgresql`, for the kind of its spans.
    ///
    /// sqlx does not name it. The bridge recognises SQLite by the thread, PostgreSQL and MySQL by the notation of
    /// placeholders. This setting is needed for an application with both that has statements without placeholders.
    pub fn sqlx_database(mut self, database: &'static str) -> Self {
        self.sqlx_database = Some(database);
        self
    }

    /// Makes no spans of `tracing` for transactions.
    ///
    /// By default, each task with a transaction runs in a span `opbeat.transaction` of the level `TRACE`. sqlx takes it
    /// to the worker thread of SQLite, and so do libraries that instrument their tasks with the current span. Without it,
    /// queries of SQLite are found only in spans that the application makes and the bridge shows.
    pub fn without_transaction_spans(mut self) -> Self {
        self.carries = false;
        self
    }

    /// Returns the layer, with its filter.
    #[must_use]
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(self) -> Filtered<BridgeLayer, BridgeFilter, S> {
        let table = Arc::new(Table::new(self.rows));
        carrier::install(self.carries);
        Filtered::new(BridgeLayer::new(Arc::clone(&table), self.sqlx_database), BridgeFilter::new(table, self.carries))
    }
}

impl Default for SpanBridge {
    fn default() -> Self {
        Self::new()
    }
}
