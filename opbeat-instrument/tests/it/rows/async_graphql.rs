//! async-graphql, whose operations name the transaction.

use async_graphql::extensions::Tracing;
use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject, Variables, value};
use insta::assert_snapshot;

use super::{record, secret};
use crate::tree;

struct Query;

#[derive(SimpleObject)]
struct Book {
    title: String,
}

#[Object]
impl Query {
    async fn books(&self, author: String) -> Vec<Book> {
        opbeat_core::in_span("SELECT FROM books", "db.sqlite.query", async {
            vec![Book { title: format!("by {author}") }]
        })
        .await
    }
}

/// Executes a request, and returns the name and the spans of its transaction.
async fn execute(request: impl Into<Request>) -> (String, String) {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(Tracing).finish();
    let (exporter, _response) = record("POST /graphql", schema.execute(request)).await;
    let name = exporter.samples()[0].name.to_string();
    let spans = tree::of(&exporter, &name);
    (name, spans)
}

#[tokio::test]
async fn an_operation_names_the_transaction() {
    let text = "fragment Parts on Book { title } query Shelf($author: String!) { books(author: $author) { ...Parts } }";
    let variables = Variables::from_value(value!({"author": (secret())}));
    let (name, spans) = execute(Request::new(text).variables(variables)).await;
    assert_eq!(name, "query Shelf");
    assert_snapshot!(spans, @"db.sqlite.query SELECT FROM books");
}

#[tokio::test]
async fn an_operation_without_a_name() {
    let (name, spans) = execute(format!("{{ books(author: \"{}\") {{ title }} }}", secret())).await;
    assert_eq!(name, "POST /graphql");
    assert_snapshot!(spans, @"db.sqlite.query SELECT FROM books");
}

#[tokio::test]
async fn an_invalid_document_does_not_name_the_transaction() {
    let (name, _) = execute("query Secret { books(").await;
    assert_eq!(name, "POST /graphql");
}
