//! Metrics: accepted, counted and not stored.
//!
//! Histograms such as `http.server.request.duration` count the same requests as spans do, so that both together would
//! count each request twice.

use super::messages::ExportMetrics;
use super::resource::Source;
use super::telemetry::{Outcome, Request, Telemetry};
use crate::changes::NoteAction;

impl Telemetry for ExportMetrics {
    fn sources(&self) -> Vec<Source> {
        Vec::new()
    }

    fn outcome(&self, request: &Request) -> Outcome {
        let mut outcome = Outcome::new(request);
        let scopes = self.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        outcome.note(request, NoteAction::Changed, scopes.map(|scope| scope.metrics.len()).sum(), "metric");
        outcome
    }
}
