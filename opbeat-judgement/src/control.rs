//! The control group of difference-in-differences: the deviation that the application's other transactions share.
//!
//! Card & Krueger (*Minimum Wages and Employment*, 1994) compared the change of a group that a law affected with the
//! change of one that it did not affect. Here a release is the law. A busy host, a slow network or a weekend affects all
//! transactions of an application at once, so the change of the others is subtracted.

use std::ops::Range;

/// The largest number of names in the control group. More names cost time and add little to a median.
const MAX_MEMBERS: usize = 33;

/// Other names that a control needs at least. With fewer, their median can be one name's own noise.
const MIN_OTHERS: usize = 3;

/// The smallest scatter of a name, so that no name has all of the weight.
const MIN_SCATTER: f64 = 0.02;

/// The largest weight, in medians of all weights.
const MAX_WEIGHT: f64 = 3.0;

/// The slope of a name with fewer blocks than this in its history is [`USUAL_SLOPE`].
const MIN_BLOCKS_OF_SLOPE: usize = 50;
const USUAL_SLOPE: f64 = 0.8;
const MAX_SLOPE: f64 = 1.3;

/// Deviations, in standard deviations, from which a member counts as affected by the change.
const AFFECTED: f64 = 3.0;

/// The smallest deviation of a member's own windows.
const MIN_SHIFT: f64 = 0.03;

/// Affected members change the control of the others, which changes who is affected.
const ROUNDS: usize = 3;

/// The factor from the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// The deviation of each block from the level of the day before the change, for each member of the group.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    members: Vec<Member>,
    /// For each block the deviations in ascending order, with the member's index.
    blocks: Vec<Vec<(f64, usize)>>,
}

#[derive(Debug)]
struct Member {
    name: usize,
    weight: f64,
    /// The change affected this member too, so it is no control after it.
    is_affected: bool,
}

/// Returns the median, and moves the values.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let upper = *values.select_nth_unstable_by(middle, f64::total_cmp).1;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.get(..middle)?.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// Returns the levels less their median in a range. The result is empty if the range has no level.
pub(crate) fn deviations(levels: &[Option<f64>], day_before: Range<usize>) -> Vec<Option<f64>> {
    let mut reference: Vec<f64> = levels.get(day_before).unwrap_or_default().iter().flatten().copied().collect();
    match median(&mut reference) {
        Some(middle) => levels.iter().map(|level| level.map(|level| level - middle)).collect(),
        None => Vec::new(),
    }
}

fn scatter(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    let middle = median(&mut values)?;
    values.iter_mut().for_each(|value| *value = (*value - middle).abs());
    median(&mut values).map(|deviation| deviation * MAD_TO_DEVIATION)
}

impl ControlGroup {
    /// Chooses the names with the largest weight, 1 / scatter², among those with levels in most blocks of the history.
    pub(crate) fn new(deviations: &[Vec<Option<f64>>], history: Range<usize>) -> Self {
        let weight_of = |levels: &Vec<Option<f64>>| {
            let levels = levels.get(history.clone())?;
            let present = levels.iter().flatten().count();
            if present * 2 <= levels.len() {
                return None;
            }
            scatter(levels.iter().flatten().copied()).map(|scatter| scatter.max(MIN_SCATTER).powi(-2))
        };
        let weights = deviations.iter().enumerate().filter_map(|(name, levels)| Some((name, weight_of(levels)?)));
        let mut members: Vec<(usize, f64)> = weights.collect();
        members.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        members.truncate(MAX_MEMBERS);
        let mut weights: Vec<f64> = members.iter().map(|(_, weight)| *weight).collect();
        let cap = median(&mut weights).unwrap_or(1.0) * MAX_WEIGHT;
        let member = |(name, weight): (usize, f64)| Member { name, weight: weight.min(cap), is_affected: false };
        let members: Vec<Member> = members.into_iter().map(member).collect();
        let length = deviations.iter().map(Vec::len).max().unwrap_or(0);
        let block = |block: usize| {
            let of_member =
                |(index, member): (usize, &Member)| Some(((*deviations.get(member.name)?.get(block)?)?, index));
            let mut found: Vec<(f64, usize)> = members.iter().enumerate().filter_map(of_member).collect();
            found.sort_by(|one, other| one.0.total_cmp(&other.0));
            found
        };
        let blocks = (0..length).map(block).collect();
        Self { members, blocks }
    }

