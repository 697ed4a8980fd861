use std::collections::HashMap;

use insta::assert_snapshot;
use opbeat_core::{Agent, Config};
use opbeat_instrument::tera::{render, render_to};
use opbeat_testing::MemoryExporter;
use tera::{Context, Tera, Value};

use crate::tree;

/// A function of the templates that runs application code.
fn shelf(_: &HashMap<String, Value>) -> tera::Result<Value> {
    let _query = opbeat_core::span("SELECT FROM shelves", "db.sqlite.query");
    Ok("A3".into())
}

#[test]
fn templates_are_spans_of_their_names() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let mut tera = Tera::default();
    tera.register_function("shelf", shelf);
    tera.add_raw_template("book.html", "<h1>{{ title }}</h1>{{ shelf() }}").unwrap();
    tera.add_raw_template("author.html", "{{ author.name }}").unwrap();
    let mut values = Context::new();
    values.insert("title", "<Emma>");

    let transaction = agent.begin_transaction("web.example");
    transaction.run(|| {
        assert_eq!(render(&tera, "book.html", &values).unwrap(), "<h1>&lt;Emma&gt;</h1>A3");
        let mut page = Vec::new();
        render_to(&tera, "book.html", &values, &mut page).unwrap();
        assert_eq!(page, b"<h1>&lt;Emma&gt;</h1>A3");
        assert!(render(&tera, "author.html", &values).is_err());
        assert!(render(&tera, "shelf.html", &values).is_err());
    });
    transaction.end("GET /books/{id}", "200");
    tree::flush(&agent);
    assert_snapshot!(tree::of(&exporter, "GET /books/{id}"), @r"
    template.tera book.html
      db.sqlite.query SELECT FROM shelves
    template.tera book.html
      db.sqlite.query SELECT FROM shelves
    template.tera author.html · error=Render
    template.tera shelf.html · error=TemplateNotFound
    ");
}
