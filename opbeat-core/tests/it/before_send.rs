//! The application's functions that change or drop what is sent, and the number of samples by name.

use opbeat_core::record::ErrorRecord;
use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;

use crate::PATIENCE;

fn started(config: &Config) -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(config, exporter.clone()), exporter)
}

fn capture(agent: &Agent, message: &str) {
    agent.capture_error(&std::io::Error::other(message.to_owned()));
}

fn messages(errors: &[ErrorRecord]) -> Vec<&str> {
    errors.iter().map(|error| error.message.as_str()).collect()
}

#[test]
fn errors_are_changed_and_dropped_before_they_are_sent() {
    let config = Config::default().before_send_error(|error| {
        if error.message == "no shelf" {
            error.message = "no shelf, password=hunter2".to_owned();
        }
        assert!(error.message != "poisoned", "this error is too much for the function");
        error.message != "unwanted"
    });
    let (agent, exporter) = started(&config);
    ["unwanted", "no shelf", "poisoned", "no book"].into_iter().for_each(|message| capture(&agent, message));
    agent.flush(PATIENCE).unwrap();
    let delivered = exporter.take();
    assert_eq!(messages(&delivered.errors), ["no shelf, password=[REDACTED]", "no book"]);
    assert_eq!(agent.diagnose().drops.errors, 1, "the one for which the function panicked");
}

#[test]
fn samples_are_changed_and_dropped_before_they_are_sent() {
    let config = Config::default().before_send_sample(|sample| {
        sample.tags.clear();
        assert!(sample.name != "poisoned".into(), "this sample is too much for the function");
        sample.name != "unwanted".into()
    });
    let (agent, exporter) = started(&config);
    for name in ["unwanted", "poisoned", "wanted"] {
        let transaction = agent.begin_transaction("task.test");
        transaction.set_tag("plan", "gold");
        transaction.end(name, "ok");
    }
    agent.flush(PATIENCE).unwrap();
    let delivered = exporter.take();
    assert_eq!(delivered.transactions(), 3, "counts do not pass through the function");
    assert_eq!((delivered.samples.len(), delivered.samples[0].name.to_string().as_str()), (1, "wanted"));
    assert_eq!(delivered.samples[0].tags, []);
    assert_eq!(agent.diagnose().drops.samples, 1);
}

#[test]
fn the_number_of_samples_is_set_by_name() {
    let config = Config::default().sample("task *", 0).sample("task 7", 20);
    let (agent, exporter) = started(&config);
    for name in ["task 6", "task 7", "other"] {
        (0..100).for_each(|_| agent.begin_transaction("task.test").end(name, "ok"));
        agent.begin_transaction("task.test").end(name, "failed");
    }
    agent.flush(PATIENCE).unwrap();
    let delivered = exporter.take();
    assert_eq!(delivered.transactions(), 303);
    let samples = |name: &'static str| delivered.samples.iter().filter(|sample| sample.name == name.into()).count();
    assert_eq!(samples("task 6"), 0, "not even the failed one");
    assert!((20..=23).contains(&samples("task 7")), "{}", samples("task 7"));
    assert!((1..=4).contains(&samples("other")), "{}", samples("other"));
}
