//! The protocol of a client, which decides how calls are named and how responses show a failure.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

use super::grpc;
use super::request::RequestHead;
use crate::outgoing::{Call, Description};

/// The protocol that a layer's client speaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    /// Describes a call.
    pub(super) fn describe(self, kind: Cow<'static, str>, head: &RequestHead<'_>) -> Description {
        match self {
            Self::Http => Description::http(kind, head.method, &head.destination()),
            Self::Grpc => grpc::describe(kind, head),
        }
    }

    /// Records the head of a response.
    pub(super) fn answer(self, call: &mut Call, status: StatusCode, headers: &HeaderMap) {
        match self {
            Self::Http => call.answer(status.as_u16()),
            Self::Grpc => grpc::answer(call, status, headers),
        }
    }

    /// Records the trailers of a response.
    pub(super) fn end(self, call: &mut Call, trailers: &HeaderMap) {
        match self {
            Self::Http => {}
            Self::Grpc => grpc::end(call, trailers),
        }
    }
}
