//! Charts, drawn as SVG.
//!
//! Shapes are placed by shares of the width and by pixels of the height, so that a chart is as wide as the page lets
//! it be while its texts and lines keep their size.

mod bars;
mod lines;
mod scale;
mod spark;
mod stack;

pub(super) use bars::{result_style, results};
pub(super) use lines::durations;
pub(super) use spark::spark;
pub(super) use stack::{breakdown, kind_class, position};
