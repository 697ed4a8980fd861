//! The rules of the house that no compiler knows. Each fails with its own sentence.

use xtask::{Source, imports, manifests, sources};

/// A folder's walls: what it may import of its own crate, or must not.
struct Wall {
    folder: &'static str,
    rule: Rule,
    sentence: &'static str,
}

enum Rule {
    Only(&'static [&'static str]),
    Never(&'static [&'static str]),
}

const WALLS: &[Wall] = &[
    Wall {
        folder: "opbeat-core/src/record",
        rule: Rule::Only(&["record"]),
        sentence: "`record` is plain data: it imports nothing of ours",
    },
    Wall {
        folder: "opbeat-protocol/src",
        rule: Rule::Only(&["lenient"]),
        sentence: "`opbeat-protocol` is the wire format: it imports nothing of ours",
    },
    Wall {
        folder: "opbeat-core/src/capture",
        rule: Rule::Only(&["capture", "caught", "record"]),
        sentence: "`capture` turns values into records: it imports `record` only, and keeps panics from going on",
    },
    Wall {
        folder: "opbeat-core/src/pipeline",
        rule: Rule::Only(&["pipeline", "caught", "lock", "record", "notice"]),
        sentence: "`pipeline` imports `record`, and tells by `notice`: exporters and live transactions come to it by traits",
    },
    Wall {
        folder: "opbeat-core/src/transaction",
        rule: Rule::Only(&["transaction", "pipeline", "capture", "lock", "record"]),
        sentence: "`transaction` lies between the application and the pipeline: it knows no exporter and no wire format",
    },
    Wall {
        folder: "opbeat-core/src/export",
        rule: Rule::Only(&["export", "pipeline", "record", "config", "notice", "diagnosis"]),
        sentence: "`export` alone turns records into the wire format, and knows nothing of live transactions",
    },
    Wall {
        folder: "opbeat-server/src/intake",
        rule: Rule::Never(&["store", "worker", "query", "dashboard", "api"]),
        sentence: "`intake` does not know the store: data is accepted while the database is away",
    },
    Wall {
        folder: "opbeat-server/src/queue",
        rule: Rule::Only(&["queue"]),
        sentence: "`queue` imports nothing of ours",
    },
    Wall {
        folder: "opbeat-server/src/worker",
        rule: Rule::Never(&["dashboard", "api", "query", "server"]),
        sentence: "`worker` writes; it does not know who reads",
    },
    Wall {
        folder: "opbeat-server/src/store",
        rule: Rule::Never(&["worker", "query", "dashboard", "api", "server"]),
        sentence: "`store` does not know who asks it",
    },
    Wall {
        folder: "opbeat-server/src/query",
        rule: Rule::Never(&["worker", "dashboard", "api", "server"]),
        sentence: "`query` answers; it does not know who shows the answer",
    },
    Wall {
        folder: "opbeat-server/src/dashboard",
        rule: Rule::Never(&["store", "worker", "api", "queue"]),
        sentence: "`dashboard` reads through `query`",
    },
    Wall {
        folder: "opbeat-server/src/api",
        rule: Rule::Never(&["store", "worker", "dashboard", "queue"]),
        sentence: "`api` reads through `query`",
    },
];

fn breaches(wall: &Wall, sources: &[Source]) -> Vec<String> {
    let is_breach = |module: &str| match wall.rule {
        Rule::Only(allowed) => !allowed.contains(&module),
        Rule::Never(forbidden) => forbidden.contains(&module),
    };
    let files = sources.iter().filter(|source| source.is_below(wall.folder));
    files
        .flat_map(|source| imports(source).into_iter().map(move |import| (source, import)))
        .filter(|(_, import)| is_breach(&import.module))
        .map(|(source, import)| {
            format!("{}:{}: imports `{}`: {}", source.path, import.line, import.module, wall.sentence)
        })
        .collect()
}

/// Fails with one line a breach.
fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// Finds lines of files that break a rule.
fn lines_where(sources: &[Source], sentence: &str, is_breach: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let breaches = source.text.lines().enumerate().filter(|(_, line)| is_breach(source, line));
        found.extend(breaches.map(|(index, _)| format!("{}:{}: {sentence}", source.path, index + 1)));
    }
    found
}

/// This file names what it forbids.
fn others() -> Vec<Source> {
    sources().into_iter().filter(|source| !source.is_below("xtask")).collect()
}

#[test]
fn walls_hold() {
    let sources = sources();
    let breaches: Vec<String> = WALLS.iter().flat_map(|wall| breaches(wall, &sources)).collect();
    assert_none(&breaches);
    for wall in WALLS {
        assert!(sources.iter().any(|source| source.is_below(wall.folder)), "{} is gone: mend its wall", wall.folder);
    }
}

#[test]
fn a_breach_is_found() {
    let text = "use std::fmt;\n\nuse crate::{queue, store::Store};\n// crate::api\nfn f() { crate::api::g() }\n";
    let source = Source { path: "opbeat-server/src/dashboard/x.rs".to_owned(), text: text.to_owned() };
    let wall = WALLS.iter().find(|wall| wall.folder.ends_with("dashboard")).expect("the dashboard has walls");
    let found = breaches(wall, &[source]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("opbeat-server/src/dashboard/x.rs:3: imports `queue`"), "{found:?}");
}

