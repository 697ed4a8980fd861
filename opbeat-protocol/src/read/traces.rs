//! Readers of spans: their groups, and the sampled transactions that refer to them.

use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::context::At;
use super::dropped::TakeDropped;
use super::notes::Oddity;
use super::scalars::{Flag, Milliseconds, Text, Time, Whole};
use super::take::{Entries, List, Number, Take, element, grown, skip_elements};
use super::untyped::{Object, Untyped};
use crate::transactions::{RawSpan, RawTransaction, SampleContext, SpanDetails, TraceGroup, Traces};

/// The largest start of a span, in milliseconds. The Python agent sends milliseconds since 1970 for its root spans.
const MAX_START: f64 = 1e15;

/// The field `traces`: an array of groups, or an object with `groups` and `raw`.
pub(super) struct TakeTraces;

impl Take for TakeTraces {
    type Out = Traces;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, array: A) -> Result<Option<Traces>, A::Error> {
        let groups = List::new(TakeTraceGroup, at.limits().groups).array(at, array)?;
        Ok(groups.map(Traces::Groups))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Traces>, A::Error> {
        let (mut groups, mut raw) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "groups" => entries.field("groups", TakeNumberedGroups, &mut groups)?,
                "raw" => entries.field("raw", List::new(TakeRaw, at.limits().groups), &mut raw)?,
                _ => entries.skip()?,
            }
        }
        let groups: NumberedGroups = groups.unwrap_or_default();
        let mut raw: Vec<RawTransaction> = raw.unwrap_or_default();
        groups.renumber(at, &mut raw);
        Ok(Some(Traces::Sampled { groups: groups.kept, raw }))
    }
}

/// Groups that spans refer to by their index in the body.
#[derive(Default)]
struct NumberedGroups {
    kept: Vec<TraceGroup>,
    /// The indexes of the groups that were left out, in ascending order.
    left_out: Vec<usize>,
}

impl NumberedGroups {
    /// Leaves out spans whose group is missing, and changes the indexes of the others to those of `kept`.
    fn renumber(&self, at: At<'_>, raw: &mut [RawTransaction]) {
        let mut unknown = 0;
        for sample in raw {
            let received = sample.spans.len();
            sample.spans.retain_mut(|span| match self.left_out.binary_search(&span.group) {
                Ok(_) => false,
                Err(left_out_before) => {
                    span.group -= left_out_before;
                    span.group < self.kept.len()
                }
            });
            unknown += received - sample.spans.len();
        }
        at.note_count(Oddity::UnknownGroup, unknown);
    }
}

struct TakeNumberedGroups;

impl Take for TakeNumberedGroups {
    type Out = NumberedGroups;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<NumberedGroups>, A::Error> {
        let mut groups = NumberedGroups::default();
        for index in 0.. {
            if index >= at.limits().groups {
                at.note_count(Oddity::TooMany, skip_elements(&mut array)?);
                break;
            }
            match element(at, &mut array, index, TakeTraceGroup, true)? {
                Some(Some(group)) if at.charge(grown::<TraceGroup>()) => groups.kept.push(group),
                Some(_) => groups.left_out.push(index),
                None => break,
            }
        }
        Ok(Some(groups))
    }
}

/// A group of spans.
#[derive(Clone, Copy)]
struct TakeTraceGroup;

