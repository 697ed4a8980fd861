//! Decides whether transactions became slower after a release, and which span is responsible.

mod application;
mod cause;
mod control;
mod correction;
mod decision;
mod distribution;
mod effect;
mod histogram;
mod location_shift;
mod mix;
mod placebo;
mod series;
mod study;
mod words;

pub use application::{ApplicationChange, Rollout, whole_application};
pub use cause::{Breakdown, Calls, Cause, MAX_SPANS, Rise, Span, SpanChange};
pub use decision::{Certainty, Finding, Look, Verdict};
pub use effect::Measure;
pub use histogram::Histogram;
pub use series::{Block, BlockLength, Class, MAX_BLOCKS, MAX_CLASSES, Series};
pub use study::{Change, Evidence, MAX_NAMES, MeasuredChange, Study, StudyError, Subject};
pub use words::{Occasion, sentence};
