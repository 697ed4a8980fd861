//! clickhouse, with a peer that speaks its protocol over HTTP.

use axum::http::StatusCode;
use clickhouse::Client;
use insta::assert_snapshot;

use super::{http_peer, secret, spans_of};

#[tokio::test]
async fn clickhouse() {
    let script: [(StatusCode, &[u8]); 3] = [
        // RowBinary: one UInt32.
        (StatusCode::OK, &[7, 0, 0, 0]),
        (StatusCode::OK, b""),
        (StatusCode::INTERNAL_SERVER_ERROR, b"Code: 60. DB::Exception: Unknown table missing. (UNKNOWN_TABLE)"),
    ];
    let url = format!("http://{}", http_peer::start(script).await);
    let client = Client::default().with_url(url).with_user("reader").with_password(secret()).with_validation(false);
    let spans = spans_of(async {
        let count = client.query("SELECT count() FROM books WHERE title = ?").bind(secret());
        assert_eq!(count.fetch_one::<u32>().await.expect("a row"), 7);

        let mut insert = client.insert_formatted_with("INSERT INTO books FORMAT CSV");
        insert.send(format!("1,{}\n", secret()).into()).await.expect("a request");
        insert.end().await.expect("a response");

        client.query("SELECT 1 FROM missing").execute().await.expect_err("a status of 500");
    });
    assert_snapshot!(spans.await, @r"
    db.clickhouse.query query ×2 · rows=1
    db.clickhouse.query INSERT
    ");
}
