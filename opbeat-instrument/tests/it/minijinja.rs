use std::collections::HashMap;

use insta::assert_snapshot;
use minijinja::{Environment, UndefinedBehavior};
use opbeat_core::{Agent, Config};
use opbeat_instrument::minijinja::{render, render_template};
use opbeat_testing::MemoryExporter;

use crate::tree;

/// A function of the templates that runs application code.
fn shelf() -> &'static str {
    let _query = opbeat_core::span("SELECT FROM shelves", "db.sqlite.query");
    "A3"
}

#[test]
fn templates_are_spans_of_their_names() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_function("shelf", shelf);
    environment.add_template("book.html", "<h1>{{ title }}</h1>{{ shelf() }}").unwrap();
    environment.add_template("author.html", "{{ author.name }}").unwrap();
    let values = HashMap::from([("title", "<Emma>"), ("card", "4111111111111111")]);

    let transaction = agent.begin_transaction("web.example");
    transaction.run(|| {
        assert_eq!(render(&environment, "book.html", &values).unwrap(), "<h1>&lt;Emma&gt;</h1>A3");
        let template = environment.get_template("book.html").unwrap();
        assert_eq!(render_template(&template, &values).unwrap(), "<h1>&lt;Emma&gt;</h1>A3");
        assert!(render(&environment, "author.html", &values).is_err());
        assert!(render(&environment, "shelf.html", &values).is_err());
    });
    transaction.end("GET /books/{id}", "200");
    tree::flush(&agent);
    assert_snapshot!(tree::of(&exporter, "GET /books/{id}"), @r"
    template.minijinja book.html
      db.sqlite.query SELECT FROM shelves
    template.minijinja book.html
      db.sqlite.query SELECT FROM shelves
    template.minijinja author.html · error=UndefinedError
    template.minijinja shelf.html · error=TemplateNotFound
    ");
}
