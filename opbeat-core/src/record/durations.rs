//! The durations of all transactions of a group, and the times to their response heads.

use std::borrow::Cow;
use std::mem;
use std::time::{Duration, SystemTime};

use super::TransactionResult;

/// The response body of a transaction counts as noticeable if it took at least this time, and at least this part of the
/// whole duration. Otherwise the time to the response head counts as equal to the duration.
const MIN_BODY: Duration = Duration::from_millis(1);
const MIN_BODY_PART: u32 = 10;

/// The durations of all transactions of one name, kind, result and minute.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationGroup {
    /// The minute in which the transactions began.
    pub minute: SystemTime,
    /// Their name.
    pub name: String,
    /// Their kind.
    pub kind: Cow<'static, str>,
    /// Their result.
    pub result: TransactionResult,
    /// The duration of each transaction, in milliseconds. Single precision has seven digits and takes half of the
    /// memory.
    pub milliseconds: Vec<f32>,
    /// The time until the response head (status and headers) of each transaction was ready, in milliseconds. It has the
    /// same order and length as [`milliseconds`](Self::milliseconds).
    ///
    /// A transaction counts its whole duration here if its response body took less than 1 ms or less than a tenth of
    /// the duration. Jobs, and requests that ended before their response head, do so too. The list is empty if all
    /// transactions of the group count their whole duration.
    pub head_milliseconds: Vec<f32>,
}

impl DurationGroup {
    /// Adds the durations of another group.
    pub(crate) fn append(&mut self, more: Self) {
        let mut all = Durations {
            milliseconds: mem::take(&mut self.milliseconds),
            head_milliseconds: mem::take(&mut self.head_milliseconds),
        };
        let Self { milliseconds, head_milliseconds, .. } = more;
        all.append(Durations { milliseconds, head_milliseconds });
        (self.milliseconds, self.head_milliseconds) = (all.milliseconds, all.head_milliseconds);
    }

    /// Moves all transactions but the first `count` into a group of their own.
    #[cfg(feature = "intake")]
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let has_heads = !self.head_milliseconds.is_empty();
        Self {
            minute: self.minute,
            name: self.name.clone(),
            kind: self.kind.clone(),
            result: self.result.clone(),
            milliseconds: self.milliseconds.split_off(count),
            head_milliseconds: if has_heads { self.head_milliseconds.split_off(count) } else { Vec::new() },
        }
    }

    /// Returns the number of times that the group lists: one or two for each transaction.
    pub(crate) fn times(&self) -> usize {
        self.milliseconds.len() + self.head_milliseconds.len()
    }
}

/// Durations that are being counted. An empty list of head times stands for the durations themselves, so that groups
/// whose bodies are fast take no more memory.
#[derive(Default)]
pub(crate) struct Durations {
    pub(crate) milliseconds: Vec<f32>,
    pub(crate) head_milliseconds: Vec<f32>,
}

impl Durations {
    /// Counts a transaction.
    #[inline]
    pub(crate) fn push(&mut self, duration: Duration, head: Option<Duration>) {
        let head = head.filter(|head| has_noticeable_body(duration, *head));
        if head.is_some() || !self.head_milliseconds.is_empty() {
            self.push_head(head.unwrap_or(duration));
        }
        self.milliseconds.push(milliseconds(duration));
    }

    /// Counts a head time, before the duration of the same transaction is counted.
    #[cold]
    fn push_head(&mut self, head: Duration) {
        self.fill_heads();
        self.head_milliseconds.push(milliseconds(head));
    }

    /// Adds other durations.
    pub(crate) fn append(&mut self, mut more: Self) {
        if !self.head_milliseconds.is_empty() || !more.head_milliseconds.is_empty() {
            self.fill_heads();
            more.fill_heads();
        }
        self.milliseconds.append(&mut more.milliseconds);
        self.head_milliseconds.append(&mut more.head_milliseconds);
    }

    /// Replaces an empty list of head times by the durations that it stands for.
    fn fill_heads(&mut self) {
        if self.head_milliseconds.is_empty() {
            self.head_milliseconds.clone_from(&self.milliseconds);
        }
    }
}

#[inline]
fn has_noticeable_body(duration: Duration, head: Duration) -> bool {
    let body = duration.saturating_sub(head);
    body >= MIN_BODY && body >= duration / MIN_BODY_PART
}

#[inline]
fn milliseconds(duration: Duration) -> f32 {
    duration.as_secs_f32() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn durations(pairs: &[(u32, Option<u32>)]) -> Durations {
        let mut durations = Durations::default();
        for (duration, head) in pairs {
            durations.push(MS * *duration, head.map(|head| MS * head));
        }
        durations
    }

    #[test]
    fn the_usual_group_has_no_head_times() {
        let usual = durations(&[(100, Some(100)), (100, Some(91)), (100, None), (0, Some(0))]);
        assert_eq!((usual.milliseconds.len(), usual.head_milliseconds.len()), (4, 0));
    }

    #[test]
    fn one_slow_body_lists_the_head_times_of_all() {
        let slow = durations(&[(100, Some(95)), (100, Some(90)), (50, None), (20, Some(2))]);
        assert_eq!(slow.milliseconds, [100.0, 100.0, 50.0, 20.0]);
        assert_eq!(slow.head_milliseconds, [100.0, 90.0, 50.0, 2.0]);
    }

    #[test]
    fn a_body_below_a_millisecond_is_not_noticeable() {
        let mut short = Durations::default();
        short.push(MS, Some(MS / 100));
        assert!(short.head_milliseconds.is_empty());
    }

    #[test]
    fn merged_lists_are_aligned() {
        let (with, without) = (|| durations(&[(100, Some(1))]), || durations(&[(7, None), (8, None)]));
        let merged = |mut first: Durations, second| {
            first.append(second);
            (first.milliseconds, first.head_milliseconds)
        };
        assert_eq!(merged(with(), without()), (vec![100.0, 7.0, 8.0], vec![1.0, 7.0, 8.0]));
        assert_eq!(merged(without(), with()), (vec![7.0, 8.0, 100.0], vec![7.0, 8.0, 1.0]));
        assert_eq!(merged(with(), with()), (vec![100.0, 100.0], vec![1.0, 1.0]));
        assert_eq!(merged(without(), without()), (vec![7.0, 8.0, 7.0, 8.0], vec![]));
        assert_eq!(merged(Durations::default(), with()), (vec![100.0], vec![1.0]));
    }
}
