//! The rules of the house that no compiler knows. Each fails with its own sentence.

use std::collections::BTreeMap;

use xtask::{
    Import, Source, crate_roots, file_circles, folder_circles, guides, imports, manifests, prose_breaches,
    public_names, sources,
};

/// The modules of its own crate that a folder may import, or must not.
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
        folder: "opbeat-core/src/capture",
        rule: Rule::Only(&["capture", "caught", "record"]),
        sentence: "`capture` turns values into records: it imports `record` only, and keeps panics from going on",
    },
    Wall {
        folder: "opbeat-core/src/pipeline",
        rule: Rule::Only(&["pipeline", "caught", "clock", "record", "notice", "lock"]),
        sentence: "`pipeline` imports `record`, and logs by `notice`: it knows exporters and live transactions as traits only",
    },
    Wall {
        folder: "opbeat-core/src/transaction",
        rule: Rule::Only(&[
            "transaction",
            "pipeline",
            "capture",
            "clock",
            "record",
            "lock",
            "caught",
            "reported_panic",
        ]),
        sentence: "`transaction` is between the application and the pipeline: it knows no exporter and no wire format",
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
        folder: "opbeat-server/src/decode",
        rule: Rule::Only(&["decode"]),
        sentence: "`decode` turns bytes into reports, and imports nothing else of ours",
    },
    Wall {
        folder: "opbeat-server/src/interpret",
        rule: Rule::Only(&["interpret", "decode", "changes", "result_class", "text"]),
        sentence: "`interpret` turns reports into changes, and knows neither the queue nor the store",
    },
    Wall {
        folder: "opbeat-server/src/otlp",
        rule: Rule::Never(&["store", "worker", "query", "dashboard", "api", "server"]),
        sentence: "`otlp` is a part of intake: it does not know the store",
    },
    Wall {
        folder: "opbeat-server/src/changes",
        rule: Rule::Only(&["changes", "sketch"]),
        sentence: "`changes` are plain data",
    },
    Wall {
        folder: "opbeat-server/src/queue",
        rule: Rule::Only(&["queue", "random", "text", "trust"]),
        sentence: "`queue` imports nothing of ours but three small helpers",
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

/// Returns the imports that break a wall.
fn breaches(wall: &Wall, imports: &[Import]) -> Vec<String> {
    let is_below = |path: &str| path.strip_prefix(wall.folder).is_some_and(|rest| rest.starts_with('/'));
    let is_breach = |module: &str| match wall.rule {
        Rule::Only(allowed) => !allowed.contains(&module),
        Rule::Never(forbidden) => forbidden.contains(&module),
    };
    let found = imports.iter().filter(|import| is_below(&import.from) && is_breach(&import.through));
    found
        .map(|Import { from, name, through, line, .. }| {
            format!("{from}:{line}: imports `{name}` of `{through}`: {}", wall.sentence)
        })
        .collect()
}

/// Returns the imports of all crates.
fn all_imports(sources: &[Source]) -> Vec<Import> {
    crate_roots(sources).into_iter().flat_map(|root| imports(sources, root)).collect()
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
    let imports = all_imports(&sources);
    let breaches: Vec<String> = WALLS.iter().flat_map(|wall| breaches(wall, &imports)).collect();
    assert_none(&breaches);
    for wall in WALLS {
        let exists = sources.iter().any(|source| source.is_below(wall.folder));
        assert!(exists, "{} does not exist: update its wall", wall.folder);
    }
}

#[test]
fn a_breach_is_found() {
    let page = "use std::fmt;\n\nuse crate::{queue::Queue, store::Store};\n// crate::api\nfn f() { crate::api::g() }\n";
    let files = [
        ("lib.rs", "mod api;\nmod dashboard;\nmod queue;\nmod store;\n"),
        ("api.rs", "pub fn g() {}\n"),
        ("dashboard/mod.rs", "mod page;\n"),
        ("dashboard/page.rs", page),
        ("queue/mod.rs", "pub struct Queue;\n"),
        ("store.rs", "pub struct Store;\n"),
    ];
    let source =
        |(path, text): (&str, &str)| Source { path: format!("opbeat-server/src/{path}"), text: text.to_owned() };
    let wall = WALLS.iter().find(|wall| wall.folder.ends_with("dashboard")).expect("the dashboard has walls");
    let found = breaches(wall, &all_imports(&files.map(source)));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("opbeat-server/src/dashboard/page.rs:5: imports `g` of `api`"));
}

/// Imports run one way: a file can be understood from the files that it imports.
#[test]
fn no_import_circles() {
    let sources = sources();
    let roots = crate_roots(&sources);
    let circles = roots.into_iter().flat_map(|root| file_circles(&imports(&sources, root), root));
    assert_none(&circles.map(|circle| circle.to_string()).collect::<Vec<_>>());
}

