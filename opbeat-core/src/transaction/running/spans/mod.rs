//! The spans of a running transaction: their slots, which are combined, and which are kept.
//!
//! A leaf span without children that ends after an equal one is folded into that one: the count and the total grow, and
//! its own slot is released. So a repeat takes no memory but the interval in which it ran.
//!
//! `slots` has the spans, `ending` combines them, and `stack_search` finds the lines that issue repeated queries.

mod call_site;
mod combined;
mod ending;
mod kept;
mod slots;
mod span_ref;
mod stack_search;

pub(super) use ending::EndedSpan;
pub(crate) use slots::StartedSpan;
pub(super) use slots::{NewSpan, Spans};
pub(crate) use span_ref::SpanRef;
pub(super) use stack_search::StackWish;
