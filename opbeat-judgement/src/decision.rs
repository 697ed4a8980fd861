//! From the evidence of a look to a verdict.

use crate::effect::Measure;
use crate::evidence::{Evidence, MeasuredChange};
use crate::look::Look;

/// Requests after the change that a report needs.
const MIN_REQUESTS: f64 = 20.0;

/// With fewer requests, errors are themselves uncertain, so the limit rises by [`FEW_REQUESTS_EXTRA`].
const FEW_REQUESTS: f64 = 50.0;
const FEW_REQUESTS_EXTRA: f64 = 1.5;

/// Another measure confirms a report at this share of the limit.
const CONFIRMATION: f64 = 0.6;

/// p95 and the mean depend on the same few slow requests, so one does not confirm the other. If neither the median nor the shift
/// rose, their limit is higher by this factor.
const SLOW_REQUESTS_ONLY: f64 = 1.2;

/// A measure other than p50 needs no confirmation from this number of standard errors on. The median of two modes jumps
/// between them, so it always needs one.
const CLEAR: f64 = 4.0;

/// Standard errors beyond the limit for a change without a release: there is a candidate every hour, and a release every
/// few days.
const CANDIDATE_EXTRA: f64 = 2.0;

/// The logarithm of the likelihood of a slow-down over that of a new mix, from which requests are slower: 55 to 1.
const SLOWER: f64 = 4.0;

/// Each standard error beyond the limit makes up for this part of [`SLOWER`], but never for all of it.
const MAKES_UP: f64 = 3.0;
const MIN_SLOWER: f64 = 0.2;

/// The logarithm of the same ratio up to which the mix changed. In between, it is not known.
const MIX: f64 = 0.0;

/// Standard errors that a change needs beyond the limit, so that nine of ten such changes are found.
const POWER: f64 = 1.28;

/// Standard errors beyond the limit from which a slow-down is said to be certain.
const CERTAIN: f64 = 2.0;

/// ×2: if smaller changes than this would not be seen, there is not enough data.
const VISIBLE_EFFECT: f64 = std::f64::consts::LN_2;

/// A name's evidence at a look, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The look.
    pub look: Look,
    /// The facts.
    pub evidence: Evidence,
    /// The conclusion.
    pub verdict: Verdict,
}

/// The standard error of a figure that says nothing about whether a change is over.
const VAGUE: f64 = 0.5;

impl Finding {
    /// Returns whether no figure is higher by an effect, on the logarithmic scale. It is false if too few requests say so.
    #[must_use]
    pub fn is_below(&self, effect: f64) -> bool {
        let mut known = self.evidence.changes.iter().filter(|change| change.error < VAGUE).peekable();
        self.evidence.requests_after >= MIN_REQUESTS
            && known.peek().is_some()
            && known.all(|change| change.effect < effect)
    }
}

/// How sure a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// At the limit: "probably".
    Probable,
    /// Two standard errors beyond the limit.
    Certain,
}

/// The conclusion about a name at a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Requests take longer.
    Slower {
        /// The change that is the furthest beyond its error.
        change: MeasuredChange,
        /// How sure this is.
        certainty: Certainty,
    },
    /// Slow requests became more frequent; none became slower.
    MixChanged {
        /// The change of all requests together.
        change: MeasuredChange,
        /// Whether classes of requests prove it. Without classes, it is likely from the durations alone.
        is_proven: bool,
    },
    /// No slow-down by this factor or more.
    NoSlowdown {
        /// The smallest factor that nine of ten times is seen.
        visible_factor: f64,
    },
    /// Too few requests for a conclusion.
    NotEnoughData {
        /// The smallest factor that nine of ten times is seen.
        visible_factor: f64,
    },
}

impl Verdict {
    /// Returns whether requests became slower.
    #[must_use]
    pub const fn is_slower(&self) -> bool {
        matches!(self, Self::Slower { .. })
    }
}

/// Returns the limit for changes. It is higher if only figures of the slow requests rose.
fn limit_for(changes: &[MeasuredChange; 4], limit: f64) -> f64 {
    let is_of_all = |change: &MeasuredChange| matches!(change.measure, Measure::P50 | Measure::Shift);
    let rose = changes.iter().any(|change| is_of_all(change) && change.z() >= CONFIRMATION * limit);
    if rose { limit } else { limit * SLOW_REQUESTS_ONLY }
}

/// Returns the changes that are reported: they are significant, large enough, last, and are confirmed.
fn hits(look: Look, changes: &[MeasuredChange; 4], limit: f64, requests: f64) -> Vec<MeasuredChange> {
    let confirming = changes.iter().filter(|change| change.z() >= CONFIRMATION * limit).count();
    let is_hit = |change: &&MeasuredChange| {
        let is_clear = change.measure != Measure::P50 && requests >= FEW_REQUESTS && change.z() >= CLEAR;
        change.z() >= limit
            && change.effect >= look.smallest_effect()
            && change.smallest_part >= change.effect / 2.0
            && (confirming >= 2 || is_clear)
    };
    changes.iter().filter(is_hit).copied().collect()
}

/// Draws the conclusion.
pub(crate) fn decide(look: Look, is_release: bool, evidence: Evidence) -> Finding {
    let mut limit = look.limit();
    if evidence.requests_after < FEW_REQUESTS {
        limit += FEW_REQUESTS_EXTRA;
    }
    if !is_release {
        limit += CANDIDATE_EXTRA;
    }
    let verdict = conclude(look, limit, &evidence);
    Finding { look, evidence, verdict }
}

fn conclude(look: Look, limit: f64, evidence: &Evidence) -> Verdict {
    let smallest_error = evidence.changes.iter().map(|change| change.error).fold(f64::INFINITY, f64::min);
    let visible_factor = ((limit + POWER) * smallest_error).clamp(look.smallest_effect(), 20.0).exp();
    if evidence.requests_after < MIN_REQUESTS || (!evidence.has_control && look < Look::Day) {
        return Verdict::NotEnoughData { visible_factor };
    }
    let limit = limit_for(&evidence.changes, limit);
    let found = hits(look, &evidence.changes, limit, evidence.requests_after);
    let Some(change) = found.iter().copied().max_by(|one, other| one.z().total_cmp(&other.z())) else {
        return if visible_factor.ln() > VISIBLE_EFFECT {
            Verdict::NotEnoughData { visible_factor }
        } else {
            Verdict::NoSlowdown { visible_factor }
        };
    };
    if let Some(within) = &evidence.within_classes {
        let slower = hits(look, within, limit, evidence.requests_after);
        if !slower.iter().any(|within| found.iter().any(|change| change.measure == within.measure)) {
            return Verdict::MixChanged { change, is_proven: true };
        }
    }
    if evidence.slower_over_mix <= MIX {
        return Verdict::MixChanged { change, is_proven: false };
    }
    if evidence.slower_over_mix < (SLOWER - MAKES_UP * (change.z() - limit)).max(MIN_SLOWER) {
        return Verdict::NotEnoughData { visible_factor };
    }
    let certainty = if change.z() >= limit + CERTAIN { Certainty::Certain } else { Certainty::Probable };
    Verdict::Slower { change, certainty }
}
