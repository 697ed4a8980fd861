//! The filter of the bridge's layer.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use super::carrier;
use super::table::Table;

/// Enables the spans and events of the table, the spans of transactions, and events of the level `ERROR`.
///
/// All others are disabled for the bridge only. If no other layer enables them either, their callsites get the interest
/// `never`.
#[derive(Clone, Debug)]
pub struct BridgeFilter {
    table: Arc<Table>,
    carries: bool,
}

impl BridgeFilter {
    pub(super) fn new(table: Arc<Table>, carries: bool) -> Self {
        Self { table, carries }
    }

    fn enables(&self, metadata: &Metadata<'_>) -> bool {
        self.table.shows(metadata)
            || self.carries && carrier::is_transaction(metadata)
            || metadata.is_event() && *metadata.level() == Level::ERROR
    }
}

impl<S> Filter<S> for BridgeFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.enables(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enables(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The table has spans of the level `TRACE`.
        Some(LevelFilter::TRACE)
    }
}
