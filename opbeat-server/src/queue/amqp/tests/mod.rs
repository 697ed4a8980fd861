//! The queue in RabbitMQ: nothing is lost while the broker is killed, silent or missing, and each record counts once.

mod rabbit;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use lapin::options::BasicNackOptions;
use tokio::time::{Instant, timeout};

use rabbit::Rabbit;

use super::super::message::Message;
use super::super::{Batch, Broker, Queue, QueueHealth, QueueLimits, RecordId, Source};
use super::publish::publish;
use crate::store::Store;
use crate::worker::Worker;

/// A time that no working test reaches.
const LONG: Duration = Duration::from_secs(240);

fn open(broker: &Broker, folder: &Path) -> Queue {
    broker.queue(&folder.join("spool"), QueueLimits::default()).unwrap()
}

async fn append(queue: &Queue, numbers: std::ops::Range<usize>) {
    for number in numbers {
        timeout(LONG, queue.append("shop", payload(number).as_bytes())).await.expect("it is answered").unwrap();
    }
}

fn payload(number: usize) -> String {
    format!("record {number}")
}

/// Waits until the health has a property.
async fn until(health: &QueueHealth, property: impl Fn(&QueueHealth) -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let deadline = Instant::now() + LONG;
    while !property(health) {
        assert!(Instant::now() < deadline, "{health:?}");
        ticks.tick().await;
    }
}

/// Waits until RabbitMQ can be used and the spool is empty.
async fn until_well(health: &QueueHealth) {
    until(health, |health| health.broker_outage().is_none() && health.backlog() == 0).await;
}

async fn next(source: &mut Source) -> Batch {
    timeout(LONG, source.next()).await.expect("there are records").unwrap().expect("the source is open")
}

/// Reads and acknowledges until `count` different records have arrived. Returns them in the order of their first
/// arrival.
async fn read(source: &mut Source, count: usize) -> Vec<String> {
    let (mut seen, mut records) = (HashSet::<RecordId>::new(), Vec::new());
    while records.len() < count {
        let batch = next(source).await;
        assert!(batch.dead.is_empty());
        for record in &batch.records {
            if seen.insert(record.id.expect("every record has an id")) {
                records.push(String::from_utf8(record.bytes.clone()).unwrap());
            }
        }
        // After a crash of the broker, an acknowledgement may be too late.
        let _ = source.acknowledge(&batch).await;
    }
    records
}

fn payloads(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(payload).collect()
}

#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut rabbit = Rabbit::start();
    let broker = rabbit.broker();
    let (queue, mut source) = (open(&broker, folder.path()), broker.source());
    let health = queue.health();
    until(&health, |_| broker.connections().shared().usable().is_some()).await;
    rabbit.settle();
    until(&health, |_| broker.connections().shared().usable().is_some()).await;
    until_well(&health).await;
    append(&queue, 0..40).await;
    assert_eq!(health.backlog(), 0, "RabbitMQ has confirmed them");
    assert_eq!(read(&mut source, 10).await[..10], payloads(0..10));

    rabbit.kill();
    append(&queue, 40..80).await;
    assert!(health.backlog() > 0, "they are in the spool");
    until(&health, |health| health.broker_outage().is_some()).await;
    assert!(!health.is_full() && health.failure().is_none());

    rabbit.restart();
    append(&queue, 80..120).await;
    until_well(&health).await;
    append(&queue, 120..130).await;
    // The first ones were read above, and may or may not come again.
    let read = read_until(&mut source, &payload(129)).await;
    let expected: Vec<_> = payloads(40..130);
    let new: Vec<_> = read.into_iter().filter(|record| expected.contains(record)).collect();
    assert_eq!(new, expected, "all are there, once, and in their order");
    until(&health, |health| health.waiting() == Some(0) && health.ends().0 == health.ends().1).await;
}

/// Reads and acknowledges until a record has arrived. Returns all by their first arrival.
async fn read_until(source: &mut Source, last: &str) -> Vec<String> {
    let (mut seen, mut records) = (HashSet::new(), Vec::<String>::new());
    while records.last().is_none_or(|record| record != last) {
        let batch = next(source).await;
        for record in &batch.records {
            if seen.insert(record.id) {
                records.push(String::from_utf8(record.bytes.clone()).unwrap());
            }
        }
        let _ = source.acknowledge(&batch).await;
    }
    records
}

#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_broker_delays_intake_for_a_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let rabbit = Rabbit::start();
    let broker = rabbit.broker();
    let (queue, mut source) = (open(&broker, folder.path()), broker.source());
    let health = queue.health();
    until(&health, |_| broker.connections().shared().usable().is_some()).await;
    append(&queue, 0..10).await;
    until_well(&health).await;
    rabbit.signal("STOP");
    let started = Instant::now();
    // The first one is published, and its confirm is not in time: it may arrive twice, with one id.
    append(&queue, 10..30).await;
    assert!(started.elapsed() < Duration::from_secs(20), "the records go to the spool: {:?}", started.elapsed());
    assert!(health.backlog() > 0);
    rabbit.signal("CONT");
    until_well(&health).await;
    assert_eq!(read(&mut source, 30).await, payloads(0..30));
}

