use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis::layers::retry::RetryPolicy;
use apalis_core::backend::TaskSink;
use apalis_core::backend::memory::MemoryStorage;
use apalis_core::error::{AbortError, BoxDynError, WorkerError};
use apalis_core::task::attempt::Attempt;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::data::Data;
use apalis_core::task::metadata::{Metadata, MetadataStore};
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use insta::assert_snapshot;
use opbeat_core::record::{TransactionRecord, Value};
use opbeat_core::{Agent, Config, in_span};
use opbeat_instrument::apalis::{OpbeatTasks, TaskOrigin};
use opbeat_testing::MemoryExporter;
use opbeat_testing::behaviour::{CartError, Runner, TRACE_PARENT, check_jobs, describe, tag, wait_forever};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::tree;

fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    // A busy machine may stop a thread for long.
    let config = Config::default().blocking_threshold(Duration::from_secs(3_600));
    (Agent::with_exporter(&config, exporter.clone()), exporter)
}

/// Writes a line for each task and each error, without the ids of tasks.
fn recorded(agent: &Agent, exporter: &MemoryExporter) -> String {
    tree::flush(agent);
    let batch = exporter.take();
    let tasks = batch.samples.iter().map(|TransactionRecord { kind, name, result, extra, .. }| {
        let extra: Vec<_> = extra.iter().filter(|(key, _)| key != "task_id").collect();
        format!("{kind} {name}: {result}{}", texts(&extra))
    });
    let errors = batch.errors.iter().map(|error| {
        let extra: Vec<_> = error.extra.iter().filter(|(key, _)| key == "attempt" || key == "final").collect();
        format!("error {}: {}{}", error.type_name.as_deref().unwrap_or_default(), error.message, texts(&extra))
    });
    let mut lines: Vec<_> = tasks.chain(errors).collect();
    lines.sort();
    lines.join("\n")
}

fn texts<K: fmt::Display>(values: &[&(K, Value)]) -> String {
    values.iter().map(|(key, value)| format!(" {key}={value}")).collect()
}

#[derive(Clone)]
struct Newsletter {
    issue: u32,
}

async fn send(newsletter: Newsletter, worker: WorkerContext) -> Result<u32, io::Error> {
    in_span("send mail", "ext.mail", async {}).await;
    worker.stop().map_err(io::Error::other)?;
    Ok(newsletter.issue)
}

