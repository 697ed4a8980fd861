//! Error records of the crate [`log`](https://docs.rs/log), reported as errors.

use std::fmt;

use log::{LevelFilter, Log, Metadata, Record};

use super::{Event, lines, location};
use crate::capture::format_event;
use crate::record::Level;

/// A logger that reports records of the level `Error`, and forwards all records to another logger.
///
/// It also keeps the last lines of each transaction for the transaction's error reports, see
/// [`Config::log_lines`](crate::Config::log_lines).
///
/// An error that is also returned or captured in the same transaction is reported once.
///
/// # Examples
///
/// ```
/// use log::LevelFilter;
/// use opbeat_core::events::log::ErrorLog;
/// # struct Terminal;
/// # impl log::Log for Terminal {
/// #     fn enabled(&self, _: &log::Metadata<'_>) -> bool { true }
/// #     fn log(&self, _: &log::Record<'_>) {}
/// #     fn flush(&self) {}
/// # }
///
/// ErrorLog::new(Terminal).install(LevelFilter::Info)?;
/// log::error!("the shelf is broken");
/// # Ok::<(), log::SetLoggerError>(())
/// ```
pub struct ErrorLog<L> {
    inner: L,
}

impl<L: Log + 'static> ErrorLog<L> {
    /// Makes a logger that forwards to `inner`.
    pub const fn new(inner: L) -> Self {
        Self { inner }
    }

    /// Installs this as the logger of the process.
    ///
    /// # Errors
    ///
    /// Returns an error if a logger is installed already.
    pub fn install(self, level: LevelFilter) -> Result<(), log::SetLoggerError> {
        log::set_boxed_logger(Box::new(self)).map(|()| log::set_max_level(level.max(LevelFilter::Error)))
    }
}

impl<L: Log> Log for ErrorLog<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == log::Level::Error || self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let is_ignored = Event::is_ignored(record.target());
        if record.level() == log::Level::Error && !is_ignored {
            let message = format_event(*record.args());
            let location = location(record.file(), record.line());
            Event { target: record.target(), message, error: None, fields: Vec::new(), location }.report();
        }
        if !is_ignored {
            lines::keep(level(record.level()), record.target(), |line| line.add("message", *record.args()));
        }
        if self.inner.enabled(record.metadata()) {
            self.inner.log(record);
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warning,
        log::Level::Info => Level::Info,
        log::Level::Debug | log::Level::Trace => Level::Debug,
    }
}

impl<L> fmt::Debug for ErrorLog<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorLog").finish_non_exhaustive()
    }
}
