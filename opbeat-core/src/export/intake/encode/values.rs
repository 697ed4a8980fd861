//! Encodes values in JSON.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::record::{Frame, RequestRecord, TransactionResult, User, Value};

/// Encodes a request, with the keys that all Opbeat agents use.
///
/// The response's headers have a key of their own.
pub(super) fn http(request: &RequestRecord, response: &[(Cow<'static, str>, Value)]) -> Map<String, Json> {
    let (headers, cookies) = headers(request);
    let target = request.target();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let header = |name: &str| headers.get(name).and_then(Json::as_str).unwrap_or_default();
    let scheme = match header("x-forwarded-proto") {
        "https" => "https",
        _ => "http",
    };
    // The target of a `CONNECT` is a host and a port, and that of an `OPTIONS` may be `*`. Neither is a path.
    let is_path = path.is_empty() || path.starts_with('/');
    let url = match header("host") {
        host if is_path && !host.is_empty() => format!("{scheme}://{host}{path}"),
        _ => path.to_owned(),
    };
    let mut http = Map::new();
    http.insert("url".to_owned(), url.into());
    http.insert("method".to_owned(), request.method().into());
    http.insert("query_string".to_owned(), query.into());
    http.insert("secure".to_owned(), (scheme == "https").into());
    http.insert("headers".to_owned(), headers.into());
    if !cookies.is_empty() {
        http.insert("cookies".to_owned(), cookies.into());
    }
    if let Some(client) = request.client() {
        http.insert("env".to_owned(), json!({"REMOTE_ADDR": client.to_string()}));
    }
    if let Some(body) = request.body() {
        http.insert("data".to_owned(), body.into());
    }
    if let Some(headers) = values(response) {
        http.insert("response_headers".to_owned(), headers.into());
    }
    http
}

/// Returns a request's headers and its cookies. Headers with the same name are joined by a comma (RFC 9110, section
/// 5.3).
fn headers(request: &RequestRecord) -> (Map<String, Json>, Map<String, Json>) {
    let (mut headers, mut cookies) = (Map::<String, Json>::new(), Map::new());
    for (name, value) in request.headers() {
        if name == "cookie" {
            cookies.extend(
                value
                    .split("; ")
                    .map(|pair| pair.split_once('=').unwrap_or(("", pair)))
                    .map(|(name, value)| (name.to_owned(), Json::from(value))),
            );
        } else if let Some(Json::String(known)) = headers.get_mut(&name) {
            *known = format!("{known}, {value}");
        } else {
            headers.insert(name, value.into());
        }
    }
    (headers, cookies)
}

pub(super) fn user(user: &User) -> Map<String, Json> {
    let parts = [("id", &user.id), ("username", &user.username), ("email", &user.email)];
    parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into()))).collect()
}

pub(super) fn values(values: &[(Cow<'static, str>, Value)]) -> Option<Map<String, Json>> {
    let map: Map<_, _> = values.iter().map(|(key, value)| (key.to_string(), self::value(value))).collect();
    (!map.is_empty()).then_some(map)
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
    }
}

pub(super) fn result(result: &TransactionResult) -> Json {
    match result {
        TransactionResult::Status(status) => (*status).into(),
        TransactionResult::Word(word) => Json::from(word.as_ref()),
    }
}

pub(super) fn frame(frame: &Frame) -> opbeat_protocol::Frame {
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let lines =
        |lines: &[String]| frame.context_line.is_some().then(|| lines.iter().cloned().map(Some).collect::<Vec<_>>());
    opbeat_protocol::Frame {
        filename: frame.filename.clone(),
        abs_path: some(&frame.path),
        lineno: frame.line,
        colno: frame.column,
        function: some(&frame.function),
        in_app: Some(frame.in_app),
        pre_context: lines(&frame.pre_context),
        context_line: frame.context_line.clone(),
        post_context: lines(&frame.post_context),
        ..opbeat_protocol::Frame::default()
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1_000.0)
}

/// Rounds to microseconds, which makes bodies shorter.
pub(super) fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_follow_the_host_in_a_url() {
        for (method, target, expected) in [
            ("GET", "/books?page=2", "http://shop.example/books"),
            ("CONNECT", "example.com:443", "example.com:443"),
            ("OPTIONS", "*", "*"),
        ] {
            let mut request = RequestRecord::default();
            request.set_line(method, target);
            request.push_header("host", b"shop.example");
            assert_eq!(http(&request, &[])["url"], expected);
        }
    }
}
