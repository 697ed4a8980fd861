//! Requests whose paths must not become transaction names.

use super::case::{Case, PLAIN};
use opbeat_core::record::Outcome;

/// Requests whose paths must not become transaction names.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "not found",
        request: "GET /nowhere/17",
        response: Some((404, "")),
        transaction: Some("GET unmatched"),
        result: "404",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "not found in a nested router",
        request: "GET /shop/nowhere/17",
        response: Some((404, "")),
        transaction: Some("GET unmatched"),
        result: "404",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "fallback of a nested router",
        request: "GET /old/nowhere/17",
        response: Some((410, "gone")),
        transaction: Some("GET unmatched"),
        result: "410",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "method not allowed",
        request: "PUT /books/1",
        response: Some((405, "")),
        transaction: Some("PUT /books/{id}"),
        result: "405",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "nested router",
        request: "GET /shop/cart/3",
        response: Some((200, "3")),
        transaction: Some("GET /shop/cart/{id}"),
        ..PLAIN
    },
    Case {
        name: "nested service",
        request: "GET /files/covers/1.svg",
        response: Some((200, "a file")),
        transaction: Some("GET /files/*"),
        ..PLAIN
    },
    Case {
        name: "nested layer",
        request: "GET /twice",
        response: Some((200, "twice")),
        transaction: Some("GET /twice"),
        ..PLAIN
    },
    Case {
        name: "nested layer on another task",
        request: "GET /relayed",
        response: Some((200, "relayed")),
        transaction: Some("GET /relayed"),
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "renamed by the handler",
        request: "GET /renamed",
        response: Some((200, "renamed")),
        transaction: Some("shop.renamed"),
        ..PLAIN
    },
    Case { name: "health check", request: "GET /healthz", response: Some((200, "fine")), ..PLAIN },
];
