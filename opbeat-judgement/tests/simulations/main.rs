//! The shares of found slow-downs and of false reports, on simulated releases.
//!
//! The variable `OPBEAT_SIMULATED_RELEASES` is the number of releases for each seed, and `OPBEAT_SIMULATED_SEEDS` has other
//! seeds, with commas between them. The defaults are small, so that the tests take a minute. The tests assert the goals of
//! decisions 47 and 52, with a tolerance of two standard errors of a sample of this size. Parameters were chosen on other seeds: 11 to
//! 15, and 21.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test code, which prints its rates")]

mod durations;
mod random;
mod rates;
mod releases;
mod slow_downs;
mod spans;

use std::fmt::{Display, Formatter};
use std::ops::AddAssign;

use durations::Kind;
use opbeat_judgement::{BlockLength, Cause, Change, Look, Series, Study, Verdict, whole_application};
use random::Random;
use rates::{Rates, Truth};
use releases::{Planted, Release};
use spans::Fault;

/// The seeds, if the variable `OPBEAT_SIMULATED_SEEDS` names no others.
const SEEDS: [u64; 3] = [1, 2, 3];

/// One of five releases has slow-downs.
const PLANTED_EVERY: usize = 5;

fn releases_per_seed(default: usize) -> usize {
    std::env::var("OPBEAT_SIMULATED_RELEASES").map_or(default, |number| number.parse().expect("a number of releases"))
}

fn seeds() -> Vec<u64> {
    std::env::var("OPBEAT_SIMULATED_SEEDS").map_or(SEEDS.to_vec(), |seeds| {
        seeds.split(',').map(|seed| seed.parse().expect("numbers with commas between them")).collect()
    })
}

fn seed_of(seed: u64, index: usize) -> u64 {
    seed * 100_000 + index as u64
}

/// Returns the verdicts of some names at all looks.
fn verdicts(series: &[Series], length: BlockLength, change: Change, names: &[usize]) -> Vec<[Verdict; 4]> {
    let studies = Look::ALL.map(|look| Study::new(series, length, change, look).unwrap());
    let of_name = |name: &usize| studies.each_ref().map(|study| study.subject(*name).unwrap().judge().verdict);
    names.iter().map(of_name).collect()
}

