//! The comparison of an application's transactions before and after a change.

use std::ops::Range;

use thiserror::Error;

use crate::control::{ControlGroup, deviations, slope};
use crate::correction::{Corrected, PrefixSums};
use crate::decision::{Finding, decide};
use crate::effect::Before;
use crate::evidence::{Evidence, Windows};
use crate::look::Look;
use crate::placebo::noise;
use crate::series::{BlockLength, MAX_BLOCKS, Series};

/// The largest number of transaction names of an application.
pub const MAX_NAMES: usize = 1_000;

/// The window before, in minutes.
const DAY: usize = 1_440;

/// The longest history for placebo releases, in minutes. Older noise says less, and costs as much.
const HISTORY: usize = 4 * DAY;

/// The longest window after a placebo release, in minutes.
const LONGEST_PLACEBO: usize = 180;

/// The resolution of placebo releases, in minutes.
const STEP: usize = 10;

/// Minutes after a deployment in which caches fill, connections open and code is compiled.
const WARM_UP: usize = 10;

/// The days before a change without a release whose same hours show what is usual.
const EARLIER_DAYS: usize = 3;

/// The time of a change, in minutes from the begin of the first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    begin: usize,
    end: usize,
    /// The first minute that is compared with.
    since: usize,
    is_release: bool,
}

impl Change {
    /// Returns the time of a deployment: its first instance started at `begin`, and its last one at `end`.
    #[must_use]
    pub const fn release(begin: usize, end: usize) -> Self {
        Self { begin, end, since: 0, is_release: true }
    }

    /// Returns a time at which something may have changed without a release. It needs stronger evidence.
    #[must_use]
    pub const fn candidate(minute: usize) -> Self {
        Self { begin: minute, end: minute, since: 0, is_release: false }
    }

    /// Returns the change, compared only with the time from a minute on, such as the end of the last release.
    #[must_use]
    pub const fn since(self, minute: usize) -> Self {
        Self { since: minute, ..self }
    }

    /// Returns the change, looked at from a later minute on: whether it lasts.
    #[must_use]
    pub const fn seen_from(self, minute: usize) -> Self {
        Self { end: minute, ..self }
    }
}

/// The reason why a study cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The application has more than [`MAX_NAMES`] names.
    #[error("the application has {0} transaction names; study at most {MAX_NAMES}, those with the most requests")]
    TooManyNames(usize),
    /// A series has more than [`MAX_BLOCKS`] blocks.
    #[error("a series has {0} blocks; give at most {MAX_BLOCKS}, the newest ones")]
    TooManyBlocks(usize),
    /// The change is not within the blocks, or ends before it begins.
    #[error("the change is not within the blocks, or ends before it begins")]
    ChangeOutside,
}

/// The transactions of an application, prepared for a look at a change.
#[derive(Debug)]
pub struct Study<'a> {
    series: &'a [Series],
    length: BlockLength,
    look: Look,
    is_release: bool,
    /// The blocks of the day before the change.
    day_before: Range<usize>,
    /// The blocks with placebo releases.
    history: Range<usize>,
    /// The blocks after the change, up to the look.
    after: Range<usize>,
    deviations: Vec<Vec<Option<f64>>>,
    group: ControlGroup,
}

impl<'a> Study<'a> {
    /// Prepares the control group of all names, from the blocks up to the look.
    ///
    /// The series of all names begin at the same time and have blocks of the same length. A day before the change is
    /// enough, four days give the best estimate of the noise.
    ///
    /// # Errors
    ///
    /// If there are too many names or blocks, or if the change is not within the blocks.
    pub fn new(series: &'a [Series], length: BlockLength, change: Change, look: Look) -> Result<Self, StudyError> {
        if series.len() > MAX_NAMES {
            return Err(StudyError::TooManyNames(series.len()));
        }
        let blocks = series.iter().map(|series| series.blocks.len()).max().unwrap_or(0);
        if blocks > MAX_BLOCKS {
            return Err(StudyError::TooManyBlocks(blocks));
        }
        let (begin, end) = (length.full_blocks_in(change.begin), length.blocks_in(change.end));
        if change.end < change.begin || end > blocks {
            return Err(StudyError::ChangeOutside);
        }
        let first = (end + length.blocks_in(WARM_UP)).min(blocks);
        let last = (end + length.full_blocks_in(look.minutes())).clamp(first, blocks);
        let since = length.blocks_in(change.since).min(begin);
        let day_before = begin.saturating_sub(length.blocks_in(DAY)).max(since)..begin;
        let history = begin.saturating_sub(length.blocks_in(HISTORY))..begin;
        let after = first..last;
        let deviations: Vec<_> =
            series.iter().map(|series| deviations(&series.levels(last), day_before.clone())).collect();
        let mut group = ControlGroup::new(&deviations, history.clone());
        group.leave_out_affected(&deviations, &history, &after);
        Ok(Self { series, length, look, is_release: change.is_release, day_before, history, after, deviations, group })
    }

