//! gRPC: methods as names, and the status in the headers or the trailers of a response.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

use super::request::RequestHead;
use crate::outgoing::{Call, Description};

/// The names of the codes of a status, by their numbers: [status codes](https://grpc.io/docs/guides/status-codes/).
const CODES: [&str; 17] = [
    "Ok",
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// Describes a call by its method, such as `shop.Prices/Get`.
pub(super) fn describe(kind: Cow<'static, str>, head: &RequestHead<'_>) -> Description {
    let signature = head.grpc_method().unwrap_or_else(|| head.uri.path().trim_start_matches('/').to_owned());
    // tonic's channel adds the server below the layer, so only a URL with a server adds something to the method.
    let destination = head.destination();
    let url = destination.host.is_some().then(|| destination.url());
    Description { kind, signature, method: None, url }
}

/// Records the head of a response. A response without messages has the call's status in its headers.
pub(super) fn answer(call: &mut Call, status: StatusCode, headers: &HeaderMap) {
    if !read_status(call, headers) && status != StatusCode::OK {
        call.answer(status.as_u16());
        call.fail("not a gRPC response");
    }
    call.note_answer();
}

/// Records the trailers of a response.
pub(super) fn end(call: &mut Call, trailers: &HeaderMap) {
    read_status(call, trailers);
}

/// Records the status, if the headers have one.
fn read_status(call: &mut Call, headers: &HeaderMap) -> bool {
    let Some(status) = headers.get("grpc-status") else { return false };
    let code = status.to_str().ok().and_then(|status| status.parse::<u32>().ok());
    // A number that is not in the list means the same as `Unknown`: the client is older than the code.
    let name = code.and_then(|code| CODES.get(code as usize)).copied().unwrap_or("Unknown");
    call.set_extra("status", code.unwrap_or(2));
    if code != Some(0) {
        call.fail(name);
    }
    true
}
