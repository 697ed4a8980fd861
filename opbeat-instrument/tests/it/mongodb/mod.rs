//! MongoDB's commands, with the real driver.

mod peer;

use insta::assert_snapshot;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};

use crate::job;

async fn books(reply: fn(&str, &Document) -> Option<Document>) -> Collection<Document> {
    let mut options = ClientOptions::parse(peer::start(reply)).await.expect("the URL is valid");
    options.command_event_handler = Some(opbeat_instrument::mongodb::command_events());
    let client = Client::with_options(options).expect("the options are valid");
    client.database("shop").collection("books")
}

/// Replies as MongoDB does to commands on a collection with two books, in batches of one.
fn library(name: &str, command: &Document) -> Option<Document> {
    Some(match name {
        "find" => {
            doc! { "ok": 1.0, "cursor": { "id": 7_i64, "ns": "shop.books", "firstBatch": [{ "title": "secret" }] } }
        }
        "getMore" => {
            doc! { "ok": 1.0, "cursor": { "id": 0_i64, "ns": "shop.books", "nextBatch": [{ "title": "Dune" }] } }
        }
        "insert" if command.contains_key("comment") => {
            doc! { "ok": 1.0, "n": 0, "writeErrors": [{ "index": 0, "code": 11000, "errmsg": "secret" }] }
        }
        "insert" => doc! { "ok": 1.0, "n": 1 },
        "aggregate" => doc! { "ok": 0.0, "code": 26, "codeName": "NamespaceNotFound", "errmsg": "secret" },
        "delete" => return None,
        _ => doc! { "ok": 1.0 },
    })
}

#[tokio::test]
async fn each_command_is_a_span_without_documents() {
    let books = books(library).await;
    books.insert_one(doc! { "title": "secret" }).await.expect("it works outside of transactions");
    let spans = job::drive(async {
        books.insert_one(doc! { "title": "secret" }).await.unwrap();
        let mut found = books.find(doc! { "title": "secret" }).await.unwrap();
        let mut count = 0;
        while found.advance().await.unwrap() {
            count += 1;
        }
        assert_eq!(count, 2);
        let page = opbeat_core::in_span("page", "app", async {
            books.client().database("shop").run_command(doc! { "ping": 1 }).await.unwrap();
        });
        page.await;
    })
    .await;
    assert_snapshot!(spans, @"
    db.mongodb.query insert books · db=shop
    db.mongodb.query find books · db=shop
    db.mongodb.query getMore books · db=shop
    app page
      db.mongodb.query ping · db=shop
    ");
}

#[tokio::test]
async fn errors_are_named() {
    let books = books(library).await;
    let spans = job::drive(async {
        books.insert_one(doc! { "title": "secret" }).comment("secret").await.expect_err("the title is unique");
        books.aggregate([doc! { "$match": { "title": "secret" } }]).await.expect_err("there is no such collection");
        books.delete_one(doc! { "title": "secret" }).await.expect_err("the peer closes the connection");
    })
    .await;
    assert_snapshot!(spans, @"
    db.mongodb.query insert books · db=shop, error=WriteError 11000
    db.mongodb.query aggregate books · db=shop, error=NamespaceNotFound
    db.mongodb.query delete books · db=shop, error=unexpected end of file
    ");
}

#[tokio::test]
async fn commands_at_the_same_time_end_their_own_spans() {
    let books = books(library).await;
    let spans = job::drive(async {
        let (inserted, failed) = tokio::join!(
            opbeat_core::in_span("left", "app", async { books.insert_one(doc! { "title": "secret" }).await }),
            opbeat_core::in_span("right", "app", async {
                books.insert_one(doc! { "title": "secret" }).comment("secret").await
            }),
        );
        inserted.unwrap();
        failed.unwrap_err();
    })
    .await;
    assert_snapshot!(spans, @"
    app left
      db.mongodb.query insert books · db=shop
    app right
      db.mongodb.query insert books · db=shop, error=WriteError 11000
    ");
}
