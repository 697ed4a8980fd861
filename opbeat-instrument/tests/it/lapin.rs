//! lapin with RabbitMQ.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use insta::assert_snapshot;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions, BasicRejectOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use opbeat_core::record::{Outcome, TransactionRecord};
use opbeat_instrument::lapin::{Channel, Consumer, Delivery};

use crate::calls::{Calls, trace_parent_of};
use crate::tree;
use test_backends::rabbitmq;

async fn channel() -> Channel {
    let url = tokio::task::spawn_blocking(rabbitmq::url).await.unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    Channel::new(connection.create_channel().await.unwrap())
}

async fn declare(channel: &Channel, queue: &str) {
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
}

async fn publish(channel: &Channel, queue: &str, properties: BasicProperties) {
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), queue.into(), options, b"hello", properties).await.unwrap().await.unwrap();
}

async fn consume(calls: &Calls, channel: &Channel, queue: &str) -> Consumer {
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.unwrap();
    Consumer::new(&calls.agent, consumer)
}

/// Returns the sample of the only transaction with this name.
fn sample(calls: &Calls, name: &str) -> TransactionRecord {
    calls.samples().into_iter().find(|sample| sample.name.to_string() == name).expect("the first is a sample")
}

#[tokio::test]
async fn a_delivery_continues_the_trace_of_its_message() {
    let calls = Calls::new();
    let channel = channel().await;
    declare(&channel, "mails").await;
    let transaction = calls.begin();
    transaction.set_baggage("tenant=ada");
    transaction.wrap(publish(&channel, "mails", BasicProperties::default())).await;
    let publisher = calls.end(transaction);
    assert_snapshot!(tree::of_sample(&publisher), @r#"messaging.rabbitmq.publish PUBLISH mails"#);

    let delivery = consume(&calls, &channel, "mails").await.next().await.unwrap().unwrap();
    let work = delivery.wrap(async {
        drop(opbeat_core::span("send", "test"));
        opbeat_core::current().baggage()
    });
    assert_eq!((work.await.as_deref(), &delivery.data[..]), (Some("tenant=ada"), &b"hello"[..]));
    assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
    drop(delivery);
    let consumer = sample(&calls, "mails");
    assert_eq!((consumer.kind.as_ref(), consumer.result.to_string().as_str()), ("task.lapin", "ok"));
    assert_eq!(consumer.trace, Some(trace_parent_of(&publisher, 0)));
    assert_snapshot!(tree::of_sample(&consumer), @r#"test send"#);
}

#[tokio::test]
async fn failures_to_publish_are_shown() {
    let calls = Calls::new();
    let channel = channel().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish = |exchange: &str, queue: &str| {
            channel.basic_publish(exchange.into(), queue.into(), options, b"hello", BasicProperties::default())
        };
        assert!(publish("", "no such queue").await.unwrap().await.unwrap().take_message().is_some());
        publish("", "amq.gen-JzTY20BRgKO").await.unwrap().await.unwrap();
        publish("no such exchange", "mails").await.unwrap().await.unwrap_err();
        publish("amq.topic", "mails.42").await.map(drop).unwrap_err();
    });
    work.await;
    assert_snapshot!(tree::of_sample(&calls.end(transaction)), @r#"
    messaging.rabbitmq.publish PUBLISH no such queue · error=unroutable
    messaging.rabbitmq.publish PUBLISH (reply queue) · error=unroutable
    messaging.rabbitmq.publish PUBLISH no such exchange · error=protocol error: AMQP soft error: NOT-FOUND: NOT_FOUND - no exchange 'no such exchange' in vhost '/'
    messaging.rabbitmq.publish PUBLISH amq.topic · error=invalid channel state: Closing (basic.publish)
    "#);
}

#[tokio::test]
async fn the_acknowledgement_is_the_result() {
    let calls = Calls::new();
    let channel = channel().await;
    declare(&channel, "results").await;
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - Duration::from_secs(60);
    let mut headers = FieldTable::default();
    let milliseconds = i64::try_from(sent.as_millis()).unwrap();
    headers.insert("timestamp_in_ms".into(), AMQPValue::LongLongInt(milliseconds));
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(2));
    publish(&channel, "results", BasicProperties::default().with_headers(headers)).await;
    publish(&channel, "results", BasicProperties::default().with_timestamp(sent.as_secs() + 3600)).await;

    let mut consumer = consume(&calls, &channel, "results").await.named("first");
    let first = consumer.next().await.unwrap().unwrap();
    first.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await.unwrap();
    assert!(!first.ack(BasicAckOptions::default()).await.unwrap(), "only the first acknowledgement counts");
    drop(first);
    let mut consumer = consumer.named("second");
    let second = consumer.next().await.unwrap().unwrap();
    second.reject(BasicRejectOptions::default()).await.unwrap();
    drop(second);
    let mut consumer = consumer.named("third");
    drop(consumer.next().await.unwrap().unwrap());

    let results = ["first", "second", "third"].map(|name| {
        let sample = sample(&calls, name);
        let redelivered = sample.extra.iter().any(|(key, _)| key == "redelivered");
        (sample.result.to_string(), sample.outcome, redelivered)
    });
    assert_eq!(
        results,
        [
            ("requeued".to_owned(), Outcome::Ok, false),
            ("failed".to_owned(), Outcome::ServerError, false),
            ("cancelled".to_owned(), Outcome::ClientGone, true),
        ]
    );
    let queued = |name: &str| sample(&calls, name).queued;
    assert!(queued("first").unwrap() >= Duration::from_secs(60));
    let attempt = ("attempt".into(), 3.into());
    assert!(sample(&calls, "first").extra.contains(&attempt));
    assert_eq!(queued("second"), None, "the time is in the future");
}

#[tokio::test]
async fn a_message_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let channel = channel().await;
    declare(&channel, "unchanged").await;
    publish(&channel, "unchanged", BasicProperties::default()).await;
    assert!(calls.samples().is_empty());
    let message = channel.basic_get("unchanged".into(), BasicGetOptions { no_ack: true }).await.unwrap().unwrap();
    assert_eq!(message.delivery.properties, BasicProperties::default());
    Delivery::begin(&calls.agent, "read", message.delivery).complete();
    let read = sample(&calls, "read");
    assert_eq!((read.result.to_string().as_str(), read.trace), ("ok", None));
}
