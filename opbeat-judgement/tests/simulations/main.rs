//! The shares of found slow-downs and of false reports, on simulated releases.
//!
//! The variable `OPBEAT_SIMULATED_RELEASES` is the number of releases for each seed. The default is small, so that the
//! tests take a minute. 200 releases take a quarter of an hour with `--release`, and give the rates of decision 39.
//! The seeds of the tests were never used to choose a parameter.

#![expect(clippy::unwrap_used, reason = "test code")]

mod random;
mod rates;
mod releases;
mod slow_downs;
mod spans;

use opbeat_judgement::{BlockLength, Cause, Change, Look, Series, Study, Verdict, whole_application};
use random::Random;
use rates::{Rates, Truth};
use releases::{Kind, Planted, Release};
use spans::Fault;

const SEEDS: [u64; 3] = [1, 2, 3];

/// One of five releases has slow-downs.
const PLANTED_EVERY: usize = 5;

fn releases_per_seed(default: usize) -> usize {
    std::env::var("OPBEAT_SIMULATED_RELEASES").map_or(default, |number| number.parse().expect("a number of releases"))
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

#[test]
fn slow_downs_of_the_simple_model_are_found() {
    let mut all = Rates::default();
    for seed in SEEDS {
        let mut rates = Rates::default();
        for index in 0..releases_per_seed(40) {
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
        all += rates;
    }
    println!("simple model, all seeds: {all}");
    assert!(all.share_reported(Truth::Slow, Look::ThreeHours) >= 0.95);
    assert!(all.share_reported(Truth::Unchanged, Look::Day) <= 0.005);
}

/// The rates of one seed of the hard model.
#[derive(Default)]
struct Hard {
    five_minutes: Rates,
    ten_minutes: Rates,
    with_classes: Rates,
    /// Releases that were called slower as a whole, and those that rolled: harmless ones, and slow ones.
    harmless: (usize, usize),
    slower: (usize, usize),
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
        let altered: Vec<usize> =
            all.iter().copied().filter(|name| release.names[*name].kind != Kind::Unchanged).collect();
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

    fn add_whole(&mut self, release: &Release, planted: Planted) {
        if release.end < releases::BEGIN + 10 {
            return;
        }
        let is_reported = whole_application(release.rollouts.iter().map(Vec::as_slice)).is_some();
        let (reported, all) = if planted == Planted::Everything { &mut self.slower } else { &mut self.harmless };
        *reported += usize::from(is_reported);
        *all += 1;
    }
}

#[test]
fn slow_downs_of_the_hard_model_are_found() {
    let mut all = Hard::default();
    for seed in SEEDS {
        let mut hard = Hard::default();
        for index in 0..releases_per_seed(15) {
            let planted = if index.is_multiple_of(PLANTED_EVERY) { Planted::Some } else { Planted::Nothing };
            let release = releases::release(seed_of(seed, index), planted);
            hard.add(&release);
            hard.add_whole(&release, planted);
            // One of twenty releases makes the whole application slower.
            if index % 20 == 1 {
                let planted = Planted::Everything;
                hard.add_whole(&releases::release(seed_of(seed, index), planted), planted);
            }
        }
        println!("hard model, seed {seed}, blocks of 5 minutes: {}", hard.five_minutes);
        println!("hard model, seed {seed}, blocks of 10 minutes: {}", hard.ten_minutes);
        println!("hard model, seed {seed}, altered names with classes: {}", hard.with_classes);
        println!("whole application, seed {seed}: harmless {:?}, slower {:?}", hard.harmless, hard.slower);
        all.five_minutes += hard.five_minutes;
        all.ten_minutes += hard.ten_minutes;
        all.with_classes += hard.with_classes;
        all.harmless = (all.harmless.0 + hard.harmless.0, all.harmless.1 + hard.harmless.1);
        all.slower = (all.slower.0 + hard.slower.0, all.slower.1 + hard.slower.1);
    }
    println!("hard model, all seeds, blocks of 5 minutes: {}", all.five_minutes);
    println!("hard model, all seeds, blocks of 10 minutes: {}", all.ten_minutes);
    println!("hard model, all seeds, altered names with classes: {}", all.with_classes);
    println!("whole application, all seeds: harmless {:?}, slower {:?}", all.harmless, all.slower);
    for rates in [&all.five_minutes, &all.ten_minutes] {
        assert!(rates.share_reported(Truth::Slow, Look::ThreeHours) >= 0.77);
        assert!(rates.share_reported(Truth::Slow, Look::Day) >= 0.93);
        assert!(rates.share_reported(Truth::Unchanged, Look::Day) <= 0.003);
    }
}

#[test]
fn the_responsible_span_is_named() {
    let (mut right, mut wrong, mut none) = (0, 0, 0);
    let (mut named, mut without_cause) = (0, 0);
    for seed in SEEDS {
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
