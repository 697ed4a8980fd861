//! The sentences that a developer reads.

#![expect(clippy::unwrap_used, reason = "test code")]

use opbeat_judgement::{
    Block, BlockLength, Breakdown, Caller, Calls, Change, Class, Histogram, LastChange, Look, Occasion, Series, Span,
    Study, sentence,
};

const BLOCKS: usize = 3 * 288;
/// The minute of the release: after two days.
const BEGIN: usize = 2 * 1_440;
const RELEASE: usize = BEGIN / 5;

/// The durations of a block: a spread around a level, with some noise of the block.
fn durations(random: &mut fastrand::Rng, number: usize, level: f64) -> Histogram {
    let block = 1.0 + 0.06 * (random.f64() - 0.5);
    Histogram::of_durations((0..number).map(|_| level * block * (0.5 + random.f64())))
}

/// Four steady names, and one whose blocks a function draws.
fn application(mut subject: impl FnMut(&mut fastrand::Rng, usize) -> Block) -> Vec<Series> {
    let mut random = fastrand::Rng::with_seed(7);
    let first = (0..BLOCKS).map(|block| subject(&mut random, block)).collect();
    let mut series = vec![first];
    for _ in 0..4 {
        series.push((0..BLOCKS).map(|_| Block::from(durations(&mut random, 40, 20.0))).collect());
    }
    series
}

/// Returns the sentence about the first name.
fn said(series: &[Series], look: Look, breakdown: Option<&Breakdown>) -> String {
    said_with(series, look, breakdown, None)
}

fn said_with(series: &[Series], look: Look, breakdown: Option<&Breakdown>, caller: Option<&Caller>) -> String {
    let change = Change::release(BEGIN, BEGIN);
    let study = Study::new(series, BlockLength::FIVE_MINUTES, change, look).unwrap();
    let subject = study.subject(0).unwrap();
    let finding = subject.judge();
    let cause = breakdown.map(|breakdown| subject.cause(breakdown));
    sentence("GET /books/{id}", Occasion::Release("R#42"), &finding, cause.as_ref(), caller)
}

fn slower(random: &mut fastrand::Rng, block: usize) -> Block {
    durations(random, 40, if block < RELEASE { 80.0 } else { 200.0 }).into()
}

fn span(signature: &str, calls: impl Fn(usize) -> Calls) -> Span {
    Span { signature: signature.to_owned(), kind: "db.sql".to_owned(), calls: (0..BLOCKS).map(calls).collect() }
}

#[test]
fn a_slow_down_names_the_slower_query() {
    let after = |block, old, new| if block < RELEASE { old } else { new };
    let reviews = |block| Calls { count: 40.0, milliseconds: after(block, 1_000.0, 5_800.0) };
    let books = |_| Calls { count: 40.0, milliseconds: 800.0 };
    let spans = vec![span("SELECT FROM reviews", reviews), span("SELECT FROM books", books)];
    let breakdown = Breakdown { transactions: vec![40.0; BLOCKS], spans };
    let said = said(&application(slower), Look::ThreeHours, Some(&breakdown));
    assert!(said.starts_with("`GET /books/{id}` "), "{said}");
    assert!(said.ends_with("ms with release R#42; the time is in `SELECT FROM reviews`"), "{said}");
}

#[test]
fn a_slow_down_names_the_query_that_runs_more_often() {
    let after = |block, old, new| if block < RELEASE { old } else { new };
    let authors = |block| Calls { count: after(block, 40.0, 480.0), milliseconds: after(block, 400.0, 4_800.0) };
    let breakdown = Breakdown { transactions: vec![40.0; BLOCKS], spans: vec![span("SELECT FROM authors", authors)] };
    let said = said(&application(slower), Look::ThreeHours, Some(&breakdown));
    assert!(
        said.ends_with("; the time is in `SELECT FROM authors`, called 12 times per request instead of 1"),
        "{said}"
    );
}