impl Take for TakeTraceGroup {
    type Out = TraceGroup;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<TraceGroup>, A::Error> {
        let limits = at.limits();
        let (name, word) = (Text(limits.name), Text(limits.word));
        let (mut transaction, mut signature, mut kind, mut parents) = (None, None, None, None);
        let (mut durations, mut extra) = (None, None);
        let mut group = TraceGroup::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "transaction" => entries.field("transaction", name, &mut transaction)?,
                "transaction_kind" => entries.field("transaction_kind", word, &mut group.transaction_kind)?,
                "signature" => entries.field("signature", name, &mut signature)?,
                "kind" => entries.field("kind", word, &mut kind)?,
                "parents" => entries.field("parents", List::new(name, limits.parents), &mut parents)?,
                "durations" => {
                    let budget = Some(&at.context.pairs);
                    let pairs = List { budget, ..List::new(TakePair, usize::MAX) };
                    entries.field("durations", pairs, &mut durations)?;
                }
                "start_time" => entries.field("start_time", Milliseconds(MAX_START), &mut group.start_time)?,
                "timestamp" => entries.field("timestamp", Time, &mut group.timestamp)?,
                "extra" => entries.field("extra", Object::Extra, &mut extra)?,
                _ => entries.skip()?,
            }
        }
        group.transaction = transaction.unwrap_or_default();
        group.signature = signature.unwrap_or_default();
        group.kind = kind.unwrap_or_default();
        group.parents = parents.unwrap_or_default();
        group.durations = durations.unwrap_or_default();
        group.extra = extra.unwrap_or_default();
        Ok(Some(group))
    }
}

/// A pair of a span's and its transaction's duration.
#[derive(Clone, Copy)]
struct TakePair;

impl Take for TakePair {
    type Out = (f64, f64);

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<(f64, f64)>, A::Error> {
        let duration = Milliseconds(at.limits().duration_ms);
        let (Some(span), Some(transaction)) =
            (element(at, &mut array, 0, duration, true)?, element(at, &mut array, 1, duration, true)?)
        else {
            at.note(Oddity::WrongType);
            return Ok(None);
        };
        skip_elements(&mut array)?;
        Ok(span.zip(transaction))
    }
}

/// A sampled transaction: an array of its duration, its spans and its context.
#[derive(Clone, Copy)]
struct TakeRaw;

impl Take for TakeRaw {
    type Out = RawTransaction;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<RawTransaction>, A::Error> {
        let limits = at.limits();
        let Some(duration) = element(at, &mut array, 0, Milliseconds(limits.duration_ms), true)? else {
            at.note(Oddity::WrongType);
            return Ok(None);
        };
        let mut raw = RawTransaction::default();
        for index in 1.. {
            if at.context.spans.is_spent() {
                at.note_count(Oddity::TooMany, skip_elements(&mut array)?);
                break;
            }
            match element(at, &mut array, index, TakeRawElement, false)? {
                Some(Some(RawElement::Span(span))) => {
                    if at.context.spans.spend() && at.charge(grown::<RawSpan>()) {
                        raw.spans.push(span);
                    }
                }
                Some(Some(RawElement::Context(context))) => raw.context = Some(*context),
                Some(None) => {}
                None => break,
            }
        }
        // The end of the last span is the best estimate of a duration that cannot be read.
        let last_end = raw.spans.iter().map(|span| span.start + span.duration).max_by(f64::total_cmp);
        let Some(duration) = duration.or(last_end) else { return Ok(None) };
        raw.duration = duration.min(limits.duration_ms);
        Ok(Some(raw))
    }
}

/// An element of a sampled transaction's array after the first.
enum RawElement {
    Span(RawSpan),
    Context(Box<SampleContext>),
}

#[derive(Clone, Copy)]
struct TakeRawElement;

