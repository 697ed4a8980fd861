//! The subscriber of this process, which has the bridge.

use std::sync::Once;

use opbeat_instrument::tracing::layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Sets the subscriber. It has a layer for the log as applications have it, which shows nothing below `WARN`.
///
/// Worker threads of libraries use the global subscriber, so all tests share it.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = tracing_subscriber::fmt::layer().with_test_writer().with_filter(LevelFilter::WARN);
        let registry = tracing_subscriber::registry().with(log).with(layer());
        registry.try_init().expect("no test sets another global subscriber");
    });
}
