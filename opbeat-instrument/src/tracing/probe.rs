//! Whether a global filter hides the spans and events that the bridge needs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use opbeat_core::http::warn_once;
use tracing::callsite::Callsite;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Level, Metadata};
use tracing_core::field::FieldSet;
use tracing_core::{identify_callsite, metadata};

/// A directive, and the callsites that it has to enable.
struct Need {
    directive: &'static str,
    target: &'static str,
    level: Level,
    kind: Kind,
}

/// The spans of transactions, and the libraries whose spans and events have a level below `INFO`.
const NEEDS: &[Need] = &[
    Need { directive: "opbeat=trace", target: "opbeat", level: Level::TRACE, kind: Kind::SPAN },
    Need { directive: "sqlx::query=debug", target: "sqlx::query", level: Level::DEBUG, kind: Kind::EVENT },
    Need { directive: "mysql_async=debug", target: "mysql_async::conn", level: Level::DEBUG, kind: Kind::SPAN },
    Need { directive: "aws_sdk=debug", target: "aws_sdk_sqs::operation", level: Level::DEBUG, kind: Kind::SPAN },
    Need { directive: "scylla=trace", target: "scylla::observability", level: Level::TRACE, kind: Kind::SPAN },
];

/// The number of directives at the start of [`NEEDS`] that each application needs, or at least most of them.
///
/// If they are set, a missing one belongs to a library that the application probably does not use.
const USUAL: usize = 2;

/// The warning that is not shown yet.
static WARNING: Mutex<Option<String>> = Mutex::new(None);
static IS_WAITING: AtomicBool = AtomicBool::new(false);

/// Asks a new subscriber whether it enables what the bridge needs. The bridge's own filter does, so only a global filter
/// can hide it.
///
/// The warning waits for the first transaction: the subscriber is not set yet, and the logger may depend on it.
pub(super) fn check(subscriber: &Dispatch) {
    // The question changes the state of the thread's filters, and the next event of this thread would be lost
    // (tokio-rs/tracing#2448). So it is asked on a thread of its own.
    let ask = || NEEDS.iter().filter(|need| !is_enabled(subscriber, need)).map(|need| need.directive).collect();
    let hidden: Vec<&str> = thread::scope(|scope| {
        let asking = thread::Builder::new().name("opbeat-probe".into()).spawn_scoped(scope, ask);
        asking.ok().and_then(|asking| asking.join().ok()).unwrap_or_default()
    });
    if NEEDS[..USUAL].iter().any(|need| hidden.contains(&need.directive)) {
        let warning = format!(
            "a global filter of the tracing subscriber hides spans that Opbeat shows: add `{}` to it, without the libraries \
             that the application does not use, or filter only the layer that writes the log",
            hidden.join(","),
        );
        *WARNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(warning);
        IS_WAITING.store(true, Ordering::Release);
    }
}

/// Logs the warning, once per process.
#[inline]
pub(super) fn warn() {
    if IS_WAITING.load(Ordering::Acquire) {
        show();
    }
}

#[cold]
fn show() {
    static ONCE: Once = Once::new();
    IS_WAITING.store(false, Ordering::Release);
    if let Some(warning) = WARNING.lock().unwrap_or_else(PoisonError::into_inner).take() {
        warn_once(&ONCE, &warning);
    }
}

fn is_enabled(subscriber: &Dispatch, need: &Need) -> bool {
    let fields = FieldSet::new(&[], identify_callsite!(&QUESTION));
    let metadata = Metadata::new("opbeat probe", need.target, need.level, None, None, None, fields, need.kind.clone());
    subscriber.enabled(&metadata)
}

/// The callsite of the questions. It is never registered.
struct Question;

static QUESTION: Question = Question;
static METADATA: Metadata<'static> = metadata! {
    name: "opbeat probe",
    target: "opbeat",
    level: Level::TRACE,
    fields: &[],
    callsite: &QUESTION,
    kind: Kind::SPAN,
};

impl Callsite for Question {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}
