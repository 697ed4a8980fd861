//! Which results count as failures.

use serde_json::Value;

/// Returns a result as text: `200`, `ok`; an empty string where the agent sends none.
pub(super) fn result_text(result: Option<&Value>) -> String {
    match result {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.chars().take(100).collect(),
        Some(other) => other.to_string().chars().take(100).collect(),
    }
}

/// Returns whether a result counts as a failure of the application: a status of 500 or more, `HTTP 5xx`, or a word
/// that says so, gRPC's among them. A client's errors and a client that has gone do not.
pub(super) fn is_failure(result: &str) -> bool {
    const WORDS: [&str; 9] =
        ["error", "failed", "failure", "panicked", "timed_out", "timeout", "shed", "server_error", "exception"];
    const GRPC: [&str; 5] = ["DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];
    let status = result.strip_prefix("HTTP ").unwrap_or(result);
    match status.parse::<u16>() {
        Ok(status) => (500..600).contains(&status),
        Err(_) if status.len() == 3 && status.starts_with('5') && status.ends_with("xx") => true,
        Err(_) => GRPC.contains(&result) || WORDS.iter().any(|word| result.eq_ignore_ascii_case(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_the_applications_own() {
        for failed in ["500", "503", "HTTP 5xx", "HTTP 502", "error", "Failed", "panicked", "shed", "UNAVAILABLE"] {
            assert!(is_failure(failed), "{failed}");
        }
        for fine in
            ["200", "404", "HTTP 2xx", "ok", "", "client_gone", "600", "cancelled", "upgraded", "NOT_FOUND", "unknown"]
        {
            assert!(!is_failure(fine), "{fine}");
        }
    }
}
