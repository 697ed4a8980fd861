//! The tables' rows.

use crate::observed::Observed;
use crate::verdicts::{
    self, Short, Verdict, caused, folded, keeps, left_tags, panicked, reported, tagged_in_panic, told,
};

/// What is asked for, and how to find out.
pub struct Row {
    pub title: &'static str,
    judge: fn(&Observed) -> Verdict,
}

impl Row {
    /// Returns what stands in a column.
    pub fn cell(&self, observed: &Observed) -> String {
        (self.judge)(observed).as_ref().map_or_else(Short::to_string, |()| "yes".to_owned())
    }
}

const fn row(title: &'static str, judge: fn(&Observed) -> Verdict) -> Row {
    Row { title, judge }
}

/// Endings that others are to be told from.
const SUCCESS: (&str, &str) = ("plain", "a success");
const PANIC: (&str, &str) = ("panic", "a panic");
const FAILED: (&str, &str) = ("handler error", "any 500");
const UNAVAILABLE: (&str, &str) = ("server error without an error", "any 503");
const LEFT: (&str, &str) = (GONE, "a client that left");
const LATE: &str = "timed out outside";
const GONE: &str = "client gone before the head";
const GONE_LATER: &str = "client gone in the body";

pub const ROWS: &[Row] = &[
    row("Named after its route", |all| keeps(all, "plain", "/books/{id}")),
    row("… in a nested router or scope", |all| keeps(all, "nested router", "/shop/cart/{id}")),
    row("… when the method is not allowed", |all| keeps(all, "method not allowed", "/books/{id}")),
    row("Paths that nothing answers make no names of their own", |all| folded(all, "not found")),
    row("… nor do those in a nested router", |all| folded(all, "not found in a nested router")),
    row("… nor those below a nested service", verdicts::nested_service),
    row("Renamed by its handler", verdicts::renamed),
    row("A second layer inside counts nothing twice", |all| all.once("nested layer").map(drop)),
    row("Health checks are left out by default", verdicts::left_out),
    row("Streams, events, trailers, HEAD, 204, 304, 100-continue: once, as a success", verdicts::every_response),
    row("Timed to the last byte of its body", verdicts::lasts),
    row("An upgrade is no failure", verdicts::upgraded),
    row("A 4xx is told from a success and from a failure", verdicts::client_error),
    row("A bare 503 is reported", |all| reported(all, "server error without an error")),
    row("The framework's own 500 is reported", |all| reported(all, "handler error")),
    row("A handler's error is reported, with its type", verdicts::typed),
    row("… with what caused it", |all| caused(all, "handler error with a cause")),
    row("… with the handler's line", verdicts::located),
    row("An error that is captured and returned is reported once", verdicts::reported_once),
    row("… with what caused it", |all| caused(all, "captured and returned")),
    row("A time limit is told from other failures", |all| told(all, "timed out inside", &[FAILED, UNAVAILABLE])),
    row("… and keeps what the handler said", |all| verdicts::tags(all, "timed out inside")),
    row("… also from a client that left, where it lies around the layer", |all| {
        told(all, LATE, &[SUCCESS, PANIC, LEFT])
    }),
    row("Shed load is told from other failures", |all| told(all, "shed inside", &[FAILED, UNAVAILABLE])),
    row("An error in the body is reported", verdicts::broken_body),
    row("A panic is recorded, with its error", |all| panicked(all, "panic", "no books")),
    row("… with what the handler said before", tagged_in_panic),
    row("… before there is a future", |all| panicked(all, "panic in the call", "no shelf")),
    row("… in the body", |all| panicked(all, "panic in the body", "no pages")),
    row("A client that left before the head is told", |all| told(all, GONE, &[SUCCESS, PANIC])),
    row("… with what the handler and its destructors said", left_tags),
    row("A client that left in the body is told", |all| told(all, GONE_LATER, &[SUCCESS, PANIC])),
    row("User, tag, and spans within spans", verdicts::described),
    row("A span of a task that the handler spawned", verdicts::spawned),
];
