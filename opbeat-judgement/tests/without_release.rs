//! Changes at a time without a release.

use fastrand::Rng;
use opbeat_judgement::{Block, BlockLength, Change, Histogram, Look, Series, Study, Verdict};

/// Blocks of ten minutes in a day, and in the time after.
const DAY: usize = 144;
const AFTER: usize = 18;
const DAYS: usize = 4;

/// The minute of the change: three hours before the end.
const BEGIN: usize = (DAYS * DAY - AFTER) * 10;

fn series(rng: &mut Rng, is_slow: impl Fn(usize) -> bool) -> Series {
    let block = |block: usize| {
        let level = if is_slow(block) { 80.0 } else { 40.0 };
        let durations: Vec<f64> = (0..50).map(|_| level * (0.5 + rng.f64())).collect();
        Block::from(Histogram::of_durations(durations))
    };
    (0..DAYS * DAY).map(block).collect()
}

#[test]
fn what_is_slow_each_night_is_not_slower_tonight() {
    let rng = &mut Rng::with_seed(1);
    let each_night = series(rng, |block| block % DAY >= DAY - AFTER);
    let tonight = series(rng, |block| block >= DAYS * DAY - AFTER);
    let names: Vec<Series> = [each_night, tonight].into_iter().chain((0..4).map(|_| series(rng, |_| false))).collect();
    let study = Study::new(&names, BlockLength::TEN_MINUTES, Change::candidate(BEGIN), Look::ThreeHours).unwrap();
    let is_slower = |name: usize| study.subject(name).unwrap().judge().verdict.is_slower();
    assert_eq!((0..names.len()).map(is_slower).collect::<Vec<_>>(), [false, true, false, false, false, false]);
    assert_eq!(study.subject(1).unwrap().onset(), BEGIN);
}

#[test]
fn a_change_is_over_when_the_last_hours_are_as_before() {
    let rng = &mut Rng::with_seed(1);
    let began = 2 * DAY;
    let over = series(rng, |block| (began..began + 2 * AFTER).contains(&block));
    let lasting = series(rng, |block| block >= began);
    let names: Vec<Series> = [over, lasting].into_iter().chain((0..4).map(|_| series(rng, |_| false))).collect();
    let change = Change::candidate(began * 10).seen_from(BEGIN);
    let study = Study::new(&names, BlockLength::TEN_MINUTES, change, Look::ThreeHours).unwrap();
    let is_over = |name: usize| study.subject(name).unwrap().judge().is_below(0.35);
    assert!(is_over(0));
    assert!(!is_over(1));
}

#[test]
fn a_change_is_compared_with_the_time_since_the_last_release() {
    let rng = &mut Rng::with_seed(1);
    let released = DAYS * DAY - AFTER - 60;
    let since_release = series(rng, |block| block >= released);
    let names: Vec<Series> = [since_release].into_iter().chain((0..4).map(|_| series(rng, |_| false))).collect();
    let is_as_before = |change: Change| {
        let study = Study::new(&names, BlockLength::TEN_MINUTES, change, Look::ThreeHours).unwrap();
        matches!(study.subject(0).unwrap().judge().verdict, Verdict::NoSlowdown { .. })
    };
    assert!(!is_as_before(Change::candidate(BEGIN)), "as the whole day before");
    assert!(is_as_before(Change::candidate(BEGIN).since(released * 10)));
}
