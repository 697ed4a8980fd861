//! The span of a rendered template, which all engines share.

use opbeat_core::current;

/// Renders a template in a span of its name. A failure is recorded by its kind, because its message may contain values.
pub(crate) fn render<T, E>(
    kind: &'static str,
    name: &str,
    render: impl FnOnce() -> Result<T, E>,
    kind_of: impl FnOnce(&E) -> String,
) -> Result<T, E> {
    let transaction = current();
    if !transaction.is_recording() {
        return render();
    }
    let span = transaction.span(name.to_owned(), kind);
    let output = render();
    if let Err(error) = &output {
        span.set_extra("error", kind_of(error));
    }
    output
}
