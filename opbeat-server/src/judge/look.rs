//! A look at a release.

use std::sync::Arc;

use opbeat_judgement::{BlockLength, Breakdown, Finding, Occasion, Study, Verdict, sentence};

use super::callers::Callers;
use super::due::{Due, due, minutes_of};
use super::history::History;
use crate::repositories::Repositories;
use crate::store::{Cause, FindingRow, Store, StoreError};

/// Takes all looks that are due at a time, in microseconds since 1970, and stores the findings.
///
/// A release whose data cannot be read is not looked at, and costs the others nothing. Without repositories, sentences do not
/// say who changed a line.
///
/// # Errors
///
/// Returns an error if the database is away. Looks that were taken until then are stored.
pub(crate) async fn take_looks(store: &Store, repositories: Option<&Repositories>, now: i64) -> Result<(), StoreError> {
    for due in due(&store.recent_releases(now).await?, now) {
        let found = if due.is_overtaken { Ok(Vec::new()) } else { look(store, repositories, &due, now).await };
        let findings = match found {
            Ok(findings) => findings,
            Err(error) if error.cause() == Cause::Outage => return Err(error),
            Err(error) => {
                let Due { app_id, release, look, .. } = &due;
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    app_id,
                    release,
                    ?look,
                    "the data around a release cannot be read; it is not judged"
                );
                Vec::new()
            }
        };
        store.add_look(&due.app_id, due.release, minutes_of(due.look), findings).await?;
    }
    Ok(())
}

async fn look(
    store: &Store,
    repositories: Option<&Repositories>,
    due: &Due,
    now: i64,
) -> Result<Vec<FindingRow>, StoreError> {
    let history = Arc::new(History::read(store, due).await?);
    let found = judge(Arc::clone(&history), due.clone(), None).await;
    let places: Vec<usize> = found.iter().map(|judged| judged.place).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let breakdowns = history.breakdowns(store, &due.app_id, &places).await?;
    let found = judge(Arc::clone(&history), due.clone(), Some((places, breakdowns))).await;
    let (mut callers, mut rows) = (Callers::new(store, repositories, due, now), Vec::new());
    let release = format!("R#{}", due.release);
    for Judged { place, finding, cause } in found {
        let transaction = &history.transactions[place];
        let caller = match &cause {
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
        let occasion = Occasion::Release(&release);
        let sentence = sentence(&transaction.name, occasion, &finding, cause.as_ref(), caller.as_ref());
        rows.extend(row(transaction.id, due, &finding, sentence, now));
    }
    Ok(rows)
}

/// The finding about a transaction, with the index of the transaction in the history.
struct Judged {
    place: usize,
    finding: Finding,
    cause: Option<opbeat_judgement::Cause>,
}

/// Judges transactions, on a thread that may be busy: some of them with the time by kind of span, or all. Returns those that
/// changed.
async fn judge(history: Arc<History>, due: Due, some: Option<(Vec<usize>, Vec<Breakdown>)>) -> Vec<Judged> {
    let judge = move || {
        let study = match Study::new(&history.series, BlockLength::TEN_MINUTES, history.change(), due.look) {
            Ok(study) => study,
            Err(error) => {
                tracing::error!(%error, app_id = due.app_id, release = due.release, "a release cannot be judged");
                return Vec::new();
            }
        };
        let (places, breakdowns) = some.unwrap_or_else(|| ((0..history.series.len()).collect(), Vec::new()));
        let judged = |(index, place): (usize, usize)| {
            let subject = study.subject(place)?;
            let finding = subject.judge();
            if !matches!(finding.verdict, Verdict::Slower { .. } | Verdict::MixChanged { .. }) {
                return None;
            }
            let cause = breakdowns.get(index).map(|breakdown| subject.cause(breakdown));
            Some(Judged { place, finding, cause })
        };
        places.into_iter().enumerate().filter_map(judged).collect()
    };
    tokio::task::spawn_blocking(judge).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the judgement of a release failed; other releases are judged");
        Vec::new()
    })
}

fn row(transaction: i64, due: &Due, finding: &Finding, sentence: String, now: i64) -> Option<FindingRow> {
    let (is_mix, is_certain) = match finding.verdict {
        Verdict::Slower { certainty, .. } => (false, certainty == opbeat_judgement::Certainty::Certain),
        Verdict::MixChanged { is_proven, .. } => (true, is_proven),
        _ => return None,
    };
    let [_, (before, after), _] = finding.evidence.milliseconds;
    let sane = |milliseconds: f64| if milliseconds.is_finite() { milliseconds } else { 0.0 };
    Some(FindingRow {
        transaction,
        release: due.release,
        minutes: minutes_of(due.look),
        found_at: now,
        is_mix,
        is_certain,
        before_ms: sane(before),
        after_ms: sane(after),
        sentence,
    })
}
