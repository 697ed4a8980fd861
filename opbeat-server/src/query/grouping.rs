//! Why the occurrences of an error belong together.

use serde::Serialize;
use utoipa::ToSchema;

use crate::changes::{Grouping, GroupingRule};

/// Why the occurrences of a group belong together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GroupingView {
    /// The version of the grouping. A new version makes new groups.
    pub(crate) version: u8,
    /// The rule that chose the parts; `null` if an earlier version of the server made the group.
    pub(crate) rule: Option<GroupingRule>,
    /// The rule in one sentence.
    pub(crate) explanation: &'static str,
    /// The parts that all occurrences have in common, without what varies between them.
    pub(crate) parts: Vec<String>,
}

/// Returns the explanation of a grouping, which earlier versions of the server did not store.
pub(super) fn grouping(version: u8, grouping: Option<Grouping>) -> GroupingView {
    let explanation = match grouping.as_ref().map(|grouping| grouping.rule) {
        None => "Grouped by the rules of an earlier version.",
        Some(GroupingRule::Text) => "Grouped by the message, without the values in it.",
        Some(GroupingRule::Template) => "Grouped by the message's template.",
        Some(GroupingRule::Query) => "Grouped by the query, without the values in it.",
        Some(GroupingRule::OwnFrames) => "Grouped by type and the application's functions on the stack.",
        Some(GroupingRule::AllFrames) => {
            "Grouped by type and all functions on the stack, and by the text if they are few: none is the application's own."
        }
        Some(GroupingRule::Handler) => {
            "Grouped by type and transaction: the stack ends in the application's conversion of its errors."
        }
        Some(GroupingRule::Culprit) => "Grouped by type and culprit: there is no stack.",
        Some(GroupingRule::Others) => {
            "Not grouped: the app has 10,000 different errors already, and further ones are counted together."
        }
    };
    let (rule, parts) = grouping.map_or((None, Vec::new()), |grouping| (Some(grouping.rule), grouping.parts));
    GroupingView { version, rule, explanation, parts }
}
