//! Redis commands, with connections of both kinds.

use insta::assert_snapshot;
use opbeat_instrument::redis::Timed;
use redis::{Client, RedisResult, cmd, pipe};

use crate::job;

fn client() -> Client {
    Client::open(test_backends::redis::url()).expect("the URL is valid")
}

#[test]
fn each_command_is_a_span_without_keys_and_values() {
    use redis::Commands;

    let mut connection = Timed::new(client().get_connection().unwrap());
    let () = connection.set("sync:secret", "secret").expect("commands work outside of transactions");
    let spans = job::run(|| {
        let value: String = connection.get("sync:secret").unwrap();
        assert_eq!(value, "secret");
        let () = connection.set("sync:secret", "secret").unwrap();
        let (count,): (i64,) =
            pipe().set("sync:count", 1).ignore().incr("sync:count", 1).query(&mut connection).unwrap();
        assert_eq!(count, 2);
        {
            let _page = opbeat_core::span("page", "app");
            let mut transaction = pipe();
            transaction.atomic().set("sync:count", 1).ignore().incr("sync:count", 1);
            let (count,): (i64,) = transaction.query(&mut connection).unwrap();
            assert_eq!(count, 2);
        }
        cmd("PING").exec(connection.inner_mut()).expect("commands of the connection itself are not recorded");
        let encoded = cmd("echo").arg("secret").get_packed_command();
        redis::ConnectionLike::req_packed_command(&mut connection, &encoded).unwrap();
        let error: RedisResult<i64> = connection.incr("sync:secret", 1);
        error.expect_err("the value is no number");
        let error: RedisResult<i64> = connection.llen("sync:secret");
        error.expect_err("the value is no list");
        let error: RedisResult<i64> = cmd("secret command").query(&mut connection);
        error.expect_err("there is no such command");
        assert!(redis::ConnectionLike::check_connection(&mut connection));
    });
    assert_snapshot!(spans, @"
    db.redis.query GET · db=0
    db.redis.query SET · db=0
    db.redis.query PIPELINE · db=0, commands=2
    app page
      db.redis.query PIPELINE · db=0, commands=2
    db.redis.query ECHO · db=0
    db.redis.query INCRBY · db=0, error=ERR
    db.redis.query LLEN · db=0, error=WRONGTYPE
    db.redis.query COMMAND · db=0, error=ERR
    ");
}

#[tokio::test]
async fn each_asynchronous_command_is_a_span_without_keys_and_values() {
    use redis::AsyncCommands;

    let connection = client().get_multiplexed_async_connection().await.unwrap();
    let mut connection = Timed::new(connection);
    let () = connection.set("async:secret", "secret").await.expect("commands work outside of transactions");
    let spans = job::drive(async {
        let value: String = connection.get("async:secret").await.unwrap();
        assert_eq!(value, "secret");
        let mut pipeline = pipe();
        pipeline.set("async:count", 1).ignore().incr("async:count", 1);
        let mut other = connection.clone();
        let page = opbeat_core::in_span("page", "app", async {
            let (_, (count,)): ((), (i64,)) =
                tokio::join!(async { connection.set("async:secret", "secret").await.unwrap() }, async {
                    pipeline.query_async(&mut other).await.unwrap()
                },);
            assert_eq!(count, 2);
        });
        page.await;
        let (count,): (i64,) = pipeline.atomic().query_async(&mut connection).await.unwrap();
        assert_eq!(count, 2);
        let error: RedisResult<i64> = connection.incr("async:secret", 1).await;
        error.expect_err("the value is no number");
        let error: RedisResult<(i64, i64)> =
            pipe().del("async:count").llen("async:secret").query_async(&mut connection).await;
        error.expect_err("the value is no list");
    })
    .await;
    assert_snapshot!(spans, @"
    db.redis.query GET · db=0
    app page
      db.redis.query SET · db=0
      db.redis.query PIPELINE · db=0, commands=2
    db.redis.query PIPELINE · db=0, commands=2
    db.redis.query INCRBY · db=0, error=ERR
    db.redis.query PIPELINE · db=0, commands=2, error=WRONGTYPE
    ");
}
