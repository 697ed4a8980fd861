//! The store: everything that the server knows, in a SQLite database. The only module with SQL.
//!
//! One connection writes, since SQLite has one writer. Several connections read beside it; the write-ahead log lets
//! them read without waiting for the writer. Each read takes the organization, the app or the error group that it is
//! about: no query returns the data of another tenant. Only the server's own functions, such as `secret_tokens`, read
//! the data of all tenants.

mod access;
mod apply;
mod apps;
mod assignments;
mod backup;
mod budget;
mod caps;
mod check_ins;
mod commits;
mod compaction;
mod copy;
mod counts;
mod cursor;
mod database;
mod deployments;
pub(crate) mod engine;
mod error;
mod error_status;
mod error_values;
mod errors;
mod expiry;
mod findings;
mod ids;
mod locks;
mod marks;
mod merges;
mod migrations;
mod notes;
mod notifications;
mod origins;
mod parked;
mod partitions;
mod people;
mod probe;
pub(crate) mod read;
mod releases;
mod repositories;
mod retention;
mod rollups;
mod samples;
mod services;
mod sessions;
mod settings;
mod span_stacks;
mod spans;
#[cfg(test)]
mod testing;
mod tokens;
mod traces;
mod transactions;
mod usage;
mod values;

pub(crate) use access::{Access, Holder, Rights, Scope};
pub(crate) use apply::{ParkedMessage, StoredRecord};
pub(crate) use apps::NewApp;
pub(crate) use assignments::{AssignmentRow, Basis, FirstError, GroupToAssign, LookedAt, MemberRow, TeamRow};
pub(crate) use backup::{Check, NewFile, is_database, remove_beside, set_aside};
pub(crate) use caps::OTHER_NAMES;
pub(crate) use commits::{CommitRow, Mention, ReleaseChanges, ReleaseToRead};
pub(crate) use copy::{Sums, Table};
pub(crate) use database::{Condition, Store};
pub(crate) use engine::StoreAddress;
pub(crate) use error::{Cause, StoreError};
pub(crate) use error_status::{ActivityRow, Commented};
pub(crate) use error_values::{List, MAX_USERS};
pub(crate) use findings::{FindingRow, FindingsOf, HourDue, OpenChange, RecentRelease, Since, TimeOfChange};
pub(crate) use merges::{Merged, MergedRow};
pub(crate) use notes::{LastNote, NoteRow};
pub(crate) use notifications::{ChannelRow, Claimed, MessageRow, Outcome, Receiver, Routing};
pub(crate) use parked::{ParkedRecord, Replayed};
pub(crate) use people::{
    Account, AuditRow, Changed, Created, Invitation, Invitee, Joined, LinkedIdentity, Member, NewInvitation, NewPerson,
    OwnChange, PersonSession, Team, TeamDetail,
};
pub(crate) use repositories::{NewRepository, RepositoryRow};
pub(crate) use services::{AppLookup, UnknownServices};
pub(crate) use settings::{AppSettings, Setting};
pub(crate) use spans::{OTHER_SPANS, SpanFamily};
#[cfg(test)]
pub(crate) use testing::stores;
pub(crate) use tokens::TokenRow;

/// Returns the day of a time in microseconds since 1970, as the number of days since then.
fn day_of(micros: i64) -> i64 {
    micros.div_euclid(86_400_000_000)
}