/// Runs a simulation for all seeds at once.
fn for_each_seed<T: Send>(simulate: impl Fn(u64) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let simulate = &simulate;
        let threads: Vec<_> = seeds().into_iter().map(|seed| scope.spawn(move || simulate(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn simple_model(seed: u64) -> Rates {
    let mut rates = Rates::default();
    for index in 0..releases_per_seed(36) {
        let random = &mut Random::new(seed_of(seed, index));
        let planted = slow_downs::planted(random, index);
        let series = slow_downs::release(random, planted);
        let change = Change::release(slow_downs::BEGIN, slow_downs::BEGIN);
        let names: Vec<usize> = (0..series.len()).collect();
        let found = verdicts(&series, BlockLength::TEN_MINUTES, change, &names);
        for (name, verdicts) in found.iter().enumerate() {
            let is_slow = name == 0 && planted.is_some();
            rates.add(if is_slow { Truth::Slow } else { Truth::Unchanged }, verdicts);
        }
    }
    println!("simple model, seed {seed}: {rates}");
    rates
}

#[test]
fn slow_downs_of_the_simple_model_are_found() {
    let mut all = Rates::default();
    for_each_seed(simple_model).into_iter().for_each(|rates| all += rates);
    println!("simple model, all seeds: {all}");
    assert!(all.is_found(Truth::Slow, Look::ThreeHours, 0.95));
    assert!(all.is_rare(Truth::Unchanged, Look::Day, 0.005));
}

/// The rates of looks every hour for a day without a release.
#[derive(Clone, Copy, Debug, Default)]
struct Hourly {
    /// Names without a change, and those that were reported.
    unchanged: Count,
    /// Slow-downs, and those that were reported within four hours and within the day.
    within_four_hours: Count,
    within_day: Count,
    /// Reported slow-downs with a begin that is wrong by more than an hour.
    misplaced: usize,
}

/// The hours after the change at which there are looks.
const HOURS: usize = 24;

fn hourly(seed: u64) -> Hourly {
    let mut rates = Hourly::default();
    for index in 0..releases_per_seed(5) {
        let random = &mut Random::new(seed_of(seed, index));
        let planted = slow_downs::planted(random, index);
        let series = slow_downs::without_release(random, planted);
        let mut first: Vec<Option<(usize, usize)>> = vec![None; series.len()];
        for hour in 1..=HOURS {
            let now = slow_downs::BEGIN_WITHOUT_RELEASE + hour * 60;
            let change = Change::candidate(now - Look::ThreeHours.minutes());
            let study = Study::new(&series, BlockLength::TEN_MINUTES, change, Look::ThreeHours).unwrap();
            for (name, first) in first.iter_mut().enumerate().filter(|(_, first)| first.is_none()) {
                let subject = study.subject(name).unwrap();
                if subject.judge().verdict.is_slower() {
                    *first = Some((hour, subject.onset()));
                }
            }
        }
        for (name, first) in first.into_iter().enumerate() {
            if name > 0 || planted.is_none() {
                rates.unchanged.add(first.is_some());
                continue;
            }
            rates.within_four_hours.add(first.is_some_and(|(hour, _)| hour <= 4));
            rates.within_day.add(first.is_some());
            let is_misplaced = |onset: usize| onset.abs_diff(slow_downs::BEGIN_WITHOUT_RELEASE) > 60;
            rates.misplaced += usize::from(first.is_some_and(|(_, onset)| is_misplaced(onset)));
        }
    }
    println!("looks every hour, seed {seed}: {rates:?}");
    rates
}

#[test]
fn without_a_release_few_names_are_reported_in_a_day() {
    let mut all = Hourly::default();
    for rates in for_each_seed(hourly) {
        all.unchanged += rates.unchanged;
        all.within_four_hours += rates.within_four_hours;
        all.within_day += rates.within_day;
        all.misplaced += rates.misplaced;
    }
    println!("looks every hour, all seeds: {all:?}");
    let (reported, names) = (all.unchanged.reported as f64, all.unchanged.all as f64);
    assert!(reported <= 0.005 * names + 2.0 * (0.005 * names).sqrt(), "a report for each 200 names and days");
    assert!(all.within_day.reported * 2 >= all.within_day.all);
    assert!(all.misplaced * 4 <= all.within_day.reported);
}

/// The rates of the hard model.
#[derive(Clone, Debug, Default)]
struct Hard {
    five_minutes: Rates,
    ten_minutes: Rates,
    /// Names that are not unchanged, and whose requests have classes.
    with_classes: Rates,
    /// Reports at a time without a change, three hours later, and the pairs of name and time.
    candidates: Count,
    /// Harmless releases that were called slower as a whole.
    harmless: Count,
    /// Slower applications that were called slower as a whole.
    slower: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    reported: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, is_reported: bool) {
        self.reported += usize::from(is_reported);
        self.all += 1;
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.reported += other.reported;
        self.all += other.all;
    }
}

impl AddAssign for Hard {
    fn add_assign(&mut self, other: Self) {
        self.five_minutes += other.five_minutes;
        self.ten_minutes += other.ten_minutes;
        self.with_classes += other.with_classes;
        self.candidates += other.candidates;
        self.harmless += other.harmless;
        self.slower += other.slower;
    }
}

impl Display for Hard {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  blocks of 5 minutes: {}", self.five_minutes)?;
        writeln!(f, "  blocks of 10 minutes: {}", self.ten_minutes)?;
        writeln!(f, "  with classes: {}", self.with_classes)?;
        writeln!(f, "  without a change: {:?}", self.candidates)?;
        write!(f, "  whole application: harmless {:?}, slower {:?}", self.harmless, self.slower)
    }
}

impl Hard {
    fn add(&mut self, release: &Release) {
        let change = Change::release(releases::BEGIN, release.end);
        let all: Vec<usize> = (0..release.names.len()).collect();
        let truth = |name: usize| match release.names[name].kind {
            Kind::Unchanged => Some(Truth::Unchanged),
            Kind::Mix => Some(Truth::Mix),
            Kind::Application => None,
            _ => release.names[name].is_slow.then_some(Truth::Slow),
        };
        let is_altered = |name: &usize| release.names[*name].kind != Kind::Unchanged;
        let altered: Vec<usize> = all.iter().copied().filter(is_altered).collect();
        let (five, ten) = (BlockLength::FIVE_MINUTES, BlockLength::TEN_MINUTES);
        for (rates, series, length, names) in [
            (&mut self.five_minutes, &release.series, five, &all),
            (&mut self.ten_minutes, &release.in_ten_minutes, ten, &all),
            (&mut self.with_classes, &release.with_classes, five, &altered),
        ] {
            let found = verdicts(series, length, change, names);
            for (name, verdicts) in names.iter().zip(&found) {
                if let Some(truth) = truth(*name) {
                    rates.add(truth, verdicts);
                }
            }
        }
    }

    /// Judges times of the day before the release: nothing changed there.
    fn add_candidates(&mut self, release: &Release) {
        for hours in [4, 10, 16, 22] {
            let change = Change::candidate(releases::BEGIN - hours * 60);
            let study = Study::new(&release.series, BlockLength::FIVE_MINUTES, change, Look::ThreeHours).unwrap();
            for name in 0..release.names.len() {
                self.candidates.add(study.subject(name).unwrap().judge().verdict.is_slower());
            }
        }
    }

    fn add_whole(&mut self, release: &Release, planted: Planted) {
        let has_rolled = release.end >= releases::BEGIN + 10;
        if has_rolled {
            let is_reported = whole_application(release.rollouts.iter().map(Vec::as_slice)).is_some();
            let count = if planted == Planted::Everything { &mut self.slower } else { &mut self.harmless };
            count.add(is_reported);
        }
    }
}

fn hard_model(seed: u64) -> Hard {
    let mut hard = Hard::default();
    for index in 0..releases_per_seed(13) {
        let planted = if index.is_multiple_of(PLANTED_EVERY) { Planted::Some } else { Planted::Nothing };
        let release = releases::release(seed_of(seed, index), planted);
        hard.add(&release);
        hard.add_whole(&release, planted);
        if index % 10 == 1 {
            hard.add_candidates(&release);
        }
        if index % 20 == 1 {
            let planted = Planted::Everything;
            hard.add_whole(&releases::release(seed_of(seed, index), planted), planted);
        }
    }
    println!("hard model, seed {seed}:\n{hard}");
    hard
}

#[test]
fn slow_downs_of_the_hard_model_are_found() {
    let mut all = Hard::default();
    for_each_seed(hard_model).into_iter().for_each(|hard| all += hard);
    println!("hard model, all seeds:\n{all}");
    for rates in [&all.five_minutes, &all.ten_minutes] {
        assert!(rates.is_found(Truth::Slow, Look::ThreeHours, 0.77));
        assert!(rates.is_found(Truth::Slow, Look::Day, 0.93));
        assert!(rates.is_rare(Truth::Unchanged, Look::Day, 0.003));
        assert!(rates.is_rare(Truth::Mix, Look::Day, 0.1));
    }
    assert!(all.with_classes.is_rare(Truth::Mix, Look::Day, 0.1));
    assert!(all.candidates.reported * 1_000 <= all.candidates.all);
}

#[test]
fn the_responsible_span_is_named() {
    let (mut right, mut wrong, mut none) = (0, 0, 0);
    let (mut named, mut without_cause) = (0, 0);
    for seed in seeds() {
        for index in 0..releases_per_seed(40) {
            let random = &mut Random::new(seed_of(seed, index));
            let fault = [Fault::SlowerCalls, Fault::MoreCalls, Fault::Everything][index % 3];
            let application = spans::application(random, fault);
            let change = Change::release(spans::BEGIN, spans::BEGIN);
            let study = Study::new(&application.series, BlockLength::TEN_MINUTES, change, Look::ThreeHours).unwrap();
            let subject = study.subject(0).unwrap();
            if !subject.judge().verdict.is_slower() {
                continue;
            }
            let cause = subject.cause(&application.breakdown);
            match (&cause, fault) {
                (Cause::Signature { .. }, Fault::Everything) if application.largest_share < 0.5 => named += 1,
                (_, Fault::Everything) if application.largest_share < 0.5 => without_cause += 1,
                (_, Fault::Everything) => {}
                (Cause::Signature { signature, .. }, _) if *signature == application.culprit => right += 1,
                (Cause::Signature { .. }, _) => wrong += 1,
                (Cause::Kind { .. } | Cause::Several, _) => none += 1,
            }
        }
    }
    println!("spans: right {right}, wrong {wrong}, none {none}; no single cause: named {named}, not {without_cause}");
    assert!(right * 10 >= (right + wrong + none) * 9);
    assert!(right >= 30 && without_cause >= 5, "the simulation has enough cases");
    assert!(named <= without_cause);
}
