//! Every request of the bookshop is counted exactly once.

use std::process::Command;

#[test]
fn the_bookshop_is_counted_exactly() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).arg("--check").output().expect("the program runs");
    let (summary, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{summary}\n{log}");
    assert!(!log.contains(" ERROR "), "{log}");
    assert!(summary.contains("\"differences\": []"), "{summary}");
}
