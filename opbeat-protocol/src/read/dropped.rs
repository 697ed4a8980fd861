//! Readers of the spans that an agent dropped, by their kind.

use std::collections::BTreeMap;

use serde::de::MapAccess;

use super::context::At;
use super::notes::Oddity;
use super::scalars::{Milliseconds, Whole, copy_text};
use super::take::{Entries, Take, grown};
use crate::transactions::DroppedSpans;

/// The field `dropped` of a sample's context.
#[derive(Clone, Copy)]
pub(super) struct TakeDropped;

impl Take for TakeDropped {
    type Out = BTreeMap<String, DroppedSpans>;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Self::Out>, A::Error> {
        let limits = at.limits();
        let mut dropped = BTreeMap::new();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            if dropped.len() >= limits.elements || !at.charge(grown::<(String, DroppedSpans)>()) {
                entries.skip()?;
                at.note_count(Oddity::TooMany, 1 + entries.skip_all()?);
                break;
            }
            let Some(spans) = entries.value(&key, TakeDroppedSpans)? else { continue };
            let Some(kind) = copy_text(at, &key, limits.word) else { continue };
            if dropped.insert(kind, spans).is_some() {
                at.note(Oddity::DuplicateKey);
            }
        }
        Ok(Some(dropped))
    }
}

/// The number of dropped spans of a single kind, and their time.
#[derive(Clone, Copy)]
struct TakeDroppedSpans;

impl Take for TakeDroppedSpans {
    type Out = DroppedSpans;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<DroppedSpans>, A::Error> {
        let limits = at.limits();
        let (mut count, mut total) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "count" => entries.field("count", Whole(limits.count), &mut count)?,
                "total_ms" => entries.field("total_ms", Milliseconds(limits.duration_ms), &mut total)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(DroppedSpans { count: count.unwrap_or_default(), total_ms: total.unwrap_or_default() }))
    }
}