impl Take for TakeRawElement {
    type Out = RawElement;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<RawElement>, A::Error> {
        let duration = Milliseconds(at.limits().duration_ms);
        let group = element(at, &mut array, 0, TakeIndex, true)?;
        let start = element(at, &mut array, 1, duration, true)?;
        let duration = element(at, &mut array, 2, duration, true)?;
        let (Some(group), Some(start), Some(duration)) = (group, start, duration) else {
            at.note(Oddity::WrongType);
            return Ok(None);
        };
        let details = element(at, &mut array, 3, TakeSpanDetails, false)?.flatten();
        skip_elements(&mut array)?;
        let details = details.filter(|_| at.charge(size_of::<SpanDetails>())).map(Box::new);
        let span = group.zip(start).zip(duration);
        Ok(span.map(|((group, start), duration)| RawElement::Span(RawSpan { group, start, duration, details })))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<RawElement>, A::Error> {
        let context = TakeSampleContext.object(at, object)?;
        Ok(context.map(|context| RawElement::Context(Box::new(context))))
    }
}

/// The details that only few spans have. Details that are empty or cannot be read are left out.
#[derive(Clone, Copy)]
struct TakeSpanDetails;

impl Take for TakeSpanDetails {
    type Out = SpanDetails;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<SpanDetails>, A::Error> {
        let limits = at.limits();
        let mut n_plus_one = None;
        let mut details = SpanDetails::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "count" => entries.field("count", Whole(limits.count), &mut details.count)?,
                "total_ms" => entries.field("total_ms", Milliseconds(limits.duration_ms), &mut details.total_ms)?,
                "n_plus_one" => entries.field("n_plus_one", Flag, &mut n_plus_one)?,
                "id" => entries.field("id", Text(limits.word), &mut details.id)?,
                _ => entries.skip()?,
            }
        }
        details.n_plus_one = n_plus_one.unwrap_or_default();
        // A span that stands for itself only has no count.
        details.count = details.count.filter(|count| *count > 1);
        Ok(Some(details).filter(|details| *details != SpanDetails::default()))
    }
}

/// The index of a group. An index that no body can have is an unknown group.
#[derive(Clone, Copy)]
struct TakeIndex;

impl Take for TakeIndex {
    type Out = usize;

    fn text(self, at: At<'_>, text: &str) -> Option<usize> {
        let index = Whole(u64::MAX).text(at, text)?;
        usize::try_from(index).ok()
    }

    fn number(self, at: At<'_>, number: Number) -> Option<usize> {
        let is_index = number.as_f64() >= 0.0 && number.as_f64().fract() == 0.0;
        let index = is_index.then(|| Whole(u64::MAX).number(at, number)).flatten();
        let index = index.and_then(|index| usize::try_from(index).ok());
        if index.is_none() {
            at.note(Oddity::UnknownGroup);
        }
        index
    }
}

/// The context of a sampled transaction.
struct TakeSampleContext;

impl Take for TakeSampleContext {
    type Out = SampleContext;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<SampleContext>, A::Error> {
        let limits = at.limits();
        let (word, count) = (Text(limits.word), Whole(limits.count));
        let duration = Milliseconds(limits.duration_ms);
        let (mut http, mut user, mut tags, mut extra) = (None, None, None, None);
        let mut other = Map::new();
        let mut context = SampleContext::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            let name = &*key;
            match name {
                "id" => entries.field(name, word, &mut context.id),
                "timestamp" => entries.field(name, Time, &mut context.timestamp),
                "result" => entries.field(name, Untyped::GENERAL, &mut context.result),
                "outcome" => entries.field(name, word, &mut context.outcome),
                "head_ms" => entries.field(name, duration, &mut context.head_ms),
                "queued_ms" => entries.field(name, duration, &mut context.queued_ms),
                "busy_ms" => entries.field(name, duration, &mut context.busy_ms),
                "request_bytes" => entries.field(name, count, &mut context.request_bytes),
                "response_bytes" => entries.field(name, count, &mut context.response_bytes),
                "trace_id" => entries.field(name, word, &mut context.trace_id),
                "parent" => entries.field(name, word, &mut context.parent),
                "parent_span" => entries.field(name, word, &mut context.parent_span),
                "dropped" => entries.field(name, TakeDropped, &mut context.dropped),
                "dropped_spans" => entries.field(name, count, &mut context.dropped_spans),
                "rev" => entries.field(name, word, &mut context.rev),
                "http" => entries.field(name, Object::Http, &mut http),
                "user" => entries.field(name, Object::User, &mut user),
                "tags" => entries.field(name, Object::Tags, &mut tags),
                "extra" => entries.field(name, Object::Extra, &mut extra),
                _ => Untyped::entry_of(at, &mut other, key, &mut entries),
            }?;
        }
        context.http = http.map(Value::Object);
        context.user = user.map(Value::Object);
        context.tags = tags.map(Value::Object);
        context.extra = extra.map(Value::Object);
        context.other = other;
        Ok(Some(context))
    }
}
