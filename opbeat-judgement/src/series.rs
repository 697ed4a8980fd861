//! The history of one transaction name, in blocks of equal length.

use crate::histogram::{Histogram, WIDTH};

/// The largest number of blocks of a series: two weeks of five minutes.
pub const MAX_BLOCKS: usize = 4_032;

/// The largest number of classes of a name. Requests of higher classes are counted with the last.
pub const MAX_CLASSES: u16 = 16;

/// Fewer requests in a block give no level: their mean says more about the requests than about the block.
const MIN_REQUESTS_OF_LEVEL: f64 = 3.0;

/// The length of a block, in minutes: 1 to 30.
///
/// Five and ten minutes are measured; 0047 of the decision records has the rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLength(usize);

impl BlockLength {
    /// Five minutes.
    pub const FIVE_MINUTES: Self = Self(5);
    /// Ten minutes.
    pub const TEN_MINUTES: Self = Self(10);

    /// Returns a length of 1 to 30 minutes, or `None`.
    #[must_use]
    pub const fn minutes(minutes: usize) -> Option<Self> {
        if minutes >= 1 && minutes <= 30 { Some(Self(minutes)) } else { None }
    }

    /// Returns the number of blocks that begin in a number of minutes, rounded up.
    pub(crate) const fn blocks_in(self, minutes: usize) -> usize {
        minutes.div_ceil(self.0)
    }

    /// Returns the minute at which a block begins.
    pub(crate) const fn minutes_of(self, block: usize) -> usize {
        block * self.0
    }

    /// Returns the number of complete blocks in a number of minutes.
    pub(crate) const fn full_blocks_in(self, minutes: usize) -> usize {
        minutes / self.0
    }
}

/// A class of requests that explains their durations and that a release does not change by itself.
///
/// Examples are the number of calls in a transaction, the size of the response, or a class of a parameter, each in few
/// steps. Shares of classes are the traffic's mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u16);

impl Class {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0.min(MAX_CLASSES - 1))
    }
}

/// The requests of a name in one block, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    parts: Vec<(Class, Histogram)>,
}

impl Block {
    /// Returns a block whose requests have classes.
    #[must_use]
    pub fn by_class(parts: impl IntoIterator<Item = (Class, Histogram)>) -> Self {
        Self { parts: parts.into_iter().filter(|(_, durations)| durations.count() > 0).collect() }
    }

    /// Returns the parts by class.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Class, &Histogram)> {
        self.parts.iter().map(|(class, durations)| (*class, durations))
    }

    /// Returns the mean of the durations' logarithms, or `None` for a block with too few requests.
    fn level(&self) -> Option<f64> {
        let (mut count, mut sum) = (0.0, 0.0);
        for (bucket, number) in self.parts.iter().flat_map(|(_, durations)| durations.buckets()) {
            count += number as f64;
            sum += number as f64 * f64::from(bucket);
        }
        (count >= MIN_REQUESTS_OF_LEVEL).then(|| sum / count * WIDTH)
    }
}

impl From<Histogram> for Block {
    /// A block whose requests have no classes.
    fn from(durations: Histogram) -> Self {
        Self::by_class([(Class::default(), durations)])
    }
}

/// The blocks of a transaction name, without a gap: a block without requests is empty.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The blocks, the oldest first. Blocks that are missing at the end count as empty.
    pub blocks: Vec<Block>,
}

impl Series {
    /// Returns the block at an index. It is `None` after the end.
    pub(crate) fn block(&self, index: usize) -> Option<&Block> {
        self.blocks.get(index)
    }

    /// Returns the level of each block.
    pub(crate) fn levels(&self, length: usize) -> Vec<Option<f64>> {
        (0..length).map(|index| self.block(index).and_then(Block::level)).collect()
    }
}

impl FromIterator<Block> for Series {
    fn from_iter<I: IntoIterator<Item = Block>>(blocks: I) -> Self {
        Self { blocks: blocks.into_iter().collect() }
    }
}