    /// Returns whether enough other names can be compared with a name.
    pub(crate) const fn is_sufficient(&self) -> bool {
        self.members.len() > MIN_OTHERS
    }

    /// Returns the weighted median of the other names' deviations in each block. It is 0 without enough other names.
    ///
    /// Members that the change affected are left out in the blocks from `change` on.
    pub(crate) fn without(&self, name: usize, change: usize) -> Vec<f64> {
        if !self.is_sufficient() {
            return vec![0.0; self.blocks.len()];
        }
        let of_block = |(index, block): (usize, &Vec<(f64, usize)>)| {
            let other = |member: &&Member| member.name != name && !(index >= change && member.is_affected);
            let others = || {
                let known = block.iter().filter_map(|(deviation, index)| Some((*deviation, self.members.get(*index)?)));
                known.filter(|(_, member)| other(member))
            };
            let half = others().map(|(_, member)| member.weight).sum::<f64>() / 2.0;
            let mut sum = 0.0;
            let found = others().find(|(_, member)| {
                sum += member.weight;
                sum >= half
            });
            found.map_or(0.0, |(deviation, _)| deviation)
        };
        self.blocks.iter().enumerate().map(of_block).collect()
    }

    /// Finds the members that the change affected: their own deviation, without that of the others, is outside of what
    /// windows of the same length show in the history.
    ///
    /// Without this step, several slow names hide each other's slow-down, and others seem to become faster.
    pub(crate) fn leave_out_affected(
        &mut self,
        deviations: &[Vec<Option<f64>>],
        history: &Range<usize>,
        after: &Range<usize>,
    ) {
        for _ in 0..ROUNDS {
            let score = |member: &Member| {
                let control = self.without(member.name, history.end);
                let own = deviations.get(member.name)?;
                let rest: Vec<Option<f64>> =
                    own.iter().zip(&control).map(|(own, control)| own.map(|own| own - control)).collect();
                Some(outside(&rest, history, after))
            };
            let mut scores: Vec<(usize, f64)> =
                self.members.iter().map(|member| score(member).unwrap_or(0.0)).enumerate().collect();
            scores.retain(|(_, score)| *score >= AFFECTED);
            scores.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            // Most of the group remains.
            scores.truncate(self.members.len().saturating_sub(MIN_OTHERS + 1).min(self.members.len() / 2));
            for (index, member) in self.members.iter_mut().enumerate() {
                member.is_affected = scores.iter().any(|(affected, _)| *affected == index);
            }
        }
    }
}

/// Returns the absolute mean of a window in typical absolute means of windows of its length in the history.
fn outside(values: &[Option<f64>], history: &Range<usize>, after: &Range<usize>) -> f64 {
    let mean = |window: Range<usize>| {
        let present = values.get(window.clone()).unwrap_or_default().iter().flatten();
        let (count, sum) = present.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
        (count * 2 > window.len()).then(|| sum / f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
    };
    let length = after.len().min(history.len() / 4);
    if length == 0 {
        return 0.0;
    }
    let windows = (0..history.len() / length).map(|index| history.start + index * length);
    let mut means: Vec<f64> = windows.filter_map(|start| mean(start..start + length)).map(f64::abs).collect();
    match (mean(after.clone()), median(&mut means)) {
        (Some(mean), Some(typical)) => mean.abs() / (typical * MAD_TO_DEVIATION).max(MIN_SHIFT),
        _ => 0.0,
    }
}

/// Returns how strongly a name follows the control: the slope of its regression in the history.
pub(crate) fn slope(own: &[Option<f64>], control: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> =
        own.iter().zip(control).filter_map(|(own, control)| Some((*control, (*own)?))).collect();
    if pairs.len() <= MIN_BLOCKS_OF_SLOPE {
        return USUAL_SLOPE;
    }
    let n = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / n, y + pair.1 / n));
    let (mut together, mut alone) = (0.0, 0.0);
    for pair in &pairs {
        together += (pair.0 - x) * (pair.1 - y);
        alone += (pair.0 - x) * (pair.0 - x);
    }
    (together / f64::max(alone, 1e-6)).clamp(0.0, MAX_SLOPE)
}
