//! The comparison within classes of requests.
//!
//! If slow requests become more frequent, a percentile rises although no request is slower. With the shares that the
//! classes had before, it does not.

use crate::distribution::Distribution;
use crate::series::Class;

/// Requests that a class needs on both sides. Smaller classes are compared together.
const MIN_OF_CLASS: f64 = 20.0;

/// The share of the requests before whose classes must also occur after.
const MIN_COVERED: f64 = 0.5;

/// Returns the distribution after with the mix of before, or `None` if the classes do not allow it.
///
/// This is direct standardisation: each class counts as much as it did before.
pub(crate) fn standardised(
    before: &[(Class, Distribution)],
    after: &[(Class, Distribution)],
) -> Option<(Distribution, Distribution)> {
    let matching = |class: Class| after.iter().find(|(other, _)| *other == class).map(|(_, durations)| durations);
    let is_large = |class: Class, before: &Distribution| {
        before.total >= MIN_OF_CLASS && matching(class).is_some_and(|after| after.total >= MIN_OF_CLASS)
    };
    let large: Vec<Class> =
        before.iter().filter(|(class, before)| is_large(*class, before)).map(|(class, _)| *class).collect();
    let (_, any) = before.first().filter(|_| large.len() >= 2)?;
    let (first, width) = (any.first, any.counts.len());
    let all_before: f64 = before.iter().map(|(_, durations)| durations.total).sum();
    let all_after: f64 = after.iter().map(|(_, durations)| durations.total).sum();
    let covered: f64 = before.iter().filter(|(class, _)| large.contains(class)).map(|(_, d)| d.total).sum();
    if covered < MIN_COVERED * all_before {
        return None;
    }
    let (mut old, mut new) = (vec![0.0; width], vec![0.0; width]);
    let mut squares = 0.0;
    for (class, durations) in before.iter().filter(|(class, _)| large.contains(class)) {
        let other = matching(*class)?;
        let weight = durations.total / covered * all_after / other.total;
        squares += other.total * weight * weight;
        old.iter_mut().zip(&durations.counts).for_each(|(sum, count)| *sum += count);
        new.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count * weight);
    }
    let mut new = Distribution::new(first, new);
    new.effective = new.total * new.total / squares.max(1e-9);
    Some((Distribution::new(first, old), new))
}
