//! Bounds on the cost of one request.

use load::bound::Bound;

use crate::rounds::{Load, Measured, PATHS};
use crate::variants::{Framework, SPANS};

/// The maximum number of allocations of a plain request beyond the bare application.
const MAX_ALLOCATIONS: i64 = 5;

/// The maximum number of allocations of a child span.
const MAX_SPAN_ALLOCATIONS: f64 = 1.0;

/// Returns the bounds for one framework.
pub fn of(measured: &Measured, framework: &Framework) -> Vec<Bound> {
    let is_axum = framework.name == "axum";
    let ours: Vec<&'static str> = framework.variants.iter().copied().filter(|name| name.contains("opbeat")).collect();
    let mut bounds = vec![exact(measured, &ours), few_span_allocations(measured, ours[0])];
    for load in Load::ALL {
        bounds.push(times(measured, load, PATHS[0], ours[0], framework.variants[1], (2, 1)));
        if is_axum {
            bounds.extend(of_peers(measured, load));
        }
    }
    if is_axum {
        bounds.insert(0, few_allocations(measured));
    }
    bounds
}

fn of_peers(measured: &Measured, load: Load) -> [Bound; 5] {
    let [plain, spans] = PATHS;
    [
        times(measured, load, plain, "opbeat", "otel-tower", (1, 3)),
        times(measured, load, plain, "opbeat", "sentry-tower", (1, 4)),
        times(measured, load, spans, "opbeat", "otel-tower", (1, 1)),
        times(measured, load, spans, "opbeat", "sentry-tower", (1, 1)),
        encoded(measured, load),
    ]
}

/// Returns the bound that the added time is at most a share of another variant's.
fn times(
    measured: &Measured,
    load: Load,
    path: &'static str,
    ours: &'static str,
    theirs: &'static str,
    (of, parts): (i64, i64),
) -> Bound {
    let wall = |name| measured.costs[&(name, path, load)].wall;
    let share = if parts == 1 { of.to_string() } else { format!("{of}/{parts}") };
    let (own, other) = (wall(ours), wall(theirs));
    let sentence = format!("{path}, {load:?}: {ours} adds at most {share} × {theirs}'s time: {own} and {other} ns");
    Bound::new(sentence, own * parts <= other * of)
}

fn encoded(measured: &Measured, load: Load) -> Bound {
    let cpu = |name| measured.costs[&(name, PATHS[0], load)].all_threads;
    let (ours, theirs) = (cpu("opbeat-enc"), cpu("sentry-tower-enc"));
    let sentence = format!(
        "{}, {load:?}: encoding included, at most a tenth of sentry-tower's CPU: {ours} and {theirs} ns",
        PATHS[0]
    );
    Bound::new(sentence, ours * 10 <= theirs)
}

fn few_allocations(measured: &Measured) -> Bound {
    let allocations = measured.allocations[&("opbeat", PATHS[0])];
    let sentence = format!("at most {MAX_ALLOCATIONS} allocations beyond the bare router: {allocations}");
    Bound::new(sentence, allocations <= MAX_ALLOCATIONS)
}

fn few_span_allocations(measured: &Measured, name: &'static str) -> Bound {
    let allocations = allocations_of_a_span(measured, name);
    let sentence = format!("{name}: at most {MAX_SPAN_ALLOCATIONS} allocation a child span: {allocations:.1}");
    Bound::new(sentence, allocations <= MAX_SPAN_ALLOCATIONS)
}

/// Returns the additional allocations per span of a request.
pub fn allocations_of_a_span(measured: &Measured, name: &'static str) -> f64 {
    let [plain, spans] = PATHS.map(|path| measured.allocations[&(name, path)]);
    (spans - plain) as f64 / SPANS as f64
}

fn exact(measured: &Measured, ours: &[&str]) -> Bound {
    let holds = measured.lossy.iter().all(|((name, ..), (lossy, _))| !ours.contains(name) || *lossy == 0);
    Bound::new(format!("each transaction and span of {} was counted exactly once", ours.join(" and ")), holds)
}
