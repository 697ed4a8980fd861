//! Charts, drawn as SVG.
//!
//! Horizontal positions are shares of the width and vertical ones are pixels. So a chart fills the width of the page,
//! while its texts and lines keep their size.

mod bars;
mod lines;
mod marks;
mod scale;
mod stack;
mod trend;

pub(super) use bars::{executions, result_style, results};
pub(super) use lines::{averages, durations};
pub(super) use stack::{breakdown, kind_class, position};
pub(super) use trend::{spark, trend};
