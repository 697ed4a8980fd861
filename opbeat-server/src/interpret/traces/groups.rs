//! Groups of spans, which both forms of traces consist of.

use std::fmt::Write as _;

use opbeat_protocol::{Frame, TraceGroup};
use sha2::{Digest, Sha256};

use crate::changes::{Changes, NewSpanStack, to_json};
use crate::interpret::Origin;
use crate::interpret::{frames, scrub};

/// The kind of the time that no span covers.
pub(super) const APP: &str = "app";

/// The signature and the kind of the span that stands for the whole transaction.
pub(super) const ROOT: &str = "transaction";

/// The largest stack that is stored, in bytes of JSON. Agents limit the lines of a stack, but not its frames.
const MAX_STACK: usize = 256 << 10;

/// A group, without secrets and with its stack apart from its extra values.
#[derive(Default)]
pub(super) struct Group {
    /// The group as the agent sent it, without its stack.
    pub(super) sent: TraceGroup,
    /// The stack that its spans were started from, the oldest call first.
    pub(super) frames: Vec<Frame>,
    /// The sites under which the stack is stored.
    pub(super) sites: Vec<String>,
    /// The size of its extra values and its stack, in bytes of JSON.
    pub(super) facts_size: usize,
}

impl Group {
    /// Returns the size of its names, in bytes.
    pub(super) fn names_size(&self) -> usize {
        let sites: usize = self.sites.iter().map(String::len).sum();
        self.sent.signature.len() + self.sent.kind.len() + sites
    }

    /// Returns whether it is the group of the span that stands for the whole transaction.
    pub(super) fn is_root(&self) -> bool {
        self.sent.kind == ROOT
    }
}

/// Prepares the groups of a body: removes secrets, and adds their stacks to the changes.
pub(super) fn prepare(origin: &Origin, sent: Vec<TraceGroup>, changes: &mut Changes) -> Vec<Group> {
    sent.into_iter().map(|group| prepare_one(origin, group, changes)).collect()
}

fn prepare_one(origin: &Origin, mut sent: TraceGroup, changes: &mut Changes) -> Group {
    let mut stack = frames::take_span_stack(origin, &mut sent.extra);
    scrub::map(&mut sent.extra);
    scrub::frames(&mut stack);
    let sites = if sent.kind == ROOT { Vec::new() } else { sites(origin, &sent) };
    let mut facts_size = if sent.extra.is_empty() { 0 } else { to_json(&sent.extra).len() };
    if !stack.is_empty() {
        let frames = to_json(&stack);
        facts_size += frames.len();
        if frames.len() <= MAX_STACK {
            let app_id = || origin.app_id.clone();
            let stack = |site: &String| NewSpanStack { app_id: app_id(), site: site.clone(), frames: frames.clone() };
            changes.span_stacks.extend(sites.iter().map(stack));
        }
    }
    Group { sent, frames: stack, sites, facts_size }
}

/// Returns the sites of a group's stack.
///
/// Agents send each stack once per process. Node.js sends it for each transaction name, ancestors, signature and kind.
/// Python leaves out the name, so that the stack is found under another name too.
fn sites(origin: &Origin, group: &TraceGroup) -> Vec<String> {
    let own = site(Some(&group.transaction), group);
    if origin.is_python() { vec![own, site(None, group)] } else { vec![own] }
}

/// Returns a digest of the names, since the ancestors can be many.
fn site(transaction: Option<&str>, group: &TraceGroup) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    add(if transaction.is_some() { "named" } else { "any" });
    add(transaction.unwrap_or_default());
    add(&group.kind);
    add(&group.signature);
    group.parents.iter().for_each(|parent| add(parent));
    let mut hex = String::with_capacity(32);
    for byte in digest.finalize().iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
