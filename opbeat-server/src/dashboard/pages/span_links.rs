//! Links from spans of a waterfall to the pages of their queries and calls.

use std::collections::{HashMap, HashSet};

use crate::dashboard::access::Reader;
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Range, Sample, SampleSpanView, SpanFamily};

/// The largest number of different spans that have a link.
const MAX_LINKED: usize = 500;

/// The pages of the queries and calls of a sample.
pub(super) struct Links {
    /// The ids of the queries and calls, by kind and signature.
    ids: HashMap<(String, String), i64>,
    app: AppIdentity,
    range: String,
}

impl Links {
    /// Finds the pages of a sample's spans.
    pub(super) async fn new(
        reader: &Reader,
        app: &AppIdentity,
        sample: &Sample,
        range: &Range,
    ) -> Result<Self, Problem> {
        let names: HashSet<(&str, &str)> =
            sample.spans.iter().map(|span| (&*span.kind, &*span.signature)).take(MAX_LINKED).collect();
        let ids = reader.query.span_ids(app, &names.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self { ids, app: app.clone(), range: path::range(range) })
    }

    /// Returns the page of a span of this app, if it has one.
    pub(super) fn of(&self, span: &SampleSpanView) -> Option<String> {
        let id = self.ids.get(&(span.kind.clone(), span.signature.clone()))?;
        Some(format!("{}{}", path::span(&self.app, SpanFamily::of(&span.kind)?, *id), self.range))
    }
}
