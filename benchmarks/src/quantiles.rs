//! Medians and other quantiles.

/// Returns the median.
pub fn median<T: Copy + Ord>(numbers: impl IntoIterator<Item = T>) -> T {
    quantile(&mut numbers.into_iter().collect::<Vec<T>>(), 0.5)
}

/// Returns the quantile: the number that this share of all numbers is smaller than. Sorts the numbers.
pub fn quantile<T: Copy + Ord>(numbers: &mut [T], share: f64) -> T {
    assert!(!numbers.is_empty(), "nothing was measured");
    numbers.sort_unstable();
    let index = (numbers.len() as f64 * share) as usize;
    numbers[index.min(numbers.len() - 1)]
}
