//! Decides whether transactions became slower after a release, and which span is responsible.
//!
//! The crate is pure: histories go in, verdicts and sentences come out, without a clock and without I/O.
//!
//! A [`Study`] compares all transactions of an application before and after a [`Change`], at a [`Look`]: half an hour, an
//! hour, three hours or a day after the deployment.
//!
//! | step | file |
//! |---|---|
//! | histograms in blocks of five or ten minutes | `histogram`, `series` |
//! | the deviation that the other transactions share, without those that the change affected too | `control` |
//! | the name's durations without that deviation | `correction` |
//! | the change of p50, p95, mean and location, with sampling errors | `distribution`, `template`, `effect` |
//! | the noise, from releases that never happened | `placebo` |
//! | slow requests became more frequent, or requests became slower | `mix`, `components`, `explanation` |
//! | the facts, and the verdict | `evidence`, `look`, `decision` |
//! | when a change without a release began | `onset` |
//! | the whole application, while a deployment rolls | `application` |
//! | the responsible span, and the line that runs it | `cause`, `caller` |
//! | the sentence | `words` |
//!
//! The method is difference-in-differences (Card & Krueger, 1994), judged against placebo releases (Bertrand, Duflo &
//! Mullainathan, 2004). Decisions 39, 47 and 52 have the method, its measured rates and its limits.

mod application;
mod caller;
mod cause;
mod components;
mod control;
mod correction;
mod decision;
mod distribution;
mod effect;
mod evidence;
mod explanation;
mod histogram;
mod look;
mod mix;
mod onset;
mod placebo;
mod series;
mod study;
mod template;
mod words;

pub use application::{ApplicationChange, Rollout, whole_application};
pub use caller::{Caller, LastChange};
pub use cause::{Breakdown, Calls, Cause, MAX_SPANS, Rise, Span, SpanChange};
pub use decision::{Certainty, Finding, Verdict};
pub use effect::Measure;
pub use evidence::{Evidence, MeasuredChange};
pub use histogram::Histogram;
pub use look::Look;
pub use series::{Block, BlockLength, Class, MAX_BLOCKS, MAX_CLASSES, Series};
pub use study::{Change, MAX_NAMES, Study, StudyError, Subject};
pub use words::{Occasion, sentence};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
