//! Readers of the starts and ends of scheduled jobs.

use serde::de::MapAccess;

use super::context::At;
use super::notes::Oddity;
use super::scalars::{Milliseconds, Text, Time, Whole};
use super::take::{Entries, Take};
use crate::check_ins::CheckIn;

/// The start or the end of a run. Without a monitor or a start it belongs to no run, and is left out.
#[derive(Clone, Copy)]
pub(super) struct TakeCheckIn;

impl Take for TakeCheckIn {
    type Out = CheckIn;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<CheckIn>, A::Error> {
        let limits = at.limits();
        let word = Text(limits.word);
        let (mut monitor, mut schedule, mut started) = (None, None, None);
        let mut check_in = CheckIn::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "monitor" => entries.field("monitor", Text(limits.name), &mut monitor)?,
                "schedule" => entries.field("schedule", word, &mut schedule)?,
                "timezone" => entries.field("timezone", word, &mut check_in.timezone)?,
                "grace_seconds" => entries.field("grace_seconds", Whole(limits.count), &mut check_in.grace_seconds)?,
                "started" => entries.field("started", Time, &mut started)?,
                "duration_ms" => {
                    entries.field("duration_ms", Milliseconds(limits.duration_ms), &mut check_in.duration_ms)?;
                }
                "result" => entries.field("result", word, &mut check_in.result)?,
                _ => entries.skip()?,
            }
        }
        let Some(started) = started else {
            at.note(Oddity::InvalidTime);
            return Ok(None);
        };
        let Some(monitor) = monitor.filter(|monitor: &String| !monitor.is_empty()) else {
            at.note(Oddity::WrongType);
            return Ok(None);
        };
        Ok(Some(CheckIn { monitor, schedule: schedule.unwrap_or_default(), started, ..check_in }))
    }
}
