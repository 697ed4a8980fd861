//! The ids of the current transaction in the lines of `tracing-subscriber`.

use std::fmt::{self, Write};

use tracing_core::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::record::LogFields;
use crate::transaction::current;

/// A formatter of `tracing-subscriber` that adds the ids of the current transaction and of its trace to each line.
///
/// It wraps any other formatter. A line of text ends in `transaction=… trace=…`. A line that is a JSON object gets the
/// keys `transaction` and `trace`. Lines outside of a transaction stay unchanged.
///
/// `with_ansi` of the subscriber or the layer has no effect on the wrapped formatter. For colours, enable them in that
/// formatter: `TransactionFields::new(format().with_ansi(true))`.
///
/// # Examples
///
/// ```
/// use opbeat_core::events::tracing::TransactionFields;
///
/// let subscriber = tracing_subscriber::fmt().map_event_format(TransactionFields::new).finish();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TransactionFields<F> {
    inner: F,
}

impl<F> TransactionFields<F> {
    /// Wraps a formatter.
    pub const fn new(inner: F) -> Self {
        Self { inner }
    }
}

impl<S, N, F> FormatEvent<S, N> for TransactionFields<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let fields = current().log_fields();
        if fields.is_empty() {
            return self.inner.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        write_with(&mut writer, &line, &fields)
    }
}

/// Writes a line with fields at its end.
fn write_with(out: &mut impl Write, line: &str, fields: &LogFields) -> fmt::Result {
    let text = line.trim_end_matches(['\n', '\r']);
    let end = &line[text.len()..];
    match text.strip_suffix('}').filter(|text| text.starts_with('{')) {
        Some(object) => {
            out.write_str(object)?;
            let mut comma = if object.len() > 1 { "," } else { "" };
            for (name, value) in fields.pairs() {
                write!(out, r#"{comma}"{name}":"{value}""#)?;
                comma = ",";
            }
            write!(out, "}}{end}")
        }
        None => write!(out, "{text} {fields}{end}"),
    }
}
