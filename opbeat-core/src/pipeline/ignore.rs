//! Which requests are not recorded.

use wildmatch::WildMatchPattern;

use crate::record::TransactionRecord;

/// Patterns of names and user agents: `*` stands for any characters, `?` for one.
#[derive(Debug, Default)]
pub(crate) struct Ignore {
    names: Vec<Pattern>,
    user_agents: Vec<Pattern>,
}

type Pattern = WildMatchPattern<'*', '?'>;

impl Ignore {
    pub(crate) fn new(names: &[String], user_agents: &[String]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new_case_insensitive(text)).collect();
        Self { names: patterns(names), user_agents: patterns(user_agents) }
    }

    /// Returns whether transactions of a name are not recorded. Asked once a name.
    pub(super) fn name(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| pattern.matches(name))
    }

    /// Returns whether a transaction is not recorded because of who asked for it.
    pub(super) fn user_agent(&self, record: &TransactionRecord) -> bool {
        if self.user_agents.is_empty() {
            return false;
        }
        let agent = record.request.as_ref().and_then(|request| request.header("user-agent"));
        agent.is_some_and(|agent| self.user_agents.iter().any(|pattern| pattern.matches(agent)))
    }
}
