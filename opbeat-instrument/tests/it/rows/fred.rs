//! fred, with the setting that makes it create spans.

use fred::interfaces::{ClientLike, KeysInterface, ListInterface};
use fred::types::Builder;
use fred::types::config::{Config, TracingConfig};
use insta::assert_snapshot;

use super::{secret, spans_of};
use test_backends::redis;

#[tokio::test]
async fn fred() {
    let mut config = Config::from_url(&redis::url()).expect("a valid URL");
    config.tracing = TracingConfig::new(true);
    let client = Builder::from_config(config).build().expect("a valid configuration");
    client.init().await.expect("the server runs");
    let spans = spans_of(async {
        let key = format!("fred:{}", secret());
        client.set::<(), _, _>(&key, secret(), None, None, false).await.expect("a reply");
        let value: String = client.get(&key).await.expect("a reply");
        assert_eq!(value, secret());
        client.lpush::<(), _, _>(&key, secret()).await.expect_err("the value is not a list");

        let pipeline = client.pipeline();
        pipeline.incr::<(), _>("fred:counter").await.expect("a place in the pipeline");
        pipeline.del::<(), _>(&key).await.expect("a place in the pipeline");
        let replies: Vec<i64> = pipeline.all().await.expect("replies");
        assert_eq!(replies.len(), 2);
    });
    assert_snapshot!(spans.await, @r"
    db.redis.query SET
    db.redis.query GET
    db.redis.query LPUSH
    db.redis.query INCR
    db.redis.query DEL
    ");
    client.quit().await.expect("a connection");
}
