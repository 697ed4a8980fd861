//! The settings of a pipeline, and the patterns of requests that it ignores.

use std::time::Duration;

use opbeat_secrets::Secrets;
use wildmatch::WildMatchPattern;

use super::before_send::BeforeSend;
use crate::record::{ErrorRecord, Level, Origin, RequestRecord, TransactionRecord};

/// The settings of a pipeline, which do not change while it runs.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The time between two batches.
    pub(crate) flush_interval: Duration,
    /// The number of nanoseconds that a poll may take before it is reported.
    pub(crate) blocking_threshold: u64,
    /// The number of equal queries of a transaction that are flagged; 0 for never.
    pub(crate) n_plus_one: u32,
    pub(crate) ignore: Ignore,
    pub(crate) samples: SampleLimits,
    pub(crate) secrets: Secrets,
    pub(crate) before_send: BeforeSend,
    /// The names of the response headers that are recorded, in lower case.
    pub(crate) response_headers: Vec<String>,
    /// The lowest level of the log lines that error reports show.
    #[cfg_attr(not(any(feature = "log", feature = "tracing")), expect(dead_code, reason = "only `events` uses it"))]
    pub(crate) log_lines: Option<Level>,
}

#[cfg(test)]
impl Settings {
    /// Returns settings that ignore some names.
    pub(super) fn ignoring(names: &[String]) -> Self {
        Self {
            flush_interval: Duration::from_secs(5),
            blocking_threshold: u64::MAX,
            n_plus_one: 0,
            ignore: Ignore::new(names, &[]),
            samples: SampleLimits::default(),
            secrets: Secrets::new::<&str>([]),
            before_send: BeforeSend::default(),
            response_headers: Vec::new(),
            log_lines: None,
        }
    }
}

/// The number of random samples that are kept of each name in an interval, by patterns of names.
#[derive(Debug, Default)]
pub(crate) struct SampleLimits(Vec<(Pattern, usize)>);

impl SampleLimits {
    /// The number of random samples of a name without a pattern.
    pub(super) const DEFAULT: usize = 1;

    pub(crate) fn new(limits: &[(String, usize)]) -> Self {
        Self(limits.iter().map(|(pattern, limit)| (Pattern::new_case_insensitive(pattern), *limit)).collect())
    }

    /// Returns the limit of a name: that of the last pattern that matches. Callers keep it, so that each name is
    /// matched once.
    pub(super) fn of(&self, name: &str) -> usize {
        let found = self.0.iter().rev().find(|(pattern, _)| pattern.matches(name));
        found.map_or(Self::DEFAULT, |(_, limit)| *limit)
    }
}

/// Patterns of transaction names and user agents that are not recorded: `*` stands for any characters, `?` for one.
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

    /// Returns whether transactions of this name are ignored. Callers keep the result, so that each name is matched
    /// once.
    pub(super) fn matches_name(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| pattern.matches(name))
    }

    /// Returns whether a transaction is ignored because of its request's user agent.
    pub(super) fn matches_user_agent(&self, record: &TransactionRecord) -> bool {
        !self.user_agents.is_empty() && self.matches_request(record.request.as_ref())
    }

    /// Returns whether an error only states that an ignored transaction failed.
    ///
    /// A health check that responds with 503 reports that to its caller already. Other errors of ignored transactions
    /// are reported.
    pub(super) fn matches_error(&self, record: &ErrorRecord) -> bool {
        let has_ignored_name =
            || record.transaction.as_ref().is_some_and(|transaction| self.matches_name(&transaction.name));
        record.origin == Origin::Status && (has_ignored_name() || self.matches_request(record.request.as_ref()))
    }

    fn matches_request(&self, request: Option<&RequestRecord>) -> bool {
        let agent = request.and_then(|request| request.header("user-agent"));
        agent.is_some_and(|agent| self.user_agents.iter().any(|pattern| pattern.matches(agent)))
    }
}
