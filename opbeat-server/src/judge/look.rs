//! A look at a release, or at a time without one.

use std::sync::Arc;

use opbeat_judgement::{BlockLength, Breakdown, Finding, Occasion, Study, Verdict, sentence};

use super::callers::Callers;
use super::due::{Due, Subject, minutes_of};
use super::history::History;
use crate::repositories::Repositories;
use crate::store::{Cause, FindingRow, Since, Store, StoreError, TimeOfChange};

const MICROS: i64 = 1_000_000;

/// Takes a look, and returns what it found.
pub(super) async fn look(
    store: &Store,
    repositories: Option<&Repositories>,
    due: &Due,
    now: i64,
) -> Result<Vec<FindingRow>, StoreError> {
    let history = Arc::new(History::read(store, due).await?);
    look_at(store, repositories, due, history, now, |_| true).await
}

/// Takes a look at the history of the transactions, given their ids, for which a function returns true.
pub(super) async fn look_at(
    store: &Store,
    repositories: Option<&Repositories>,
    due: &Due,
    history: Arc<History>,
    now: i64,
    is_wanted: impl Fn(i64) -> bool,
) -> Result<Vec<FindingRow>, StoreError> {
    let found = judge(Arc::clone(&history), due.clone(), None).await;
    // Without a release, only what became slower is said.
    let is_reported =
        |judged: &&Judged| judged.finding.verdict.is_slower() || matches!(due.subject, Subject::Release(_));
    let is_wanted = |judged: &&Judged| is_wanted(history.transactions[judged.place].id);
    let places: Vec<usize> = found.iter().filter(is_reported).filter(is_wanted).map(|judged| judged.place).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let breakdowns = history.breakdowns(store, &due.app_id, &places).await?;
    let found = judge(Arc::clone(&history), due.clone(), Some((places, breakdowns))).await;
    let (mut callers, mut rows) = (Callers::new(store, repositories, due, now), Vec::new());
    for judged in found {
        let Judged { place, finding, cause, .. } = &judged;
        let place = *place;
        let began = history.second(judged.onset);
        let subject = match due.subject {
            Subject::Release(number) => format!("R#{number}"),
            Subject::Time { .. } => time_of_day(began),
        };
        let transaction = &history.transactions[place];
        let caller = match cause {
            Some(opbeat_judgement::Cause::Signature { signature, .. }) => {
                match callers.of(transaction.id, signature).await {
                    Ok(caller) => caller,
                    Err(error) if error.cause() == Cause::Outage => return Err(error),
                    // The finding is worth more than its line.
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(
                            error,
                            app_id = due.app_id,
                            "the samples since a release cannot be read; a finding has no line"
                        );
                        None
                    }
                }
            }
            _ => None,
        };
        let occasion = match due.subject {
            Subject::Release(_) => Occasion::Release(&subject),
            Subject::Time { .. } => Occasion::Time(&subject),
        };
        let sentence = sentence(&transaction.name, occasion, finding, cause.as_ref(), caller.as_ref());
        rows.extend(row(transaction.id, due, finding, began, sentence, now));
    }
    Ok(rows)
}

/// The finding about a transaction, with the index of the transaction in the history.
pub(super) struct Judged {
    pub(super) place: usize,
    pub(super) finding: Finding,
    cause: Option<opbeat_judgement::Cause>,
    /// The minute at which it became slower.
    onset: usize,
}

/// Returns a time in seconds since 1970 as hours and minutes.
fn time_of_day(second: i64) -> String {
    let minute = second.rem_euclid(86_400) / 60;
    format!("{:02}:{:02} UTC", minute / 60, minute % 60)
}

/// Judges transactions, on a thread that may be busy: some of them, with the time by kind of span if it is given, or all. Of all,
/// it returns those that changed.
pub(super) async fn judge(history: Arc<History>, due: Due, some: Option<(Vec<usize>, Vec<Breakdown>)>) -> Vec<Judged> {
    // An app can have releases or hours before it has requests.
    if history.transactions.is_empty() {
        return Vec::new();
    }
    let judge = move || {
        let study = match Study::new(&history.series, BlockLength::TEN_MINUTES, history.change(), due.look) {
            Ok(study) => study,
            Err(error) => {
                tracing::error!(%error, app_id = due.app_id, subject = ?due.subject, "a change cannot be judged");
                return Vec::new();
            }
        };
        let are_all = some.is_none();
        let (places, breakdowns) = some.unwrap_or_else(|| ((0..history.series.len()).collect(), Vec::new()));
        let judged = |(index, place): (usize, usize)| {
            let subject = study.subject(place)?;
            let finding = subject.judge();
            if are_all && !matches!(finding.verdict, Verdict::Slower { .. } | Verdict::MixChanged { .. }) {
                return None;
            }
            let cause = breakdowns.get(index).map(|breakdown| subject.cause(breakdown));
            Some(Judged { place, finding, cause, onset: subject.onset() })
        };
        places.into_iter().enumerate().filter_map(judged).collect()
    };
    tokio::task::spawn_blocking(judge).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the judgement of a release failed; other releases are judged");
        Vec::new()
    })
}

fn row(transaction: i64, due: &Due, finding: &Finding, began: i64, sentence: String, now: i64) -> Option<FindingRow> {
    let (is_mix, is_certain, effect) = match finding.verdict {
        Verdict::Slower { change, certainty } => {
            (false, certainty == opbeat_judgement::Certainty::Certain, change.effect)
        }
        Verdict::MixChanged { is_proven, change } => (true, is_proven, change.effect),
        _ => return None,
    };
    let since = match due.subject {
        Subject::Release(number) => Since::Release(number),
        Subject::Time { .. } => {
            let began_at = began.saturating_mul(MICROS);
            Since::Time(TimeOfChange { began_at, ended_at: None, explained_by: None, effect })
        }
    };
    let [_, (before, after), _] = finding.evidence.milliseconds;
    let sane = |milliseconds: f64| if milliseconds.is_finite() { milliseconds } else { 0.0 };
    Some(FindingRow {
        transaction,
        since,
        minutes: minutes_of(due.look),
        found_at: now,
        is_mix,
        is_certain,
        before_ms: sane(before),
        after_ms: sane(after),
        sentence,
    })
}
