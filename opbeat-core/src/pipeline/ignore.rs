//! Which requests are not recorded.

use wildmatch::WildMatchPattern;

use crate::record::{ErrorRecord, Origin, RequestRecord, TransactionRecord};

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
        !self.user_agents.is_empty() && self.asker(record.request.as_ref())
    }

    /// Returns whether an error says no more than that a transaction failed which is not recorded: a health check that
    /// answers 503 says it to whoever asks.
    pub(super) fn error(&self, record: &ErrorRecord) -> bool {
        let named = || record.transaction.as_ref().is_some_and(|transaction| self.name(&transaction.name));
        record.origin == Origin::Status && (named() || self.asker(record.request.as_ref()))
    }

    fn asker(&self, request: Option<&RequestRecord>) -> bool {
        let agent = request.and_then(|request| request.header("user-agent"));
        agent.is_some_and(|agent| self.user_agents.iter().any(|pattern| pattern.matches(agent)))
    }
}