    /// Returns a name's own part of the study, or `None` if there is no name of this index.
    #[must_use]
    pub fn subject(&self, name: usize) -> Option<Subject<'_>> {
        let series = self.series.get(name)?;
        let history = self.history.clone();
        let control = self.group.without(name, history.end);
        let own = self.deviations.get(name)?.get(history.clone()).unwrap_or_default();
        let slope = slope(own, control.get(history.clone()).unwrap_or_default());
        let corrected = Corrected::new(series, &control, slope, history.start..self.after.end);
        let step = self.length.full_blocks_in(STEP).max(1);
        let steps = history.len() / step;
        let past = corrected.prefix_sums(history.end - steps * step..history.end, step);
        let before = Before::new(&corrected.window(self.day_before.clone()));
        Some(Subject { study: self, name, control, slope, corrected, past, step, before })
    }
}

/// A transaction name in a study.
pub struct Subject<'a> {
    study: &'a Study<'a>,
    name: usize,
    /// The control of each block.
    control: Vec<f64>,
    slope: f64,
    corrected: Corrected<'a>,
    past: PrefixSums,
    /// The number of blocks in a step of `past`.
    step: usize,
    before: Before,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("slope", &self.slope).finish_non_exhaustive()
    }
}

impl Subject<'_> {
    /// Returns the factor by which the name follows the deviation of the others.
    #[must_use]
    pub const fn slope(&self) -> f64 {
        self.slope
    }

    /// Returns the deviation of a block that is corrected, on the logarithmic scale.
    pub(crate) fn correction(&self, block: usize) -> f64 {
        self.slope * self.control.get(block).copied().unwrap_or(0.0)
    }

    /// Returns the blocks before and after the change.
    pub(crate) fn windows(&self) -> (Range<usize>, Range<usize>) {
        (self.study.day_before.clone(), self.study.after.clone())
    }

    /// Returns the length of the blocks.
    pub(crate) const fn block_length(&self) -> BlockLength {
        self.study.length
    }

    /// Returns the deviation of a block that remains without that of the others, if it has requests.
    pub(crate) fn level(&self, block: usize) -> Option<f64> {
        let own = (*self.study.deviations.get(self.name)?.get(block)?)?;
        Some(own - self.correction(block))
    }

    /// Judges the name.
    #[must_use]
    pub fn judge(&self) -> Finding {
        decide(self.study.look, self.study.is_release, self.evidence())
    }

    /// Returns the hours of the time after on the days before, for a change without a release.
    ///
    /// A transaction that is slow each night is not slower tonight. Releases are not at the same hour each day.
    fn same_hours(&self, after: &Range<usize>) -> Vec<Range<usize>> {
        let day = self.study.length.blocks_in(DAY);
        let days = if self.study.is_release { 0 } else { EARLIER_DAYS };
        let earlier = (1..=days).filter_map(|days| {
            let (start, end) = (after.start.checked_sub(days * day)?, after.end.checked_sub(days * day)?);
            (start >= self.study.history.start && end <= self.study.history.end).then_some(start..end)
        });
        earlier.collect()
    }

    /// Compares the blocks before and after the change.
    fn evidence(&self) -> Evidence {
        let minutes = |minutes: usize| self.study.length.blocks_in(minutes) / self.step;
        let (before, after) = self.windows();
        let placebo = ((after.len() + self.step / 2) / self.step).clamp(1, minutes(LONGEST_PLACEBO).max(1));
        let noise = noise(&self.past, minutes(DAY), placebo);
        let limit = self.study.look.limit();
        let windows = Windows {
            corrected: &self.corrected,
            same_hours: self.same_hours(&after),
            parts: self.study.look.parts(),
            before,
            after,
            limit,
        };
        Evidence::new(&windows, &self.before, noise, self.study.group.is_sufficient())
    }
}
