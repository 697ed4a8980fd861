//! The kept inputs of all fuzz targets, without libFuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A target with its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 17] = [
    ("changes_decode", changes_decode),
    ("intake_errors", intake_errors),
    ("intake_releases_deployments", intake_releases_deployments),
    ("intake_transactions", intake_transactions),
    ("normalise", normalise),
    ("otlp_frame", otlp_frame),
    ("otlp_logs_json", otlp_logs_json),
    ("otlp_logs_protobuf", otlp_logs_protobuf),
    ("otlp_metrics", otlp_metrics),
    ("otlp_traces_json", otlp_traces_json),
    ("otlp_traces_protobuf", otlp_traces_protobuf),
    ("queue_segment", queue_segment),
    ("sample_document", sample_document),
    ("scrub", scrub),
    ("sketch_decode", sketch_decode),
    ("sql_statement", sql_statement),
    ("stack_trace", stack_trace),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn kept_inputs_hold_all_checks() {
    for (name, target) in TARGETS {
        let inputs = files(&folder("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has inputs");
        for input in inputs {
            // The name of the input is what a failure needs.
            println!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
    }
}

#[test]
fn each_function_has_a_target_and_inputs() {
    let names: BTreeSet<String> = TARGETS.into_iter().map(|(name, _)| name.to_owned()).collect();
    for name in ["fuzz_targets", "corpus"] {
        let found = files(&folder(name)).into_iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(found.collect::<BTreeSet<_>>(), names, "{name}");
    }
}
