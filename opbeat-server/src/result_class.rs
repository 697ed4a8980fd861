//! The classes of results: the one rule for which results count as failed.
//!
//! The worker counts failures by it, the store keeps samples of failures by it, and the charts are coloured by it.

/// The class of a result, such as `200`, `HTTP 5xx` or `timed_out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResultClass {
    /// The transaction succeeded: a status of 1xx or 2xx, or a word such as `ok`.
    Success,
    /// The response is a redirect: a status of 3xx.
    Redirect,
    /// The client made a mistake, cancelled, or disconnected: a status of 4xx, or a word such as `cancelled`.
    ClientError,
    /// The application failed: a status of 5xx, or a word such as `error`. Only this class counts as failed.
    Failed,
    /// The result is missing or unknown.
    Other,
}

/// Results of gRPC that report a mistake of the client, or a client that cancelled.
const GRPC_CLIENT_ERRORS: [&str; 11] = [
    "CANCELLED",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "UNAUTHENTICATED",
];

/// Results of gRPC that report a failure of the application.
const GRPC_FAILURES: [&str; 5] = ["DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

impl ResultClass {
    /// Returns the class of a result or of an outcome, whose words are the same.
    ///
    /// Words are compared without regard to case, except for gRPC's, which are always upper-case.
    pub(crate) fn of(result: &str) -> Self {
        Self::of_status(result).unwrap_or_else(|| Self::of_word(result))
    }

    /// Returns the class of a status: three digits such as `503`, or a digit and `xx`, with or without `HTTP ` before.
    fn of_status(result: &str) -> Option<Self> {
        let status = result.strip_prefix("HTTP ").unwrap_or(result);
        let [first, rest @ ..] = status.as_bytes() else { return None };
        let is_status = rest == b"xx" || (rest.len() == 2 && rest.iter().all(u8::is_ascii_digit));
        match first {
            _ if !is_status => None,
            b'1' | b'2' => Some(Self::Success),
            b'3' => Some(Self::Redirect),
            b'4' => Some(Self::ClientError),
            b'5' => Some(Self::Failed),
            _ => None,
        }
    }

    fn of_word(result: &str) -> Self {
        if GRPC_CLIENT_ERRORS.contains(&result) {
            return Self::ClientError;
        }
        if GRPC_FAILURES.contains(&result) {
            return Self::Failed;
        }
        match result.to_ascii_lowercase().as_str() {
            "ok" | "success" | "done" | "upgraded" => Self::Success,
            "client_gone" | "cancelled" | "client_error" => Self::ClientError,
            "error" | "failed" | "failure" | "panicked" | "timed_out" | "timeout" | "shed" | "server_error"
            | "exception" => Self::Failed,
            _ => Self::Other,
        }
    }

    /// Returns whether results of this class count as failures of the application.
    pub(crate) fn is_failed(self) -> bool {
        self == Self::Failed
    }
}
