//! scylla, with a peer that speaks version 4 of the CQL protocol: Debian has no package of ScyllaDB or Cassandra.

mod peer;

use insta::assert_snapshot;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::batch::{Batch, BatchType};

use super::{secret, spans_of};

#[tokio::test]
async fn scylla() {
    let address = peer::start().await;
    let builder = SessionBuilder::new().known_node_addr(address).fetch_schema_metadata(false);
    let session = builder.build().await.expect("the peer answers");
    let spans = spans_of(async {
        let select = format!("SELECT title FROM shop.books WHERE title = '{}'", secret());
        let result = session.query_unpaged(select, ()).await.expect("a result");
        let rows = result.into_rows_result().expect("rows");
        assert_eq!(rows.rows_num(), 1);

        let insert = session.prepare("INSERT INTO shop.books (id, title) VALUES (?, ?)").await.expect("a statement");
        session.execute_unpaged(&insert, (1, secret())).await.expect("a result");

        let mut batch = Batch::new(BatchType::Logged);
        batch.append_statement(insert);
        session.batch(&batch, ((2, secret()),)).await.expect("a result");

        session.query_unpaged("SELECT title FROM shop.missing", ()).await.expect_err("no table");
    });
    assert_snapshot!(spans.await, @r"
    db.scylla.query SELECT FROM shop.books · sql=SELECT title FROM shop.books WHERE title = ?
    db.scylla.query prepared
    db.scylla.query batch
    db.scylla.query SELECT FROM shop.missing · sql=SELECT title FROM shop.missing
    ");
}
