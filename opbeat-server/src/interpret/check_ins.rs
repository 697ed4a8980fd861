//! Turns check-ins of scheduled jobs into changes of the store.

use opbeat_protocol::CheckIn;

use super::context::{cut_name, placed_time};
use super::origin::{OTHER_TIME, Origin};
use crate::changes::{Changes, NewCheckIn};

/// Adds the check-ins of a body, whose names are scrubbed already.
pub(super) fn add(origin: &Origin, check_ins: Vec<CheckIn>, changes: &mut Changes) {
    for check_in in check_ins {
        let CheckIn { monitor, schedule, timezone, grace_seconds, started, duration_ms, result } = check_in;
        let placed = placed_time(origin, Some(started));
        if placed.is_replaced() {
            let total = changes.notes.entry(origin.note(OTHER_TIME)).or_default();
            *total = total.saturating_add(1);
        }
        changes.check_ins.push(NewCheckIn {
            app_id: origin.app_id.clone(),
            monitor: cut_name(&monitor),
            schedule: cut_name(&schedule),
            time_zone: cut_name(&timezone.unwrap_or_default()),
            grace_seconds: grace_seconds.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
            started_at: placed.at.micros(),
            duration_ms,
            result: cut_name(&result.unwrap_or_default()),
        });
    }
}