#[tokio::test]
async fn a_task_continues_the_trace_of_the_request_that_queued_it() {
    let (agent, exporter) = monitored();
    let mut storage = MemoryStorage::new();
    let request = agent.begin_transaction("web.example");
    let trace = request.trace_parent();
    let queued = async {
        storage.push_task(TaskBuilder::new(Newsletter { issue: 3 }).metadata(&TaskOrigin::current()).build()).await
    };
    request.wrap(queued).await.unwrap();
    request.end("POST /newsletters", "202");

    let worker = WorkerBuilder::new("newsletters").backend(storage).layer(OpbeatTasks::new(&agent)).build(send);
    worker.run().await.unwrap();

    tree::flush(&agent);
    let samples = exporter.samples();
    let task = samples.iter().find(|sample| sample.kind == "task.apalis").unwrap();
    assert_eq!(task.trace, trace);
    assert!(task.queued.unwrap() < Duration::from_secs(60));
    assert!(task.extra.iter().any(|(key, _)| key == "task_id"));
    assert_snapshot!(tree::of_sample(task), @"ext.mail send mail");
    assert_snapshot!(recorded(&agent, &exporter), @r"
    task.apalis it::apalis::Newsletter: ok attempt=1 worker=newsletters
    web.example POST /newsletters: 202
    ");
}

#[tokio::test]
async fn each_attempt_is_a_transaction() {
    async fn fail(_: Newsletter, attempt: Attempt, worker: WorkerContext) -> Result<(), io::Error> {
        if attempt.current() == 3 {
            worker.stop().map_err(io::Error::other)?;
        }
        Err(io::Error::other("there are no stamps"))
    }
    let (agent, exporter) = monitored();
    let mut storage = MemoryStorage::new();
    storage.push_task(TaskBuilder::new(Newsletter { issue: 3 }).max_attempts(3).build()).await.unwrap();
    let worker = WorkerBuilder::new("newsletters")
        .backend(storage)
        .retry(RetryPolicy::retries(3))
        .layer(OpbeatTasks::new(&agent).name("shop.newsletter"))
        .build(fail);
    worker.run().await.unwrap();
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error Custom: there are no stamps attempt=1
    error Custom: there are no stamps attempt=2
    error Custom: there are no stamps attempt=3 final=true
    task.apalis shop.newsletter: failed attempt=1 max_attempts=3 worker=newsletters
    task.apalis shop.newsletter: failed attempt=2 max_attempts=3 worker=newsletters
    task.apalis shop.newsletter: failed attempt=3 max_attempts=3 final=true worker=newsletters
    ");
}

#[tokio::test]
async fn a_layer_around_the_retries_counts_the_attempts() {
    async fn succeed_late(_: Newsletter, attempt: Attempt, worker: WorkerContext) -> Result<(), io::Error> {
        if attempt.current() < 3 {
            return Err(io::Error::other("there are no stamps"));
        }
        worker.stop().map_err(io::Error::other)
    }
    let (agent, exporter) = monitored();
    let mut storage = MemoryStorage::new();
    storage.push(Newsletter { issue: 3 }).await.unwrap();
    let worker = WorkerBuilder::new("newsletters")
        .backend(storage)
        .layer(OpbeatTasks::new(&agent))
        .retry(RetryPolicy::retries(3))
        .build(succeed_late);
    worker.run().await.unwrap();
    assert_snapshot!(recorded(&agent, &exporter), @"task.apalis it::apalis::Newsletter: ok attempt=3 worker=newsletters");
}

#[tokio::test]
async fn an_aborted_task_is_final_and_reports_the_error_in_the_instruction() {
    async fn abort(_: String, worker: WorkerContext) -> Result<(), BoxDynError> {
        worker.stop()?;
        Err(Box::new(AbortError::new(io::Error::other("there are no stamps"))))
    }
    let (agent, exporter) = monitored();
    let mut storage = MemoryStorage::new();
    storage.push("ada@example.com".to_owned()).await.unwrap();
    let worker = WorkerBuilder::new("mails").backend(storage).layer(OpbeatTasks::new(&agent)).build(abort);
    worker.run().await.unwrap();
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error Custom: there are no stamps attempt=1 final=true
    task.apalis mails: failed attempt=1 worker=mails final=true
    ");
}

#[tokio::test]
async fn a_panic_that_apalis_catches_is_one_report() {
    async fn lose(_: Newsletter, worker: WorkerContext) -> Result<(), BoxDynError> {
        worker.stop()?;
        panic!("no stamps");
    }
    let (agent, exporter) = monitored();
    let mut storage = MemoryStorage::new();
    storage.push(Newsletter { issue: 3 }).await.unwrap();
    let worker =
        WorkerBuilder::new("newsletters").backend(storage).layer(OpbeatTasks::new(&agent)).catch_panic().build(lose);
    worker.run().await.unwrap();
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error panic: no stamps attempt=1 final=true
    task.apalis it::apalis::Newsletter: panicked attempt=1 worker=newsletters final=true
    ");
}

#[test]
fn malformed_metadata_is_ignored_and_the_trace_of_apalis_is_read() {
    let origin = |entries: &[(&str, &str)]| {
        let mut store = MetadataStore::new();
        for (key, value) in entries {
            store.insert(*key, *value).unwrap();
        }
        let Ok(origin) = TaskOrigin::extract(&store);
        let mut copied = MetadataStore::new();
        let Ok(()) = origin.inject(&mut copied);
        copied.get("traceparent").map(str::to_owned)
    };
    let theirs = "4bf92f3577b34da6a3ce929d0e0e4736;00f067aa0ba902b7;1;-";
    assert_eq!(origin(&[("apalis_core.tracing.context", theirs)]).as_deref(), Some(TRACE_PARENT));
    assert_eq!(origin(&[("traceparent", TRACE_PARENT), ("queued_at", "soon")]).as_deref(), Some(TRACE_PARENT));
    for odd in ["", ";;;", "-;-;-;-", "4bf92f3577b34da6a3ce929d0e0e4736", "x;y;256;z"] {
        assert_eq!(origin(&[("apalis_core.tracing.context", odd), ("traceparent", odd)]), None, "{odd}");
    }
}

#[test]
fn an_origin_replaces_an_earlier_one() {
    let mut store = MetadataStore::new();
    store.insert("queued_at", "0").unwrap();
    let Ok(()) = TaskOrigin::current().inject(&mut store);
    assert_ne!(store.get("queued_at"), Some("0"));
}

/// Workers for the jobs of the table.
struct Workers {
    runtime: Runtime,
    agent: Agent,
}

impl Workers {
    /// Runs a task in a worker of its own until the worker stops, or until it is dropped after the task has started.
    async fn work(agent: Agent, job: String) -> Result<(), WorkerError> {
        let mut metadata = MetadataStore::new();
        if job == "traced" {
            metadata.insert("traceparent", TRACE_PARENT).expect("the metadata is empty");
        }
        let mut storage = MemoryStorage::new();
        let task = TaskBuilder::new(job.clone()).with_metadata(metadata).build();
        storage.push_task(task).await.expect("the storage is open");
        let started = Arc::new(Notify::new());
        let layer = OpbeatTasks::new(&agent).name(job);
        let worker = WorkerBuilder::new("table").backend(storage).data(Arc::clone(&started)).layer(layer).build(handle);
        tokio::select! {
            ended = worker.run() => ended,
            () = started.notified() => Ok(()),
        }
    }
}

async fn handle(job: String, worker: WorkerContext, started: Data<Arc<Notify>>) -> Result<(), BoxDynError> {
    worker.stop()?;
    match job.as_str() {
        "ok" => describe(),
        "failing" => {
            tag();
            return Err(CartError::new().into());
        }
        "panicking" => {
            describe();
            panic!("no stamps");
        }
        "cancelled" => {
            started.notify_one();
            wait_forever().await;
        }
        _ => {}
    }
    Ok(())
}

impl Runner for Workers {
    fn run(&self, job: &str) {
        let worker = self.runtime.spawn(Self::work(self.agent.clone(), job.to_owned()));
        let ended = self.runtime.block_on(worker);
        assert_eq!(ended.is_err(), job == "panicking");
    }
}

#[test]
fn the_behaviour_table_of_jobs_passes() {
    let (agent, exporter) = opbeat_testing::behaviour::monitored();
    let workers = Workers { runtime: Runtime::new().unwrap(), agent: agent.clone() };
    check_jobs(&workers, &agent, &exporter, "task.apalis");
}