#[test]
fn only_the_store_names_the_database() {
    let sentence = "only `store` knows SQL";
    let found = lines_where(&others(), sentence, |source, line| {
        source.is_below("opbeat-server/src") && !source.is_below("opbeat-server/src/store") && line.contains("sqlx::")
    });
    assert_none(&found);
}

#[test]
fn adapters_use_the_cores_public_root() {
    let sentence = "adapters use `opbeat_core`'s public root and `http`: what they need is there for everybody";
    let adapters = ["opbeat-tower/src", "opbeat-axum/src", "opbeat-actix/src"];
    let found = lines_where(&others(), sentence, |source, line| {
        let names_inside = ["opbeat_protocol::", "opbeat_testing::"].iter().any(|path| line.contains(path));
        adapters.iter().any(|adapter| source.is_below(adapter)) && names_inside
    });
    assert_none(&found);
}

#[test]
fn dependencies_point_one_way() {
    const ALLOWED: [(&str, &[&str]); 8] = [
        ("opbeat-protocol", &[]),
        ("opbeat-secrets", &[]),
        ("opbeat-core", &["opbeat-protocol", "opbeat-secrets"]),
        ("opbeat-testing", &["opbeat-core"]),
        ("opbeat-tower", &["opbeat-core"]),
        ("opbeat-axum", &["opbeat-core", "opbeat-tower"]),
        ("opbeat-actix", &["opbeat-core"]),
        ("opbeat-server", &["opbeat-protocol", "opbeat-secrets", "opbeat-axum"]),
    ];
    let manifests = manifests();
    for (krate, allowed) in ALLOWED {
        let path = format!("{krate}/Cargo.toml");
        let manifest = manifests.iter().find(|manifest| manifest.path == path).expect("every crate has a manifest");
        let dependencies = manifest.text.split("[dev-dependencies]").next().unwrap_or_default();
        let ours = dependencies.lines().filter(|line| line.starts_with("opbeat-"));
        for line in ours {
            let name = line.split(['.', ' ', '=']).next().unwrap_or(line);
            assert!(allowed.contains(&name), "{path}: `{krate}` must not depend on `{name}`");
        }
    }
}

#[test]
fn manifests_inherit_from_the_workspace() {
    let members = manifests().into_iter().filter(|manifest| manifest.path != "Cargo.toml");
    for manifest in members.filter(|manifest| !manifest.path.starts_with("benchmarks/")) {
        for line in ["version.workspace = true", "license.workspace = true", "edition.workspace = true", "[lints]"] {
            assert!(manifest.text.contains(line), "{}: `{line}` is missing", manifest.path);
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = others()
        .iter()
        .filter(|source| source.path.contains("/src/") && !source.text.starts_with("//!"))
        .map(|source| format!("{}: a file begins with what it is, as `//! …`", source.path))
        .collect();
    assert_none(&silent);
}

#[test]
fn files_stay_small() {
    const MAX_LINES: usize = 400;
    let large: Vec<String> = others()
        .iter()
        .filter(|source| source.path.contains("/src/") && source.text.lines().count() > MAX_LINES)
        .map(|source| format!("{}: more than {MAX_LINES} lines hold more than one role", source.path))
        .collect();
    assert_none(&large);
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TODO", "FIXME", "todo!(", "unimplemented!(", "#[ignore"];
    let found =
        lines_where(&others(), "nothing is left for later", |_, line| words.iter().any(|word| line.contains(word)));
    assert_none(&found);
}

#[test]
fn tests_do_not_sleep() {
    // The moment of a crash is what one test is about.
    let exempt = ["opbeat-server/tests/it/crash.rs"];
    let found = lines_where(&others(), "tests wait for what happens, not for time to pass", |source, line| {
        source.is_test() && !exempt.contains(&source.path.as_str()) && line.contains("sleep(")
    });
    assert_none(&found);
}

#[test]
fn modules_have_names_that_say_something() {
    let names = ["manager", "helper", "helpers", "util", "utils", "common", "data", "info", "misc"];
    let found: Vec<String> = others()
        .iter()
        .filter(|source| source.path.split('/').any(|part| names.contains(&part.trim_end_matches(".rs"))))
        .map(|source| format!("{}: name it after what it does", source.path))
        .collect();
    assert_none(&found);
}

#[test]
fn the_readme_shows_the_program_that_is_tested() {
    let program = sources().into_iter().find(|source| source.path == "examples/hello/src/main.rs");
    let program = program.expect("the README's program is an example").text;
    let code = program.split_once("\n\n").map_or(program.as_str(), |(_, code)| code);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(code), "the README's program and examples/hello/src/main.rs differ");
}

#[test]
fn the_guide_shows_code_that_is_tested() {
    let examples: Vec<Source> = sources().into_iter().filter(|source| source.is_below("examples")).collect();
    let guide = include_str!("../../docs/guides/write-an-adapter.md");
    let blocks = guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let strangers: Vec<&str> =
        blocks.filter(|block| !examples.iter().any(|example| example.text.contains(block))).collect();
    assert!(strangers.is_empty(), "the guide shows what no example has:\n{}", strangers.join("\n"));
}