#[test]
fn the_line_that_runs_the_query_is_named_with_its_last_change() {
    let after = |block, old, new| if block < RELEASE { old } else { new };
    let slow = |block| Calls { count: 40.0, milliseconds: after(block, 1_000.0, 5_800.0) };
    let often = |block| Calls { count: after(block, 40.0, 480.0), milliseconds: after(block, 400.0, 4_800.0) };
    let series = application(slower);
    let ends = |span: Span, change: Option<(&str, Option<&str>)>| {
        let breakdown = Breakdown { transactions: vec![40.0; BLOCKS], spans: vec![span] };
        let change = change
            .map(|(author, release)| LastChange { author: author.to_owned(), release: release.map(str::to_owned) });
        let caller = Caller { line: "src/books.rs:118".to_owned(), change };
        let said = said_with(&series, Look::ThreeHours, Some(&breakdown), Some(&caller));
        said.split_once("; the time is in ").unwrap().1.to_owned()
    };
    let end = ends(span("SELECT FROM reviews", slow), Some(("Ada", Some("R#42"))));
    assert_eq!(end, "`SELECT FROM reviews`, called from `src/books.rs:118`, last changed in that release by Ada");
    let end = ends(span("SELECT FROM reviews", slow), Some(("Ada", Some("R#7"))));
    assert!(end.ends_with(", last changed in R#7 by Ada"), "{end}");
    let end = ends(span("SELECT FROM reviews", slow), None);
    assert!(end.ends_with(", called from `src/books.rs:118`"), "{end}");
    let end = ends(span("SELECT FROM reviews", often), Some(("A`da", None)));
    assert!(end.ends_with(" per request instead of 1, from `src/books.rs:118`, last changed by A da"), "{end}");
}

#[test]
fn an_early_look_is_a_first_estimate() {
    let said = said(&application(slower), Look::Hour, None);
    assert!(said.ends_with("with release R#42 (first estimate)"), "{said}");
}

#[test]
fn a_steady_name_has_no_slow_down() {
    let steady = |random: &mut fastrand::Rng, _| durations(random, 40, 80.0).into();
    let said = said(&application(steady), Look::ThreeHours, None);
    assert!(said.starts_with("No slow-down of `GET /books/{id}` above ×1."), "{said}");
    assert!(said.ends_with(" was seen since release R#42"), "{said}");
}

#[test]
fn a_rare_name_has_not_enough_data() {
    let rare =
        |random: &mut fastrand::Rng, block: usize| durations(random, usize::from(block.is_multiple_of(5)), 80.0).into();
    let said = said(&application(rare), Look::ThreeHours, None);
    assert!(said.starts_with("Not enough data yet for `GET /books/{id}`: 7 requests since release R#42;"), "{said}");
}

#[test]
fn a_change_of_the_mix_is_no_slow_down() {
    let mixed = |random: &mut fastrand::Rng, block: usize| {
        let large = if block < RELEASE { 4 } else { 20 };
        let (small, large) = (durations(random, 40 - large, 20.0), durations(random, large, 200.0));
        Block::by_class([(Class(0), small), (Class(1), large)])
    };
    let said = said(&application(mixed), Look::ThreeHours, None);
    assert!(said.contains("since release R#42, because the mix changed: slow requests became more frequent"), "{said}");
}

#[test]
fn names_cannot_leave_their_place_in_the_sentence() {
    let series = application(slower);
    let change = Change::release(BEGIN, BEGIN);
    let study = Study::new(&series, BlockLength::FIVE_MINUTES, change, Look::ThreeHours).unwrap();
    let finding = study.subject(0).unwrap().judge();
    let name = format!("GET `\n{}", "x".repeat(10_000));
    let said = sentence(&name, Occasion::Time("14:00"), &finding, None, None);
    assert!(said.chars().count() < 300 && !said.contains('\n'), "{said}");
    assert_eq!(said.matches('`').count(), 2);
    assert!(said.ends_with(" at about 14:00; no release"), "{said}");
}