/// The files and sub-folders of a folder have an order, in which each imports only those before it.
#[test]
fn imports_run_one_way() {
    let circles = folder_circles(&all_imports(&sources()));
    assert_none(&circles.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn the_cores_public_root_is_small() {
    const MAX_NAMES: usize = 20;
    let names = public_names(&sources(), "opbeat-core/src/lib.rs");
    assert!(
        names.contains("Agent") && names.len() <= MAX_NAMES,
        "opbeat-core/src/lib.rs: {} public names, at most {MAX_NAMES} are allowed: {names:?}",
        names.len()
    );
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

/// The crates of ours that each crate may depend on.
const DEPENDENCIES: [(&str, &[&str]); 12] = [
    ("opbeat-protocol", &[]),
    ("opbeat-secrets", &[]),
    ("opbeat-core", &["opbeat-protocol", "opbeat-secrets"]),
    ("opbeat-testing", &["opbeat-core", "opbeat-protocol"]),
    ("opbeat-tower", &["opbeat-core"]),
    ("opbeat-axum", &["opbeat-core", "opbeat-tower"]),
    ("opbeat-instrument", &["opbeat-core"]),
    ("opbeat-actix", &["opbeat-core"]),
    ("opbeat-judgement", &[]),
    ("opbeat-repository", &[]),
    ("opbeat-server", &["opbeat-judgement", "opbeat-protocol", "opbeat-repository", "opbeat-secrets"]),
    ("test-backends", &[]),
];

/// The crates of ours that a crate may use in its tests besides: real agents and requests.
const TEST_DEPENDENCIES: [(&str, &[&str]); 2] = [
    ("opbeat-instrument", &["opbeat-tower", "test-backends"]),
    ("opbeat-server", &["opbeat-axum", "opbeat-core", "test-backends"]),
];

/// Returns whether a crate, or the path of its manifest, is one of ours. Examples and `xtask` have no rules.
fn is_ours(name: &str) -> bool {
    name.starts_with("opbeat-") || name.starts_with("test-backends")
}

/// Returns the crates of ours that a manifest depends on, each with whether only tests use it.
fn our_dependencies(manifest: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut section = "";
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            let named = section.rsplit_once("dependencies.").map(|(_, name)| name);
            found.extend(named.map(|name| (name, section.contains("dev-dependencies"))));
        } else if section.ends_with("dependencies") {
            let name = line.split(['.', ' ', '=']).next().unwrap_or(line);
            found.push((name, section.ends_with("dev-dependencies")));
        }
    }
    found.retain(|(name, _)| is_ours(name));
    found
}

#[test]
fn dependencies_point_one_way() {
    let manifests = manifests();
    let ours: BTreeMap<&str, &[&str]> = DEPENDENCIES.into();
    let for_tests: BTreeMap<&str, &[&str]> = TEST_DEPENDENCIES.into();
    let mut breaches = Vec::new();
    for manifest in manifests.iter().filter(|manifest| is_ours(&manifest.path)) {
        let krate = manifest.path.trim_end_matches("/Cargo.toml");
        let allowed = ours.get(krate).unwrap_or_else(|| panic!("{krate} is new: add it to `DEPENDENCIES`"));
        let is_allowed = |name: &str, is_dev: bool| {
            let in_tests = name == "opbeat-testing" || for_tests.get(krate).is_some_and(|names| names.contains(&name));
            allowed.contains(&name) || (is_dev && in_tests)
        };
        let found = our_dependencies(&manifest.text).into_iter().filter(|(name, is_dev)| !is_allowed(name, *is_dev));
        breaches.extend(found.map(|(name, _)| format!("{}: must not depend on `{name}`", manifest.path)));
    }
    assert_none(&breaches);
}

#[test]
fn dependencies_of_tests_are_distinguished() {
    let manifest = "[dependencies]\nserde = \"1\"\nopbeat-a.workspace = true\n[dependencies.opbeat-b]\n\
                    [dev-dependencies]\nopbeat-c = { path = \"c\" }\n[target.'cfg(unix)'.dev-dependencies.opbeat-d]\n\
                    [features]\nopbeat-e = []\n";
    let expected = [("opbeat-a", false), ("opbeat-b", false), ("opbeat-c", true), ("opbeat-d", true)];
    assert_eq!(our_dependencies(manifest), expected);
}

#[test]
fn manifests_inherit_from_the_workspace() {
    let is_member =
        |path: &str| path != "Cargo.toml" && !["benchmarks/", "fuzz/"].iter().any(|other| path.starts_with(other));
    for manifest in manifests().into_iter().filter(|manifest| is_member(&manifest.path)) {
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
    // Random moments of a crash, the length of an outage, and a rate over half an hour are what these tests are about. The
    // queries of the shop take time.
    let exempt =
        ["opbeat-server/tests/scaled/load.rs", "opbeat-server/tests/scaled/soak/", "opbeat-server/tests/walk/shop.rs"];
    let found = lines_where(&others(), "tests wait for what happens, not for time to pass", |source, line| {
        source.is_test() && !exempt.iter().any(|exempt| source.path.starts_with(exempt)) && line.contains("sleep(")
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
    let ends =
        |guide: &'static str| guide.split_once("Before the process ends\n").expect("the guide has this section").1;
    let guides = [
        include_str!("../../docs/guides/write-an-adapter.md"),
        ends(include_str!("../../docs/guides/axum.md")),
        ends(include_str!("../../docs/guides/actix.md")).split("\n## ").next().unwrap_or_default(),
        ends(include_str!("../../docs/guides/tower.md")).split("\n## ").next().unwrap_or_default(),
        ends(include_str!("../../docs/guides/jobs.md")).split("\n## ").next().unwrap_or_default(),
    ];
    let blocks =
        guides.iter().flat_map(|guide| guide.split("```rust").skip(1).filter_map(|rest| rest.split("```").next()));
    let blocks = blocks.filter_map(|block| block.split_once('\n').map(|(_, code)| code));
    let strangers: Vec<&str> =
        blocks.filter(|block| !examples.iter().any(|example| example.text.contains(block))).collect();
    assert!(strangers.is_empty(), "the guide shows what no example has:\n{}", strangers.join("\n"));
}

#[test]
fn prose_is_plain() {
    let files: Vec<Source> = sources().into_iter().chain(guides()).collect();
    let breaches: Vec<String> = prose_breaches(&files).iter().map(ToString::to_string).collect();
    assert_none(&breaches);
}
