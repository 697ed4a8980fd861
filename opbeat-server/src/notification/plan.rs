//! The plan for the activities of one error that are due: which of them cause a message, and which wait.
//!
//! A new error with its assignment is one message. Errors that happen again after they were resolved or muted, and spikes,
//! are the only activities that repeat. Within the cool-down after a message about the error they wait, and the newest of them is one
//! message afterwards, unless somebody has resolved or muted the error until then.

use crate::error_status::Event;

/// An hour in microseconds: the period of budgets.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// An activity that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Its id in the store.
    pub(crate) id: i64,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The name of the token or the person, or an empty string for the server.
    pub(crate) actor: String,
    /// The event.
    pub(crate) event: Event,
}

/// The state of the error that the activities belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Whether it is neither resolved nor muted.
    pub(crate) is_open: bool,
    /// Whether it is merged into another error, which shows its errors.
    pub(crate) is_merged: bool,
    /// When the last message about a new or repeated error was made, in microseconds since 1970.
    pub(crate) notified_at: Option<i64>,
}

/// The plan for activities, given by their positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The activities with a message, each with the number of earlier ones that it stands for too.
    pub(crate) send: Vec<(usize, i64)>,
    /// The activities that wait, and the time until then.
    pub(crate) later: Option<(Vec<usize>, i64)>,
    /// Whether the cool-down begins now.
    pub(crate) begins_cool_down: bool,
}

/// Returns whether an activity is a new error, or one that happened again.
pub(crate) const fn is_important(event: &Event) -> bool {
    matches!(event, Event::Created { .. }) || is_repeat(event)
}

const fn is_repeat(event: &Event) -> bool {
    matches!(event, Event::Regressed { .. } | Event::Unmuted { .. } | Event::Spiked { .. })
}

/// Makes the plan. Activities that are in no part of it are done without a message.
pub(crate) fn plan(due: &[Due], group: Group, now: i64, cool_down: i64) -> Plan {
    let mut plan = Plan::default();
    if group.is_merged {
        return plan;
    }
    let created = due.iter().position(|due| matches!(due.event, Event::Created { .. }));
    plan.send.extend(created.map(|created| (created, 0)));
    let mut repeats = Vec::new();
    for (index, Due { event, .. }) in due.iter().enumerate() {
        match event {
            Event::Created { .. } => {}
            // The other error has the same activity.
            Event::MergedInto { .. } | Event::SplitFrom { .. } => {}
            // The message about the new error names the assignee.
            Event::Assigned { .. } if created.is_some() => {}
            event if is_repeat(event) => repeats.push(index),
            _ => plan.send.push((index, 0)),
        }
    }
    let notified_at = created.map(|_| now).or(group.notified_at);
    let ends_at = notified_at.map(|at| at.saturating_add(cool_down)).filter(|end| *end > now);
    match (repeats.last().copied(), ends_at) {
        (None, _) => {}
        (Some(_), Some(end)) => plan.later = Some((repeats, end)),
        // Somebody has looked at it meanwhile.
        (Some(_), None) if !group.is_open => {}
        (Some(newest), None) => {
            let others = i64::try_from(repeats.len()).unwrap_or(i64::MAX) - 1;
            plan.send.push((newest, others));
            plan.begins_cool_down = true;
        }
    }
    plan.begins_cool_down |= created.is_some();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::AssignedBy;

    const NEW: Group = Group { is_open: true, is_merged: false, notified_at: None };

    fn due(events: &[Event]) -> Vec<Due> {
        let due = |(id, event): (i64, &Event)| Due { id, happened_at: 0, actor: String::new(), event: event.clone() };
        (1..).zip(events).map(due).collect()
    }

    fn assigned() -> Event {
        Event::Assigned { assignee: Some("Ana".to_owned()), by: AssignedBy::Blame, reason: String::new() }
    }

    #[test]
    fn a_new_error_and_its_assignment_are_one_message() {
        let plan = plan(&due(&[Event::Created { release: 1 }, assigned(), Event::Opened]), NEW, 100, 60);
        assert_eq!((plan.send, plan.later, plan.begins_cool_down), (vec![(0, 0), (2, 0)], None, true));
        let later = super::plan(&due(&[assigned()]), NEW, 100, 60);
        assert_eq!((later.send, later.begins_cool_down), (vec![(0, 0)], false));
    }

    #[test]
    fn repeats_wait_for_the_end_of_the_cool_down() {
        let repeats = due(&[Event::Regressed { release: 1 }, Event::Regressed { release: 2 }]);
        let during = plan(&repeats, Group { notified_at: Some(50), ..NEW }, 100, 60);
        assert_eq!((during.send, during.later), (vec![], Some((vec![0, 1], 110))));
        let after = plan(&repeats, Group { notified_at: Some(50), ..NEW }, 110, 60);
        assert_eq!((after.send, after.later, after.begins_cool_down), (vec![(1, 1)], None, true));
        let resolved = plan(&repeats, Group { is_open: false, notified_at: Some(50), ..NEW }, 110, 60);
        assert_eq!(resolved, Plan::default());
        let with_new = plan(&due(&[Event::Created { release: 1 }, Event::Regressed { release: 2 }]), NEW, 100, 60);
        assert_eq!((with_new.send, with_new.later), (vec![(0, 0)], Some((vec![1], 160))));
    }
}
