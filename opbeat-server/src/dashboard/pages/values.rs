//! Named values that an application or an agent reports.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::room::Room;

/// Lists named values in a table.
pub(super) fn list(values: &Map<String, Value>, room: &Room) -> Markup {
    html! {
        @if !values.is_empty() {
            div.panel { table.facts-table { tbody {
                @for (name, value) in room.items(values.iter()) { tr { th scope="row" { (room.text(name)) } td { (shown(value, room)) } } }
            } } }
        }
    }
}

/// Shows a request: its method and URL first, then its headers and all other values.
pub(super) fn request(http: &Map<String, Value>, room: &Room) -> Markup {
    let text = |name: &str| http.get(name).and_then(Value::as_str).unwrap_or_default();
    // Django sends a URL with its query, and the query again.
    let query = Some(text("query_string")).filter(|query| !query.is_empty() && !text("url").contains('?'));
    let is_shown_separately = |name: &str| matches!(name, "method" | "url" | "query_string" | "headers");
    let rest: Map<String, Value> = http
        .iter()
        .filter(|(name, value)| !is_shown_separately(name) && !is_empty(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    html! {
        p.request { strong { (room.text(text("method"))) } " " code { (room.text(text("url"))) @if let Some(query) = query { "?" (room.text(query)) } } }
        @if let Some(Value::Object(headers)) = http.get("headers") {
            @if !headers.is_empty() { details { summary { "Headers" } (list(headers, room)) } }
        }
        @if !rest.is_empty() { details { summary { "More about the request" } (list(&rest, room)) } }
    }
}

/// Shows text unchanged, and any other value as JSON.
fn shown(value: &Value, room: &Room) -> Markup {
    match value {
        Value::String(text) => html! { code { (room.text(text)) } },
        Value::Null => html! { span.muted { "–" } },
        Value::Object(_) | Value::Array(_) => html! { pre { code { (room.json(value)) } } },
        other => html! { code { (room.text(&other.to_string())) } },
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
