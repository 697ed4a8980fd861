//! The panic hook, which reports each panic of the process.

use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::capture::panic_record;
use crate::caught::is_quiet;
use crate::pipeline::Recorder;
use crate::reported_panic;
use crate::transaction::current;

thread_local! {
    /// Whether this thread is reporting a panic.
    static IS_REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook, once per process. The previous hook runs after it, so that its message on the terminal does not
/// change.
///
/// `recorder` returns the recorder for panics outside of all transactions. `flush` delivers the report if the process
/// ends with the panic.
pub(crate) fn install(recorder: fn() -> Option<Recorder>, flush: fn()) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        reported_panic::note_hook();
        panic::set_hook(Box::new(move |panic| {
            if !is_quiet() {
                report_once(panic, recorder);
            }
            reported_panic::note_seen();
            if ends_process(panic) {
                flush();
            }
            previous(panic);
        }));
    });
}

/// Returns whether the process ends when the hooks return: it was built with `panic = "abort"`, or the panic cannot
/// unwind.
///
/// In the second case, the standard library panics once more, with one of these messages.
fn ends_process(panic: &PanicHookInfo<'_>) -> bool {
    const MESSAGES: [&str; 2] = ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];
    let message = panic.payload().downcast_ref::<&str>().copied().unwrap_or_default();
    cfg!(panic = "abort") || MESSAGES.contains(&message)
}

/// Reports a panic, unless the report itself panicked: that would never end.
fn report_once(panic: &PanicHookInfo<'_>, recorder: fn() -> Option<Recorder>) {
    let is_reporting = IS_REPORTING.try_with(|is_reporting| is_reporting.replace(true)).unwrap_or(true);
    if !is_reporting {
        report(panic, recorder);
        let _ = IS_REPORTING.try_with(|is_reporting| is_reporting.set(false));
    }
}

fn report(panic: &PanicHookInfo<'_>, recorder: fn() -> Option<Recorder>) {
    if let Some(transaction) = current().active {
        transaction.report_panic(panic_record(panic));
    } else if let Some(recorder) = recorder() {
        recorder.capture(panic_record(panic), None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use crate::capture::message_record;
    use crate::export::{Batch, ExportError, Exporter};
    use crate::record::Level;
    use crate::transaction::Active;
    use crate::{Agent, Config};

    /// Sends each error's message to the test.
    struct Messages(Sender<String>);

    impl Exporter for Messages {
        fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
            batch.errors.drain(..).for_each(|error| self.0.send(error.message).expect("the test receives"));
            Ok(())
        }
    }

    #[test]
    fn a_panic_under_a_transaction_s_lock_is_reported_and_does_not_hang() {
        let (sender, messages) = channel();
        let agent = Agent::with_exporter(&Config::default(), Messages(sender));
        let active = Arc::new(Active::new(agent.recorder().expect("it is enabled")));
        active.while_locked(|| active.report_panic(message_record(Level::Fatal, "no shelf".to_owned())));
        agent.flush(Duration::from_secs(30)).expect("the exporter accepts everything");
        assert_eq!(messages.try_recv().as_deref(), Ok("no shelf"));
    }
}
