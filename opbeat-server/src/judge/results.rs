//! The durations of a transaction by the result of the requests.
//!
//! If cheap answers such as 304 become rarer, a percentile rises although no request is slower. So requests are compared
//! with those of the same result.

use opbeat_judgement::{Block, Class, Histogram, MAX_CLASSES, Series};

use crate::changes::Rollup;

/// The class of requests that failed, until all requests are known.
const FAILED: usize = 0;

/// The buckets of the durations of a class.
type Part = (usize, Vec<(i32, u64)>);

/// The requests of a transaction in its blocks.
pub(super) struct Requests {
    /// The results that have classes, in the order in which they were seen. The class of the first one is 1, and the last
    /// class is that of all further results.
    results: Vec<String>,
    /// The requests of each class.
    counts: Vec<u64>,
    blocks: Vec<Vec<Part>>,
}

impl Requests {
    /// Returns blocks without requests.
    pub(super) fn new(blocks: usize) -> Self {
        Self { results: Vec::new(), counts: vec![0; usize::from(MAX_CLASSES)], blocks: vec![Vec::new(); blocks] }
    }

    /// Adds the requests of a row.
    pub(super) fn add(&mut self, block: usize, result: &str, rollup: &Rollup) {
        let class = if rollup.failed > rollup.count / 2 { FAILED } else { self.class_of(result) };
        if let Some(count) = self.counts.get_mut(class) {
            *count = count.saturating_add(rollup.count);
        }
        if let Some(parts) = self.blocks.get_mut(block) {
            parts.push((class, rollup.sketch.buckets().collect()));
        }
    }

    fn class_of(&mut self, result: &str) -> usize {
        let known = self.results.iter().position(|known| known == result);
        let last = usize::from(MAX_CLASSES) - 1;
        let place = known.unwrap_or_else(|| {
            if self.results.len() + 1 < last {
                self.results.push(result.to_owned());
                self.results.len() - 1
            } else {
                last - 1
            }
        });
        place + 1
    }

    /// Returns the blocks from one of them on.
    ///
    /// Requests that failed count with the most frequent result: a release that is slow also makes requests fail, and they
    /// are no other kind of requests.
    pub(super) fn series(self, first: usize) -> Series {
        let frequent = (FAILED + 1..self.counts.len()).max_by_key(|class| self.counts[*class]).unwrap_or(FAILED);
        let class = |class: usize| Class(u16::try_from(if class == FAILED { frequent } else { class }).unwrap_or(0));
        let block = |parts: Vec<Part>| {
            Block::by_class(
                parts.into_iter().map(|(of, buckets)| (class(of), buckets.into_iter().collect::<Histogram>())),
            )
        };
        self.blocks.into_iter().skip(first).map(block).collect()
    }
}
