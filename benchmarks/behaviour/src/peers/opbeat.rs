//! Opbeat.

use std::borrow::Cow;
use std::time::Duration;

use opbeat_axum::OpbeatLayer;
use opbeat_core::record::{ErrorRecord, Outcome, TransactionRecord, Value};
use opbeat_core::{Agent, capture_error, current};
use opbeat_testing::MemoryExporter;
use opbeat_testing::behaviour::{count_shelves, describe, monitored};

use super::Peer;
use crate::applications::{self, LIMIT, actix};
use crate::peer_api::PeerApi;
use crate::recorded::{Failure, Record, Recorded, Request, Tags, has_handlers};
use crate::spans::{Node, paths};

const PATIENCE: Duration = Duration::from_secs(5);

const API: PeerApi = PeerApi {
    tag: |key, value| current().set_tag(key, value),
    describe,
    rename: |name| current().set_name(name),
    capture: |error| _ = capture_error(error),
    shed: || current().set_outcome(Outcome::Shed),
    count_shelves: || opbeat_axum::spawn(async { count_shelves() }),
};

pub fn axum() -> Peer {
    let (agent, exporter) = monitored();
    let answer: applications::axum::Answer = |error| Box::pin(opbeat_axum::handle_error(error));
    let setup = applications::axum::Setup { api: API, failures: applications::axum::carried, answer };
    let layer = OpbeatLayer::new(&agent).nested_service("/files");
    let address = applications::axum::serve(setup, |router, limit| match limit {
        Some(limit) => router.layer(layer.clone().outer_time_limit(limit)),
        None => router.layer(layer.clone()),
    });
    Peer::new(address, Recorder { agent, exporter })
}

pub fn actix() -> Peer {
    let (agent, exporter) = monitored();
    let setup = actix::Setup { api: API, failures: actix::carried };
    let recorded = agent.clone();
    let opbeat = move || opbeat_actix::Opbeat::new(&recorded);
    Peer::new(actix::serve!(setup, opbeat(), opbeat().outer_time_limit(LIMIT)), Recorder { agent, exporter })
}

struct Recorder {
    agent: Agent,
    exporter: MemoryExporter,
}

impl Record for Recorder {
    fn clear(&self) {
        self.exporter.take();
    }

    fn recorded(&self) -> Recorded {
        self.agent.flush(PATIENCE).expect("the exporter keeps everything");
        let counted: usize = self.exporter.durations().iter().map(|group| group.milliseconds.len()).sum();
        let mut requests: Vec<Request> = self.exporter.samples().iter().map(request).collect();
        // Counted transactions without a sample are recorded, too.
        requests.resize(counted, Request::default());
        Recorded { requests, failures: self.exporter.errors().iter().map(failure).collect() }
    }
}

fn request(sample: &TransactionRecord) -> Request {
    let spans = sample.spans.iter().enumerate();
    let nodes: Vec<_> =
        spans.map(|(index, span)| Node { id: index, parent: span.parent, name: &span.signature }).collect();
    Request {
        name: sample.name.to_string(),
        code: sample.result.to_string().parse().ok(),
        mark: sample.outcome.to_string(),
        duration: sample.duration,
        user: sample.user.as_ref().and_then(|user| user.id.as_ref()).map(ToString::to_string),
        tags: tags(&sample.tags),
        spans: paths(&nodes),
    }
}

fn failure(error: &ErrorRecord) -> Failure {
    Failure {
        type_name: error.type_name.clone().unwrap_or_default(),
        message: error.message.clone(),
        causes: error.causes.iter().map(|cause| cause.message.clone()).collect(),
        is_located: error.location.as_ref().is_some_and(|location| has_handlers(&location.file)),
        is_tied: error.transaction.is_some() && error.request.is_some(),
        tags: tags(&error.tags),
    }
}

fn tags(tags: &[(Cow<'static, str>, Value)]) -> Tags {
    tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}
