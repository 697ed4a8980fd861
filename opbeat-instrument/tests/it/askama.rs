use std::fmt;

use askama::Template;
use insta::assert_snapshot;
use opbeat_core::{Agent, Config};
use opbeat_instrument::askama::{render, render_into};
use opbeat_testing::MemoryExporter;

use crate::tree;

#[derive(Template)]
#[template(source = "<h1>{{ title }}</h1>{% for shelf in shelves %}{{ shelf }};{% endfor %}", ext = "html")]
struct BookPage<'a, T: fmt::Display> {
    title: &'a str,
    shelves: Vec<T>,
}

/// A value whose display runs application code.
struct Shelf;

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _query = opbeat_core::span("SELECT FROM shelves", "db.sqlite.query");
        f.write_str("A3")
    }
}

struct Torn;

impl fmt::Display for Torn {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn templates_are_spans_of_their_types() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let transaction = agent.begin_transaction("web.example");
    transaction.run(|| {
        let page = render(&BookPage { title: "<Emma>", shelves: vec![Shelf] });
        assert_eq!(page.unwrap(), "<h1>&#60;Emma&#62;</h1>A3;");
        let mut buffer = String::new();
        render_into(&BookPage::<u32> { title: "Emma", shelves: Vec::new() }, &mut buffer).unwrap();
        assert_eq!(buffer, "<h1>Emma</h1>");
        assert!(render(&BookPage { title: "Emma", shelves: vec![Torn] }).is_err());
    });
    transaction.end("GET /books/{id}", "200");
    tree::flush(&agent);
    assert_snapshot!(tree::of(&exporter, "GET /books/{id}"), @r"
    template.askama BookPage
      db.sqlite.query SELECT FROM shelves
    template.askama BookPage
    template.askama BookPage · error=Fmt
    ");
}

#[test]
fn templates_outside_of_a_transaction_are_only_rendered() {
    assert_eq!(render(&BookPage { title: "Emma", shelves: vec![3] }).unwrap(), "<h1>Emma</h1>3;");
}
