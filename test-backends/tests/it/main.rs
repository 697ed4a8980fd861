//! The servers accept connections, and keep their data when they are killed and started again.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use test_backends::{Postgres, Rabbitmq, mariadb, postgres, rabbitmq, redis};
use tokio_postgres::{Client, NoTls};

fn address(url: &str) -> SocketAddr {
    let (_, address) = url.split_once("://").unwrap();
    let address = address.split_once('@').map_or(address, |(_, address)| address);
    address.split_once('/').map_or(address, |(address, _)| address).parse().unwrap()
}

#[test]
fn each_server_accepts_connections() {
    for url in [mariadb::url(), postgres::url(), rabbitmq::url(), redis::url()] {
        TcpStream::connect(address(&url)).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}

#[test]
fn a_dropped_server_is_stopped() {
    let server = Postgres::start();
    let address = address(&server.url());
    TcpStream::connect(address).unwrap();
    drop(server);
    let error = TcpStream::connect(address).expect_err("the server is stopped");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

async fn client(server: &Postgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_database_keeps_what_was_committed() {
    let mut server = Postgres::start();
    let first = client(&server).await;
    first.batch_execute("CREATE TABLE numbers (number BIGINT)").await.unwrap();
    for (number, end) in [(1_i64, Postgres::kill as fn(&mut Postgres)), (2, Postgres::stop), (3, Postgres::kill)] {
        client(&server).await.execute("INSERT INTO numbers VALUES ($1)", &[&number]).await.unwrap();
        end(&mut server);
        assert!(first.query("SELECT 1", &[]).await.is_err(), "all connections are closed");
        server.start_again();
        let rows = client(&server).await.query("SELECT number FROM numbers ORDER BY number", &[]).await.unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(numbers, (1..=number).collect::<Vec<_>>());
    }
}

async fn channel(broker: &Rabbitmq) -> (Connection, Channel) {
    let connection = Connection::connect(&broker.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("numbers".into(), options, arguments).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

#[tokio::test]
async fn a_broker_keeps_what_was_confirmed() {
    let mut broker = Rabbitmq::start();
    // RabbitMQ writes the declaration of a queue to the disk half a second later, or when it stops.
    for (number, end) in [(1_u8, Rabbitmq::stop as fn(&mut Rabbitmq)), (2, Rabbitmq::kill), (3, Rabbitmq::kill)] {
        let (_connection, channel) = channel(&broker).await;
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let publish = channel.basic_publish("".into(), "numbers".into(), options, &[number], properties).await;
        assert!(publish.unwrap().await.unwrap().is_ack(), "message {number}");
        end(&mut broker);
        broker.start_again();
    }
    let (_connection, channel) = channel(&broker).await;
    let mut found = Vec::new();
    while let Some(message) = channel.basic_get("numbers".into(), BasicGetOptions::default()).await.unwrap() {
        found.extend(message.delivery.data);
    }
    assert_eq!(found, [1, 2, 3]);
}
