//! The queue in RabbitMQ: nothing is lost while the broker is killed, silent or missing, and each record counts once.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use lapin::options::BasicNackOptions;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use super::super::message::Message;
use super::super::{Batch, Broker, Queue, QueueHealth, QueueLimits, RecordId, Source};
use super::AmqpAddress;
use super::publish::publish;
use crate::store::Store;
use crate::worker::Worker;

/// A time that no working test reaches.
const LONG: Duration = Duration::from_secs(240);

/// A broker of its own for a test.
struct Rabbit {
    /// Dropped first, so that the broker ends before its registry.
    server: Option<Group>,
    _registry: Group,
    registry_port: u16,
    port: u16,
    folder: TempDir,
    /// A broker takes a processor for seconds to start: several at once are too slow for their own time limits.
    _turn: MutexGuard<'static, ()>,
}

/// Returns whether RabbitMQ is installed. Without it, a test prints that it is skipped.
fn is_installed() -> bool {
    let is_installed = Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").exists();
    if !is_installed {
        println!("skipped: install the package rabbitmq-server");
    }
    is_installed
}

/// A process and its children, which are killed when the value is dropped.
struct Group(Child);

impl Group {
    /// Starts a command, and waits until it writes a line with some text.
    fn start(command: &mut Command, ready: &'static str) -> Self {
        let mut child =
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let group = Self(child);
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if String::from_utf8_lossy(&line).contains(ready) {
                    let _ = send.send(());
                }
            }
        });
        receive.recv_timeout(LONG).expect("the program gets ready");
        group
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args(["-s", signal, "--", &format!("-{}", self.0.id())]).status().unwrap();
        assert!(killed.success());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("KILL");
        self.0.wait().unwrap();
    }
}

impl Rabbit {
    fn start() -> Self {
        let mut rabbit = Self::stopped();
        rabbit.restart();
        rabbit
    }

    /// Returns a broker that does not run yet.
    fn stopped() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let registry_port = free_port();
        let mut registry = Command::new("epmd");
        registry.args(["-d", "-address", "127.0.0.1", "-port", &registry_port.to_string()]);
        // It writes to its standard error.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(registry.get_program()).args(registry.get_args());
        let registry = Group::start(&mut shell, "epmd running");
        let folder = tempfile::tempdir().unwrap();
        Self { server: None, _registry: registry, registry_port, port: free_port(), folder, _turn: turn }
    }

    fn restart(&mut self) {
        self.server = Some(Group::start(&mut self.command("rabbitmq-server"), "Server startup complete"));
    }

    /// Writes the state of new queues to the disk. RabbitMQ 3.10 elects no leader of a quorum queue after a crash in the
    /// first seconds of the queue, until somebody runs `ra:trigger_election`.
    fn settle(&self) {
        self.control(&["stop_app"]);
        self.control(&["start_app"]);
    }

    /// Runs `rabbitmqctl`.
    fn control(&self, arguments: &[&str]) {
        let mut command = self.command("rabbitmqctl");
        let output = command.args(arguments).env_remove("RABBITMQ_DIST_PORT").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn command(&self, program: &str) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(Path::new("/usr/lib/rabbitmq/bin").join(program));
        // The cookie of Erlang is a file in the home directory.
        command.env("HOME", folder);
        command.env("ERL_EPMD_PORT", self.registry_port.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_NODENAME", format!("opbeat-{}@localhost", self.port));
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", self.port.to_string());
        command.env("RABBITMQ_DIST_PORT", free_port().to_string());
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("RABBITMQ_LOGS", "-");
        for (variable, name) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_PID_FILE", "pid"),
        ] {
            command.env(variable, folder.join(name));
        }
        command
    }

    /// Kills the broker, as a crash does.
    fn kill(&mut self) {
        self.server = None;
    }

    fn signal(&self, signal: &str) {
        self.server.as_ref().unwrap().signal(signal);
    }

    fn broker(&self) -> Broker {
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f?prefix=test", self.port);
        Broker::start(AmqpAddress::parse(&url).unwrap())
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing() {
    if !is_installed() {
        return;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_broker_delays_intake_for_a_bounded_time() {
    if !is_installed() {
        return;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_of_an_earlier_run_is_published() {
    if !is_installed() {
        return;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_no_worker_stores_is_a_dead_letter() {
    if !is_installed() {
        return;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_to_the_spool_while_rabbitmq_has_no_memory() {
    if !is_installed() {
        return;
    }
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
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_store_each_record_once() {
    if !is_installed() {
        return;
    }
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
