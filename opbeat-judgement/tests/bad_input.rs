//! Inputs that are empty, huge or not numbers: the answer is a verdict or an error, and never a panic.

#![expect(clippy::unwrap_used, reason = "test code")]

use opbeat_judgement::{
    Block, BlockLength, Breakdown, Calls, Cause, Change, Class, Histogram, Look, MAX_BLOCKS, Occasion, Rollout, Series,
    Span, Study, StudyError, Verdict, sentence, whole_application,
};

const FIVE: BlockLength = BlockLength::FIVE_MINUTES;

/// Two days of blocks of five minutes, with the same durations in each.
fn steady(durations: &Histogram) -> Series {
    vec![Block::from(durations.clone()); 2 * 288].into_iter().collect()
}

/// Judges all names at all looks, and writes the sentences.
fn judge(series: &[Series], length: BlockLength, change: Change) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for look in Look::ALL {
        let study = Study::new(series, length, change, look).unwrap();
        for name in 0..series.len() {
            let subject = study.subject(name).unwrap();
            let finding = subject.judge();
            let cause = subject.cause(&hostile_breakdown());
            assert!(!sentence("GET /", Occasion::Release("R#1"), &finding, Some(&cause), None).contains("NaN"));
            verdicts.push(finding.verdict);
        }
    }
    verdicts
}

fn hostile_breakdown() -> Breakdown {
    let values = [f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX, 1.0];
    let calls = |offset: usize| (0..700).map(move |block| values[(block + offset) % values.len()]);
    let span = |offset: usize| Span {
        signature: "SELECT".to_owned(),
        kind: "db".to_owned(),
        calls: calls(offset)
            .zip(calls(offset + 1))
            .map(|(count, milliseconds)| Calls { count, milliseconds })
            .collect(),
    };
    Breakdown { transactions: calls(3).collect(), spans: (0..4).map(span).collect() }
}

#[test]
fn an_application_without_names_has_no_subject() {
    let error = Study::new(&[], FIVE, Change::candidate(5), Look::Day).unwrap_err();
    assert_eq!(error, StudyError::ChangeOutside);
    assert!(Study::new(&[], FIVE, Change::candidate(0), Look::Day).unwrap().subject(0).is_none());
}

#[test]
fn a_change_must_be_within_the_blocks() {
    let series = [steady(&Histogram::of_durations([1.0]))];
    for change in [Change::candidate(3_000), Change::release(10, 5), Change::release(0, usize::MAX)] {
        assert_eq!(Study::new(&series, FIVE, change, Look::Day).unwrap_err(), StudyError::ChangeOutside);
    }
}

#[test]
fn too_many_names_and_blocks_are_errors() {
    let names = vec![Series::default(); 1_001];
    assert_eq!(Study::new(&names, FIVE, Change::candidate(0), Look::Day).unwrap_err(), StudyError::TooManyNames(1_001));
    let long: Series = vec![Block::default(); MAX_BLOCKS + 1].into_iter().collect();
    assert_eq!(
        Study::new(&[long], FIVE, Change::candidate(0), Look::Day).unwrap_err(),
        StudyError::TooManyBlocks(MAX_BLOCKS + 1)
    );
}

#[test]
fn a_name_without_requests_has_not_enough_data() {
    let verdicts = judge(&vec![steady(&Histogram::default()); 5], FIVE, Change::candidate(1_440));
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::NotEnoughData { .. })));
}

#[test]
fn nothing_is_slower_without_a_history() {
    let busy = steady(&Histogram::of_durations((1..=100).map(f64::from)));
    let verdicts = judge(&vec![busy; 5], FIVE, Change::candidate(0));
    assert!(verdicts.iter().all(|verdict| !verdict.is_slower()));
}

#[test]
fn a_single_name_waits_for_a_day() {
    let change = Change::candidate(1_440);
    let slower = |block: usize| if block < 288 { 10.0 } else { 30.0 };
    let durations = |block| Histogram::of_durations((0..50).map(|request| slower(block) + f64::from(request % 7)));
    let series: Series = (0..2 * 288).map(|block| Block::from(durations(block))).collect();
    let verdict = |look| {
        let study = Study::new(std::slice::from_ref(&series), FIVE, change, look).unwrap();
        study.subject(0).unwrap().judge().verdict
    };
    assert!(matches!(verdict(Look::ThreeHours), Verdict::NotEnoughData { .. }));
    assert!(verdict(Look::Day).is_slower());
}

#[test]
fn extreme_counts_and_durations_are_judged() {
    let huge: Histogram = (-2_000..2_000).step_by(37).map(|bucket| (bucket, u64::MAX)).collect();
    assert_eq!(huge.count(), u64::MAX);
    let odd = Histogram::of_durations([f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX, f64::MIN_POSITIVE]);
    let far: Histogram = [(i32::MIN, 1), (i32::MAX, 1)].into_iter().collect();
    let series = [huge, odd.clone(), far, Histogram::default(), odd].map(|durations| steady(&durations));
    for length in [1, 5, 10, 30] {
        judge(&series, BlockLength::minutes(length).unwrap(), Change::release(300, 310));
    }
    assert!(BlockLength::minutes(0).is_none() && BlockLength::minutes(31).is_none());
}

#[test]
fn series_of_different_lengths_and_many_classes_are_judged() {
    let classes = |block: u16| {
        let part = |class: u16| (Class(class * 4_000 + block % 2), Histogram::of_durations([f64::from(class) + 1.0]));
        Block::by_class((0..16).map(part))
    };
    let mut series: Vec<Series> = (0..6).map(|_| (0..2 * 288).map(classes).collect()).collect();
    series[1].blocks.truncate(300);
    series[2].blocks.truncate(0);
    series[3].blocks.drain(..200);
    judge(&series, FIVE, Change::release(1_440, 1_450));
}

#[test]
fn an_application_that_did_not_roll_is_not_slower() {
    let empty = vec![Rollout::default(); 12];
    let extreme = Histogram::from_iter([(i32::MIN, u64::MAX), (i32::MAX, u64::MAX)]);
    let one_sided = vec![Rollout { old: extreme.clone(), new: Histogram::default() }; 12];
    let equal = vec![Rollout { old: extreme.clone(), new: extreme }; 12];
    assert_eq!(whole_application([]), None);
    assert_eq!(whole_application([empty.as_slice(), &one_sided, &equal, &equal, &equal]), None);
}

#[test]
fn spans_that_are_not_numbers_name_no_cause() {
    let series = vec![steady(&Histogram::of_durations([5.0, 6.0, 7.0])); 5];
    let study = Study::new(&series, FIVE, Change::candidate(1_440), Look::Day).unwrap();
    let subject = study.subject(0).unwrap();
    let nothing = Breakdown::default();
    assert_eq!(subject.cause(&nothing), Cause::Several);
    let not_numbers = vec![Calls { count: f64::NAN, milliseconds: f64::NAN }; 600];
    let span = Span { signature: String::new(), kind: String::new(), calls: not_numbers };
    let breakdown = Breakdown { transactions: vec![f64::NAN; 600], spans: vec![span] };
    assert_eq!(subject.cause(&breakdown), Cause::Several);
}
