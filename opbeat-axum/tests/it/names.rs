//! Programs that depend on this crate alone can name the type of every value that public methods take or return.

use std::future::{Ready, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::{Json, Router};
use opbeat_axum::body::OpbeatBody;
use opbeat_axum::export::{Batch, ExportError, Exporter};
use opbeat_axum::future::ResponseFuture;
use opbeat_axum::record::{ErrorRecord, TransactionRecord};
use opbeat_axum::service::OpbeatService;
use opbeat_axum::{
    Agent, Build, CapturedError, Config, ConfigError, Contact, Current, CurrentTransaction, Detached, Diagnosis, Drops,
    Entered, Error, ErrorId, FlushError, HttpClassifier, InSpan, InTransaction, Level, MatchedPathName, OpbeatLayer,
    Outcome, Reported, ReportedRejection, RequestBodyLayer, RequestBodyService, Span, TraceParent, Transaction,
    TransactionId, TransactionName, TransactionResult, User, Value,
};
use tower::Layer;

/// Names the layers, their services, futures and bodies, the extractors, and the error of handlers.
fn layers(agent: &Agent) {
    let _: OpbeatService<(), HttpClassifier, MatchedPathName> = OpbeatLayer::new(agent).layer(());
    let _: Option<ResponseFuture<Ready<()>, ()>> = None;
    let _: Option<OpbeatBody<Body, ()>> = None;
    let _: RequestBodyService<Router> = RequestBodyLayer::new(1_024).layer(Router::new());
    let Current(_): Current = Current::default();
    let _: Option<(Reported<Json<u32>>, ReportedRejection<JsonRejection>)> = None;
    let _: opbeat_axum::Result<()> = Err(Error::from("no paper"));
}

/// An exporter that an application may write itself.
struct Discarding;

impl Exporter for Discarding {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let _: (&[ErrorRecord], &[TransactionRecord]) = (&batch.errors, &batch.samples);
        Ok(())
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        Ok(None)
    }
}

/// Names the types of an agent's methods.
fn agent(agent: &Agent) {
    let _: Agent = Agent::with_exporter(&Config::default().enabled(false), Discarding);
    let _: Result<Agent, ConfigError> = Agent::start(&Config::default().enabled(false));
    let _: Result<(), FlushError> = agent.flush(Duration::from_secs(1));
    let _: Option<ErrorId> = agent.capture_message(Level::Warning, "no paper");
    let diagnosis: Diagnosis = agent.diagnose();
    let (_, _, _): (Contact, Build, Drops) = (diagnosis.server, diagnosis.build, diagnosis.drops);
}

/// Names the types of a transaction's methods.
fn transaction(agent: &Agent) {
    let transaction: Transaction = agent.begin_transaction("task.names");
    let parent: Option<TraceParent> = transaction.trace_parent();
    transaction.set_trace_parent(parent);
    let current: CurrentTransaction = opbeat_axum::current();
    let _: Option<TransactionId> = current.id();
    current.set_user(User::new(42));
    current.set_tag("copies", Value::from(2));
    current.set_outcome(Outcome::Ok);
    let _: Option<ErrorId> = current.report_captured(&CapturedError::new(&std::fmt::Error));
    let span: Span = opbeat_axum::span("SELECT", "db.sqlite.query");
    let _: Span = span.leaf();
    transaction.end(TransactionName::from("shop.names"), TransactionResult::from("ok"));
}

/// Names the guards and futures that make a transaction current.
fn tasks(transaction: &CurrentTransaction) {
    let _: Entered = transaction.enter();
    let in_transaction: InTransaction<Ready<()>> = transaction.wrap(ready(()));
    let detached: Detached<Ready<()>> = transaction.detach(ready(()));
    let in_span: InSpan<Ready<()>> = opbeat_axum::in_span("SELECT", "db.sqlite.query", ready(()));
    drop((in_transaction, detached, in_span));
}

#[test]
fn every_type_has_a_name_in_this_crate() {
    let disabled = Agent::disabled();
    agent(&disabled);
    transaction(&disabled);
    tasks(&opbeat_axum::current());
    layers(&disabled);
}
