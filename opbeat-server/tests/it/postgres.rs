//! The tests of this program once more, against PostgreSQL: both engines of the store behave in the same way.

use std::process::Command;

/// Tests of what happens before the store: a second run of them would take minutes and show nothing.
const WITHOUT_STORE: [&str; 6] = ["config::", "connections::", "https::", "limits::", "listen::", "mutants::"];

/// This program starts itself, so that `cargo test` alone tests both engines.
#[test_with::executable(pg_ctlcluster || initdb)]
#[test]
fn all_tests_pass_with_postgresql() {
    let tests = std::env::current_exe().unwrap();
    let output = Command::new(tests)
        .args(["--skip", "all_tests_pass_with_postgresql"])
        .args(WITHOUT_STORE.iter().flat_map(|module| ["--skip", module]))
        .env("OPBEAT_TEST_STORE", test_backends::postgres::url().trim_end_matches("postgres"))
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    // With a filter that matches nothing, the program would end well too.
    let line = report.lines().find(|line| line.starts_with("test result: ok.")).expect("there is a result");
    let passed: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert!(passed > 200, "{line}");
}