#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_of_an_earlier_run_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut rabbit = Rabbit::stopped();
    {
        let broker = rabbit.broker();
        append(&open(&broker, folder.path()), 0..10).await;
    }
    rabbit.restart();
    let broker = rabbit.broker();
    let (queue, mut source) = (open(&broker, folder.path()), broker.source());
    append(&queue, 10..20).await;
    assert_eq!(read(&mut source, 20).await, payloads(0..20));
    until_well(&queue.health()).await;
    drop((queue, source, broker));

    // Nothing of it is published again.
    let broker = rabbit.broker();
    let (queue, mut source) = (open(&broker, folder.path()), broker.source());
    append(&queue, 20..21).await;
    assert_eq!(read(&mut source, 1).await, payloads(20..21));
}

#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_no_worker_stores_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let rabbit = Rabbit::start();
    let broker = rabbit.broker();
    let queue = open(&broker, folder.path());
    until(&queue.health(), |_| broker.connections().shared().usable().is_some()).await;
    append(&queue, 0..1).await;
    until_well(&queue.health()).await;
    let shared = broker.connections().shared();
    let connection = shared.connect("a worker that stores nothing").await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut deliveries = 0;
    while let Some(message) = channel.basic_get(shared.address.intake(), Default::default()).await.unwrap() {
        message.nack(BasicNackOptions { requeue: true, ..Default::default() }).await.unwrap();
        deliveries += 1;
    }
    assert!(deliveries > 0);
    let mut source = broker.source();
    let batch = loop {
        let batch = next(&mut source).await;
        if !batch.dead.is_empty() {
            break batch;
        }
        // The record was not yet back in the queue above.
        source.close().await;
        source = broker.source();
    };
    assert_eq!((batch.dead.len(), batch.dead[0].bytes.as_slice()), (1, payload(0).as_bytes()));
    assert!(batch.dead[0].id.is_some(), "it keeps its id");
    source.acknowledge(&batch).await.unwrap();
    source.close().await;
    until(&queue.health(), |health| health.ends().0 == health.ends().1).await;
}

#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_to_the_spool_while_rabbitmq_has_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let rabbit = Rabbit::start();
    let broker = rabbit.broker();
    let (queue, mut source) = (open(&broker, folder.path()), broker.source());
    let health = queue.health();
    until(&health, |_| broker.connections().shared().usable().is_some()).await;
    append(&queue, 0..10).await;
    until_well(&health).await;
    rabbit.control(&["set_vm_memory_high_watermark", "0"]);
    append(&queue, 10..30).await;
    assert!(health.backlog() > 0);
    until(&health, |health| health.broker_outage().is_some_and(|outage| outage.reason.contains("memory"))).await;
    rabbit.control(&["set_vm_memory_high_watermark", "0.9"]);
    until_well(&health).await;
    assert_eq!(read(&mut source, 30).await, payloads(0..30));
}

/// A record that was published twice, and one that workers cannot read, are stored once. Others behind them are stored.
#[test_with::executable(/usr/lib/rabbitmq/bin/rabbitmq-server)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_store_each_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let rabbit = Rabbit::start();
    let broker = rabbit.broker();
    let queue = open(&broker, folder.path());
    let health = queue.health();
    until(&health, |_| broker.connections().shared().usable().is_some()).await;
    let store = Store::open_file(&folder.path().join("a.sqlite")).await;
    let twice = |number: usize| Message {
        id: [number as u8; 16],
        app_id: "shop".into(),
        // No record begins like this: it is set aside.
        payload: vec![0xff, number as u8],
    };
    let messages: Vec<Message> = (1..=40).map(|number| twice(number % 20 + 1)).collect();
    let link = broker.connections().shared().usable().unwrap();
    publish(&link.drain, &broker.connections().shared().address.intake(), &messages).await.unwrap();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (stop, stopped) = tokio::sync::oneshot::channel();
            (
                stop,
                tokio::spawn(
                    Worker::new(store.clone(), broker.source(), crate::store::AppSettings::new()).run(stopped),
                ),
            )
        })
        .collect();
    let deadline = Instant::now() + LONG;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while store.parked(i64::MIN).await.unwrap().len() < 20 || health.waiting() != Some(0) {
        assert!(Instant::now() < deadline, "the records are stored");
        ticks.tick().await;
    }
    for (stop, worker) in workers {
        stop.send(()).unwrap();
        timeout(LONG, worker).await.expect("the worker stops").unwrap();
    }
    assert_eq!(store.parked(i64::MIN).await.unwrap().len(), 20);
    store.close().await;
}
