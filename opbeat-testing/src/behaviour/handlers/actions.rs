//! Tags, names and spans that the handlers set.

use opbeat_core::{User, current, span};

/// Sets the tag that the table expects: `plan` to `gold`.
pub fn tag() {
    current().set_tag("plan", "gold");
}

/// Renames the transaction to `shop.renamed`, as the table expects.
pub fn rename() {
    current().set_name("shop.renamed");
}

/// Sets a user and a tag on the current transaction and records two nested spans, as the table expects.
pub fn describe() {
    let transaction = current();
    transaction.set_user(User::new(7));
    tag();
    let outer = span("render", "template");
    drop(span("SELECT FROM books", "db.sqlite.query"));
    drop(outer);
}

/// Records the span that the table expects from a spawned task.
pub fn count_shelves() {
    drop(span("count shelves", "code"));
}

/// Returns a body of 32 MiB, more than the buffers of a connection hold.
#[must_use]
pub fn large_body() -> Vec<u8> {
    vec![b'x'; 32 << 20]
}

/// Returns a guard that sets a tag on the current transaction when it is dropped.
pub fn tag_on_drop() -> impl Sized + Send + Sync + 'static {
    TagOnDrop
}

struct TagOnDrop;

impl Drop for TagOnDrop {
    fn drop(&mut self) {
        current().set_tag("left", "early");
    }
}
