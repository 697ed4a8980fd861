//! The path at which an accepted error is shown.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sender::Sender;

/// All bytes of a path's segment that must be encoded: all except the unreserved ones of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the path of an error. The server completes it to a URL, on the host that the agent sent it to.
pub(super) fn location(sender: &Sender, id: &str) -> String {
    let Sender { organization, app, .. } = sender;
    let [organization, app, id] = [organization, app, id].map(|segment| utf8_percent_encode(segment, ENCODED));
    format!("/{organization}/{app}/errors/by-id/{id}")
}
