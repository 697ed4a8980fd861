//! The result for one application.

use std::fmt;

use opbeat_testing::ScriptedServer;

use crate::Failed;
use crate::application::Application;
use crate::compare;
use crate::counts::Counts;
use crate::driver::drive;
use crate::folders::{Copy, Folders};

/// The differences between both copies of an application, and between the received and the expected counts.
pub struct Verdict<'a> {
    application: &'a Application,
    counted: Counts,
    answers: Vec<String>,
    counts: Vec<String>,
}

/// Runs the unchanged application twice, and the monitored one once.
pub fn compare<'a>(application: &'a Application, folders: &Folders) -> Result<Verdict<'a>, Failed> {
    let unchanged = || drive(application, Copy::Unchanged, folders, "", |_| {});
    let (first, second) = (unchanged()?, unchanged()?);
    let server = ScriptedServer::start([]);
    let mut counted = Counts::default();
    let monitored = drive(application, Copy::Monitored, folders, &server.url(), |answers| {
        counted = Counts::received(&server, answers.len());
    })?;
    let mut answers = Vec::new();
    for (index, request) in application.requests.iter().enumerate() {
        let difference = compare::difference([&first[index], &second[index]], &monitored[index]);
        answers.extend(difference.map(|text| format!("{} {}: {text}", request.method, request.target)));
    }
    let counts = counted.differences(&Counts::expected(application, &monitored));
    Ok(Verdict { application, counted, answers, counts })
}

impl Verdict<'_> {
    /// Returns whether all responses are equal and all counts are exact.
    pub fn passes(&self) -> bool {
        self.answers.is_empty() && self.counts.is_empty()
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = if self.answers.is_empty() { "answers equal" } else { "answers DIFFER" };
        let (requests, total, names) = (self.application.requests.len(), self.counted.total(), self.counted.by_name());
        write!(formatter, "{}  {requests} requests  {answers}  {total} counted: {names}", self.application)?;
        self.answers.iter().chain(&self.counts).try_for_each(|line| write!(formatter, "\n    {line}"))
    }
}
