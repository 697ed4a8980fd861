//! Read models: the data that pages and API show, made from the rows of the store.

mod affected;
mod apps;
mod assignments;
mod commits;
mod crons;
mod deployments;
mod drops;
mod errors;
mod findings;
mod grouping;
mod handle;
mod head;
mod intake;
mod jobs;
mod merges;
mod notifications;
mod people;
mod range;
mod releases;
mod samples;
mod schedule;
mod series;
mod span_detail;
mod span_list;
mod spans;
mod time;
mod trace;
mod transactions;
mod trend;

pub(crate) use affected::{AffectedTransactions, AffectedUser, AffectedUsers};
pub(crate) use apps::{AppIdentity, AppList, AppSummary};
pub(crate) use assignments::Assignees;
pub(crate) use commits::CommitView;
pub(crate) use crons::{CronJob, CronList, CronState};
pub(crate) use deployments::{Deployment, DeploymentList};
pub(crate) use drops::DroppedData;
pub(crate) use errors::{ActivityView, ErrorDetail, ErrorList, ErrorPart, ErrorSummary, NoteView, Occurrence};
pub(crate) use findings::{Finding, FindingKind, FindingList};
pub(crate) use grouping::GroupingView;
pub(crate) use handle::Query;
pub(crate) use intake::{IntakeNote, IntakeReport, Unstored};
pub(crate) use jobs::{Job, JobList, JobOrder, JobState};
pub(crate) use merges::MergedError;
pub(crate) use notifications::Channel;
pub(crate) use people::MemberList;
pub(crate) use range::{InvalidRange, RANGES, Range};
pub(crate) use releases::{Release, ReleaseErrors, ReleaseList, ReleaseMark};
pub(crate) use samples::{Sample, SampleSummary};
pub(crate) use series::{Series, SeriesPoint};
pub(crate) use span_detail::{SpanCaller, SpanDetail, SpanRelease, SpanSample, TransactionSpan};
pub(crate) use span_list::{HostSummary, SpanList, SpanOrder, SpanSummary};
pub(crate) use spans::{SampleSpanView, SpanAverage, SpanRepeats, issuing_line};
pub(crate) use time::from_seconds;
pub(crate) use trace::{SampleReference, TraceSample};
pub(crate) use transactions::{BreakdownPart, TransactionList, TransactionSummary};

pub(crate) use crate::store::StoreError as QueryError;
pub(crate) use crate::store::read::{AppFilter, ErrorFilter, ErrorOrder, OrganizationName, SampleOrder};
pub(crate) use crate::store::{
    AuditRow, ChannelRow, FindingsOf, Holder, Invitation, LinkedIdentity, Member, MessageRow, PersonSession, Rights,
    Scope, SpanFamily, Team, TeamDetail,
};
