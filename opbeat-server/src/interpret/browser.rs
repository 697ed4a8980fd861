//! Keeps what is known of the browser that reported an error.

use opbeat_protocol::ErrorBody;
use serde_json::{Value, json};

use super::origin::Origin;

/// Adds the browser's and the agent's names to the request's headers, unless the agent sent these itself.
///
/// The address of the browser is not kept.
pub(super) fn keep_names(origin: &Origin, body: &mut ErrorBody) {
    let Some(agent) = &origin.browser_agent else { return };
    let http = body.http.get_or_insert_default();
    let headers = http.entry("headers").or_insert_with(|| json!({}));
    let Value::Object(headers) = headers else { return };
    let names =
        [("User-Agent", &origin.user_agent), ("X-Opbeat-Client", agent), ("X-Opbeat-Platform", &origin.platform)];
    for (name, value) in names {
        if !value.is_empty() {
            headers.entry(name).or_insert_with(|| value.as_str().into());
        }
    }
}
