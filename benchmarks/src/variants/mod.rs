//! The same application, monitored by each crate.

mod actix;
mod axum;
mod floor;
mod opbeat;
mod otel;
mod sentry;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use load::sink::Delivered;

pub use self::axum::application as axum_application;
use crate::driver::Drive;

/// The number of child spans of a request to `/spans`.
pub const SPANS: u64 = 5;

/// A web framework and its variants.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    pub name: &'static str,
    /// The variants, with the bare application first.
    pub variants: &'static [&'static str],
}

pub const FRAMEWORKS: [Framework; 2] = [
    Framework {
        name: "axum",
        variants: &["bare", "floor", "opbeat", "opbeat-enc", "otel-tower", "sentry-tower", "sentry-tower-enc"],
    },
    Framework { name: "actix", variants: &["actix-bare", "actix-floor", "actix-opbeat", "actix-otel", "actix-sentry"] },
];

/// The access to an application's records.
pub struct Recording {
    /// Delivers the recorded data, and returns the totals since the start.
    pub deliver: Box<dyn FnMut() -> Delivered>,
    /// Whether requests are recorded at all.
    pub records: bool,
    /// A value that must live as long as the application.
    _guard: Box<dyn Any>,
}

impl Recording {
    fn new(deliver: impl FnMut() -> Delivered + 'static, guard: impl Any) -> Self {
        Self { deliver: Box::new(deliver), records: true, _guard: Box::new(guard) }
    }

    fn none() -> Self {
        Self { deliver: Box::new(Delivered::default), records: false, _guard: Box::new(()) }
    }
}

/// Creates a variant that is called in process.
pub fn variant(name: &str) -> (Box<dyn Drive>, Recording) {
    match name.strip_prefix("actix-") {
        Some(name) => actix::variant(name),
        None => axum::variant(name),
    }
}

/// Counts the input of an exporter.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<[AtomicU64; 2]>);

impl Counter {
    fn add(&self, transactions: u64, spans: u64) {
        self.0[0].fetch_add(transactions, Ordering::Relaxed);
        self.0[1].fetch_add(spans, Ordering::Relaxed);
    }

    fn delivered(&self) -> Delivered {
        Delivered { transactions: self.0[0].load(Ordering::Relaxed), spans: self.0[1].load(Ordering::Relaxed) }
    }
}
