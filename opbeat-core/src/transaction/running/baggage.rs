//! The baggage that came with a request or a job, and that calls to other services pass on.

use crate::record::RequestRecord;

/// Baggage with more members or bytes than this is cut: other implementations need not pass on more (W3C Baggage 3.3.2).
const MAX_MEMBERS: usize = 64;

/// The largest size in bytes.
const MAX_LENGTH: usize = 8192;

/// Returns the baggage of a request. Several headers are joined into one list.
pub(super) fn remote_baggage(request: &RequestRecord) -> Option<String> {
    valid_baggage(request.header_values("baggage"))
}

/// Returns the valid members of lists, unchanged, as one list.
pub(super) fn valid_baggage<'a>(lists: impl Iterator<Item = &'a str>) -> Option<String> {
    let members = lists.flat_map(|list| whole_members(list).split(',')).map(str::trim);
    let mut baggage = String::new();
    for member in members.filter(|member| is_member(member)).take(MAX_MEMBERS) {
        let comma = if baggage.is_empty() { "" } else { "," };
        if baggage.len() + comma.len() + member.len() <= MAX_LENGTH {
            baggage.extend([comma, member]);
        }
    }
    (!baggage.is_empty()).then_some(baggage)
}

/// Returns the list without its last member if that may be incomplete, because the record cuts long headers.
fn whole_members(list: &str) -> &str {
    if list.len() < MAX_LENGTH { list } else { list.rsplit_once(',').map_or("", |(whole, _)| whole) }
}

/// Returns whether the text is `key=value` with optional properties, which a header can contain.
fn is_member(text: &str) -> bool {
    let is_key = |key: &str| {
        let key = key.trim_end();
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic() && !b"(),/:;<=>?@[\\]{}\"".contains(&byte))
    };
    let is_value = |value: &str| value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    text.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value))
}
