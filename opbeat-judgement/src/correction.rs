//! Durations without the deviation that all transactions of the application share.
//!
//! A block whose control is 10 % above its level has its buckets moved down by 10 %, times the name's slope. The
//! corrected blocks are added up like any others.

use std::ops::Range;

use crate::distribution::Distribution;
use crate::histogram::WIDTH;
use crate::series::{Class, MAX_CLASSES, Series};

/// The largest correction in buckets: a factor of 55. A larger one is no noise of a host.
const MAX_MOVE: f64 = 200.0;

/// A series with the correction of each of its blocks.
#[derive(Debug)]
pub(crate) struct Corrected<'a> {
    series: &'a Series,
    /// The number of buckets by which each block moves down.
    moves: Vec<i32>,
    first: i32,
    width: usize,
}

impl<'a> Corrected<'a> {
    pub(crate) fn new(series: &'a Series, control: &[f64], slope: f64, blocks: Range<usize>) -> Self {
        let move_of = |control: &f64| (slope * control / WIDTH).round().clamp(-MAX_MOVE, MAX_MOVE) as i32;
        let moves: Vec<i32> = control.iter().map(move_of).collect();
        let mut corrected = Self { series, moves, first: 0, width: 0 };
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        corrected.each(blocks, |_, bucket, _| {
            low = low.min(bucket);
            high = high.max(bucket);
        });
        if low <= high {
            corrected.first = low;
            corrected.width = high.abs_diff(low) as usize + 1;
        }
        corrected
    }

    /// Calls a function with the class, the corrected bucket and the count of all buckets in some blocks.
    fn each(&self, blocks: Range<usize>, mut call: impl FnMut(Class, i32, f64)) {
        for index in blocks {
            let moved = self.moves.get(index).copied().unwrap_or(0);
            let Some(block) = self.series.block(index) else { return };
            for (class, durations) in block.parts() {
                durations.buckets().for_each(|(bucket, count)| call(class, bucket - moved, count as f64));
            }
        }
    }

    /// Returns the place of a bucket. Buckets out of the range of all blocks count at its ends.
    fn index(&self, bucket: i32) -> usize {
        (bucket.saturating_sub(self.first).max(0) as usize).min(self.width.saturating_sub(1))
    }

    fn add(&self, blocks: Range<usize>, counts: &mut [f64]) {
        self.each(blocks, |_, bucket, count| {
            if let Some(total) = counts.get_mut(self.index(bucket)) {
                *total += count;
            }
        });
    }

    /// Returns the sum of some blocks.
    pub(crate) fn window(&self, blocks: Range<usize>) -> Distribution {
        let mut counts = vec![0.0; self.width];
        self.add(blocks, &mut counts);
        Distribution::new(self.first, counts)
    }

    /// Returns the sums of some blocks by class, without the empty ones.
    pub(crate) fn window_by_class(&self, blocks: Range<usize>) -> Vec<(Class, Distribution)> {
        let mut counts = vec![Vec::new(); usize::from(MAX_CLASSES)];
        self.each(blocks, |class, bucket, count| {
            if let Some(counts) = counts.get_mut(class.index()) {
                counts.resize(self.width, 0.0);
                if let Some(total) = counts.get_mut(self.index(bucket)) {
                    *total += count;
                }
            }
        });
        let filled = (0..).zip(counts).filter(|(_, counts)| !counts.is_empty());
        filled.map(|(class, counts)| (Class(class), Distribution::new(self.first, counts))).collect()
    }

    /// Returns the prefix sums of consecutive steps of blocks. The sum of a window is the difference of two rows.
    pub(crate) fn prefix_sums(&self, blocks: Range<usize>, step: usize) -> PrefixSums {
        let steps = blocks.len() / step.max(1);
        let mut rows = vec![0.0; (steps + 1) * self.width];
        for row in 0..steps {
            let at = row * self.width;
            rows.copy_within(at..at + self.width, at + self.width);
            let begin = blocks.start + row * step;
            if let Some(row) = rows.get_mut(at + self.width..at + 2 * self.width) {
                self.add(begin..begin + step, row);
            }
        }
        PrefixSums { first: self.first, width: self.width, rows, steps }
    }
}

/// The counts of all steps before each step.
#[derive(Debug)]
pub(crate) struct PrefixSums {
    first: i32,
    width: usize,
    rows: Vec<f64>,
    /// The number of steps.
    pub(crate) steps: usize,
}

impl PrefixSums {
    /// Returns the sum of some steps.
    pub(crate) fn window(&self, steps: Range<usize>) -> Distribution {
        let row = |step: usize| self.rows.get(step * self.width..(step + 1) * self.width).unwrap_or_default();
        let counts = row(steps.end).iter().zip(row(steps.start)).map(|(end, start)| end - start).collect();
        Distribution::new(self.first, counts)
    }
}
