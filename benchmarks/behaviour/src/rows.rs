//! The rows of the tables.

use crate::observed::Observed;
use crate::verdicts::{
    self, Shortfall, Verdict, caused, differs, folded, keeps, panicked, reported, tagged_in_panic,
    tags_with_destructors,
};

/// A requirement, and the function that checks it.
pub struct Row {
    pub title: &'static str,
    judge: fn(&Observed) -> Verdict,
}

impl Row {
    /// Returns the cell of a column.
    pub fn cell(&self, observed: &Observed) -> String {
        (self.judge)(observed).as_ref().map_or_else(Shortfall::to_string, |()| "yes".to_owned())
    }
}

const fn row(title: &'static str, judge: fn(&Observed) -> Verdict) -> Row {
    Row { title, judge }
}

/// The outcomes from which others must differ.
const SUCCESS: (&str, &str) = ("plain", "a success");
const PANIC: (&str, &str) = ("panic", "a panic");
const FAILED: (&str, &str) = ("framework error", "any 500");
const UNAVAILABLE: (&str, &str) = ("503 without an error", "any 503");
const DISCONNECT: (&str, &str) = (DISCONNECT_BEFORE_HEAD, "a disconnect");
const OUTER_TIMEOUT: &str = "timeout outside the layer";
const DISCONNECT_BEFORE_HEAD: &str = "disconnect before the response head";
const DISCONNECT_IN_BODY: &str = "disconnect in the response body";

pub const ROWS: &[Row] = &[
    row("A request is named after its route", |all| keeps(all, "plain", "/books/{id}")),
    row("… in a nested router or scope", |all| keeps(all, "nested router", "/shop/cart/{id}")),
    row("… when the method is not allowed", |all| keeps(all, "method not allowed", "/books/{id}")),
    row("Unmatched paths share one name", |all| folded(all, "not found")),
    row("… also in a nested router", |all| folded(all, "not found in a nested router")),
    row("Paths below a nested service share a name of their own", verdicts::nested_service),
    row("A handler can rename its request", verdicts::renamed),
    row("A second, nested layer records no request twice", |all| all.once("nested layer").map(drop)),
    row("… also if a middleware between both layers spawns a task", |all| {
        all.once("nested layer on another task").map(drop)
    }),
    row("Health checks are ignored by default", verdicts::ignored),
    row(
        "Streams, server-sent events, trailers, HEAD, 204, 304 and 100-continue are recorded once, as a success",
        verdicts::every_response,
    ),
    row("The duration lasts to the end of the response body", verdicts::lasts),
    row("An upgrade is not recorded as a failure", verdicts::upgraded),
    row("A 4xx differs from a success and from a failure", verdicts::client_error),
    row("A 503 without an error value is reported", |all| reported(all, "503 without an error")),
    row("A framework error with status 500 is reported", |all| reported(all, "framework error")),
    row("A handler's error is reported with its type", verdicts::typed),
    row("… with its causes", |all| caused(all, "handler error with a cause")),
    row("… with the line in the handler", verdicts::located),
    row("An error that is captured and returned is reported once", verdicts::reported_once),
    row("… with its causes", |all| caused(all, "captured and returned")),
    row("A timeout differs from other failures", |all| {
        differs(all, "timeout inside the layer", &[FAILED, UNAVAILABLE])
    }),
    row("… and keeps the handler's tags", |all| verdicts::tags(all, "timeout inside the layer")),
    row("A timeout outside the layer differs from a success, a panic and a disconnect", |all| {
        differs(all, OUTER_TIMEOUT, &[SUCCESS, PANIC, DISCONNECT])
    }),
    row("Load shedding differs from other failures", |all| {
        differs(all, "load shedding inside the layer", &[FAILED, UNAVAILABLE])
    }),
    row("An error in the response body is reported", verdicts::broken_body),
    row("A panic is recorded, and its error is reported", |all| panicked(all, "panic", "no books")),
    row("… with the tags that the handler set before it", tagged_in_panic),
    row("… in the service call, before a future exists", |all| {
        panicked(all, "panic in the service call", "no shelf")
    }),
    row("… in the response body", |all| panicked(all, "panic in the response body", "no pages")),
    row("A disconnect before the response head is recorded", |all| {
        differs(all, DISCONNECT_BEFORE_HEAD, &[SUCCESS, PANIC])
    }),
    row("… with the tags of the handler and its destructors", tags_with_destructors),
    row("A disconnect during the response body is recorded", |all| differs(all, DISCONNECT_IN_BODY, &[SUCCESS, PANIC])),
    row("… also during a body of a single large frame", |all| {
        differs(all, "disconnect in a single large frame", &[SUCCESS, PANIC])
    }),
    row("A response body that is shorter than its Content-Length is a failure", |all| {
        differs(all, "body shorter than its Content-Length", &[SUCCESS])
    }),
    row("User, tags and nested spans are recorded", verdicts::described),
    row("A span in a task that the handler spawned is recorded", verdicts::spawned),
];
