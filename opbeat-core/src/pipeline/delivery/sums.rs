//! Lists of counts, in which counts with equal keys are added up.

use std::cmp::Ordering;

use crate::record::{BreakdownRecord, DurationGroup};

/// A count with a key. Lists of counts are sorted in the order in which a batch is made.
pub(super) trait Sum {
    /// Compares the part of the key that lists are sorted by.
    fn order(&self, other: &Self) -> Ordering;

    /// Returns whether both have the same key.
    fn has_same_key(&self, other: &Self) -> bool;

    fn add(&mut self, more: Self);

    /// Returns about how many bytes of memory it takes.
    fn bytes(&self) -> usize;
}

/// Adds counts to a sorted list: to the count with the same key, or as new ones.
pub(super) fn add<T: Sum>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    let known = list.len();
    for sum in more {
        let start = list[..known].partition_point(|old| old.order(&sum).is_lt());
        let equal_order = list[start..known].iter_mut().take_while(|old| old.order(&sum).is_eq());
        match { equal_order }.find(|old| old.has_same_key(&sum)) {
            Some(old) => old.add(sum),
            None => list.push(sum),
        }
    }
    list.sort_by(T::order);
}

impl Sum for DurationGroup {
    fn order(&self, other: &Self) -> Ordering {
        (self.minute, &self.name).cmp(&(other.minute, &other.name))
    }

    fn has_same_key(&self, other: &Self) -> bool {
        self.kind == other.kind && self.result == other.result && self.order(other).is_eq()
    }

    fn add(&mut self, more: Self) {
        self.append(more);
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.times() * size_of::<f32>()
    }
}

impl Sum for BreakdownRecord {
    fn order(&self, other: &Self) -> Ordering {
        (self.minute, &self.name, &self.span_kind).cmp(&(other.minute, &other.name, &other.span_kind))
    }

    fn has_same_key(&self, other: &Self) -> bool {
        self.kind == other.kind && self.order(other).is_eq()
    }

    fn add(&mut self, more: Self) {
        self.count += more.count;
        self.self_time += more.self_time;
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len()
    }
}
