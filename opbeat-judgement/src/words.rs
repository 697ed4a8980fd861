//! A finding as a sentence.

use crate::caller::Caller;
use crate::cause::{Cause, Rise, SpanChange};
use crate::decision::{Certainty, Finding, Verdict};
use crate::effect::Measure;
use crate::look::Look;

/// The longest name in a sentence, in characters.
const MAX_NAME: usize = 200;

/// The event after which names are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion<'a> {
    /// A release, such as `R#42`.
    Release(&'a str),
    /// A time without a release, such as `14:00`.
    Time(&'a str),
}

impl Occasion<'_> {
    fn since(self) -> String {
        match self {
            Self::Release(release) => format!("since release {}", plain(release)),
            Self::Time(time) => format!("since about {}", plain(time)),
        }
    }

    fn with(self) -> String {
        match self {
            Self::Release(release) => format!("with release {}", plain(release)),
            Self::Time(time) => format!("at about {}; no release", plain(time)),
        }
    }
}

/// Returns a name without control characters and backticks, of at most [`MAX_NAME`] characters.
fn plain(name: &str) -> String {
    let clean = name.chars().map(|letter| if letter.is_control() || letter == '`' { ' ' } else { letter });
    let mut clean = clean.take(MAX_NAME + 1).collect::<String>();
    if let Some((end, _)) = clean.char_indices().nth(MAX_NAME) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// Returns two durations with a unit that suits both.
fn durations(before: f64, after: f64) -> String {
    let largest = before.max(after);
    let (factor, unit) = match largest {
        _ if largest >= 10_000.0 => (1e-3, "s"),
        _ if largest >= 1.0 => (1.0, "ms"),
        _ => (1e3, "µs"),
    };
    format!("from {} to {} {unit}", number(before * factor), number(after * factor))
}

/// Returns a number with two or three significant digits.
fn number(value: f64) -> String {
    if value >= 10.0 || value == 0.0 {
        return format!("{value:.0}");
    }
    let text = if value >= 0.1 { format!("{value:.1}") } else { format!("{value:.2}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Returns the sentence for a finding. `caller` is the line that runs what the cause names.
#[must_use]
pub fn sentence(
    name: &str,
    occasion: Occasion<'_>,
    finding: &Finding,
    cause: Option<&Cause>,
    caller: Option<&Caller>,
) -> String {
    let name = plain(name);
    match &finding.verdict {
        Verdict::Slower { change, certainty } => {
            let went = went(finding, change.measure);
            let probably = if *certainty == Certainty::Probable { "probably " } else { "" };
            let estimate = if finding.look < Look::ThreeHours { " (first estimate)" } else { "" };
            let why = cause.map(because).unwrap_or_default();
            let line = cause.zip(caller).map(|(cause, caller)| from_line(cause, caller, occasion)).unwrap_or_default();
            format!("`{name}` {probably}{went} {}{why}{line}{estimate}", occasion.with())
        }
        Verdict::MixChanged { change, is_proven } => {
            let went = went(finding, change.measure);
            let probably = if *is_proven { "" } else { "probably " };
            let since = occasion.since();
            format!("`{name}` {went} {since}, {probably}because the mix changed: slow requests became more frequent")
        }
        Verdict::NoSlowdown { visible_factor } => {
            format!("No slow-down of `{name}` above ×{} was seen {}", factor(*visible_factor), occasion.since())
        }
        Verdict::NotEnoughData { visible_factor } => format!(
            "Not enough data yet for `{name}`: {:.0} requests {}; a change below ×{} would not be seen",
            finding.evidence.requests_after,
            occasion.since(),
            factor(*visible_factor)
        ),
    }
}

fn factor(factor: f64) -> String {
    if factor >= 100.0 { "100".to_owned() } else { number((factor * 10.0).ceil() / 10.0) }
}

/// Returns the change of a measure in words.
fn went(finding: &Finding, measure: Measure) -> String {
    let [p50, p95, mean] = finding.evidence.milliseconds;
    let figures = [("p50", p50), ("p95", p95), ("mean", mean)];
    // The shift is no figure that a page shows: the one that changed most stands for it.
    let most = || figures.into_iter().max_by(|(_, one), (_, other)| (one.1 / one.0).total_cmp(&(other.1 / other.0)));
    let (figure, (before, after)) = match measure {
        Measure::P50 => figures[0],
        Measure::P95 => figures[1],
        Measure::Mean => figures[2],
        Measure::Shift => most().unwrap_or(figures[0]),
    };
    format!("{figure} went {}", durations(before, after))
}

fn because(cause: &Cause) -> String {
    match cause {
        Cause::Signature { signature, change } => format!("; the time is in `{}`{}", plain(signature), detail(change)),
        Cause::Kind { kind, change } => format!("; the time is in {} calls{}", plain(kind), detail(change)),
        Cause::Several => "; no single span is the cause".to_owned(),
    }
}

/// Returns the line that runs what a cause names, and who changed it last.
fn from_line(cause: &Cause, caller: &Caller, occasion: Occasion<'_>) -> String {
    let change = match cause {
        Cause::Signature { change, .. } | Cause::Kind { change, .. } => change,
        Cause::Several => return String::new(),
    };
    let verb = if detail(change).contains("called") { "from" } else { "called from" };
    let line = format!(", {verb} `{}`", plain(&caller.line));
    let Some(change) = &caller.change else { return line };
    let place = match &change.release {
        Some(release) if occasion == Occasion::Release(release) => " in that release".to_owned(),
        Some(release) => format!(" in {}", plain(release)),
        None => String::new(),
    };
    format!("{line}, last changed{place} by {}", plain(&change.author))
}

fn detail(change: &SpanChange) -> String {
    let (before, after) = change.calls;
    match change.part {
        Rise::MoreCalls if before <= 0.0 => ", which is new".to_owned(),
        Rise::MoreCalls => format!(", called {} times per request instead of {}", number(after), number(before)),
        Rise::SlowerCalls => String::new(),
    }
}
