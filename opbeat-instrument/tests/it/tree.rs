//! The spans of a sampled transaction as text, for snapshots.

use std::fmt::Write;
use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::record::{SpanRecord, TransactionRecord};
use opbeat_testing::MemoryExporter;

/// Returns the spans of the first sample of this name, one on each line, indented by their parents: the kind, the
/// signature, the number of combined spans, and the extra values. Times are not part of it.
pub(crate) fn of(exporter: &MemoryExporter, name: &str) -> String {
    let samples = exporter.samples();
    let sample = samples.iter().find(|sample| sample.name.to_string() == name);
    sample.map_or_else(|| format!("no sample of {name}"), of_sample)
}

/// Returns the spans of a sample.
pub(crate) fn of_sample(sample: &TransactionRecord) -> String {
    let mut out = String::new();
    add_children(&mut out, &sample.spans, None, 0);
    if sample.dropped_spans > 0 {
        let _ = writeln!(out, "dropped: {}", sample.dropped_spans);
    }
    out
}

/// Sorts the lines of a tree, without their indentation, for spans whose starts come from two clocks: their order in time
/// is not certain.
pub(crate) fn sorted(tree: &str) -> String {
    let mut lines: Vec<&str> = tree.lines().map(str::trim_start).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Delivers all records of the agent to its exporter.
pub(crate) fn flush(agent: &Agent) {
    agent.flush(Duration::from_secs(60)).expect("the records are delivered");
}

fn add_children(out: &mut String, spans: &[SpanRecord], parent: Option<usize>, depth: usize) {
    for (index, span) in spans.iter().enumerate().filter(|(_, span)| span.parent == parent) {
        let _ = write!(out, "{:indent$}{} {}", "", span.kind, span.signature, indent = 2 * depth);
        if span.count > 1 {
            let _ = write!(out, " ×{}", span.count);
        }
        if span.duration.is_none() {
            out.push_str(" (unfinished)");
        }
        let extras = span.extra.iter().filter(|(key, _)| !key.starts_with('_'));
        for (index, (key, value)) in extras.enumerate() {
            let _ = write!(out, "{} {key}={value}", if index == 0 { " ·" } else { "," });
        }
        out.push('\n');
        add_children(out, spans, Some(index), depth + 1);
    }
}
