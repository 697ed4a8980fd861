//! Programs that depend on this crate alone can name the type of every value that public methods take or return.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, fn_service};
use actix_web::test::TestRequest;
use opbeat_actix::export::{Batch, ExportError, Exporter};
use opbeat_actix::record::{ErrorRecord, TransactionRecord};
use opbeat_actix::service::{OpbeatBody, OpbeatMiddleware, ResponseFuture};
use opbeat_actix::{
    Agent, Build, CapturedError, Config, ConfigError, Contact, Current, CurrentTransaction, Detached, Diagnosis, Drops,
    Entered, Error, ErrorId, FlushError, InSpan, InTransaction, Level, Opbeat, Outcome, Span, TraceParent, Transaction,
    TransactionId, TransactionName, TransactionResult, User, Value,
};

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
    let _: (Contact, Build, Drops) = (diagnosis.server, diagnosis.build, diagnosis.drops);
}

/// Names the types of a transaction's methods.
fn transaction(agent: &Agent) {
    let transaction: Transaction = agent.begin_transaction("task.names");
    let parent: Option<TraceParent> = transaction.trace_parent();
    transaction.set_trace_parent(parent);
    let current: CurrentTransaction = opbeat_actix::current();
    let _: Option<TransactionId> = current.id();
    current.set_user(User::new(42));
    current.set_tag("copies", Value::from(2));
    current.set_outcome(Outcome::Ok);
    let _: Option<ErrorId> = current.report_captured(&CapturedError::new(&std::fmt::Error));
    let span: Span = opbeat_actix::span("SELECT", "db.sqlite.query");
    let _: Span = span.leaf();
    transaction.end(TransactionName::from("shop.names"), TransactionResult::from("ok"));
}

/// Names the guards and futures that make a transaction current.
fn tasks(transaction: &CurrentTransaction) {
    let _: Entered = transaction.enter();
    let in_transaction: InTransaction<Ready<()>> = transaction.wrap(ready(()));
    let detached: Detached<Ready<()>> = transaction.detach(ready(()));
    let in_span: InSpan<Ready<()>> = opbeat_actix::in_span("SELECT", "db.sqlite.query", ready(()));
    drop((in_transaction, detached, in_span));
}

/// Names the service of a middleware, its futures and its bodies, and the extractor and the error of handlers.
async fn middleware<S>(inner: S, agent: &Agent)
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = actix_web::Error>,
{
    let service: OpbeatMiddleware<S> = Opbeat::new(agent).new_transform(inner).await.unwrap();
    let response: ResponseFuture<S::Future> = service.call(TestRequest::get().uri("/").to_srv_request());
    let _: OpbeatBody<_> = response.await.unwrap().into_body();
    let Current(_): Current = Current::default();
    let _: opbeat_actix::Result<()> = Err(Error::from("no paper"));
}

#[actix_web::test]
async fn every_type_has_a_name_in_this_crate() {
    let disabled = Agent::disabled();
    agent(&disabled);
    transaction(&disabled);
    tasks(&opbeat_actix::current());
    let inner = fn_service(async |request: ServiceRequest| {
        Ok::<_, actix_web::Error>(request.into_response(HttpResponse::Ok()))
    });
    middleware(inner, &disabled).await;
}
