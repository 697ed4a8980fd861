//! The users that an error happened to, and the transactions that it happened in.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{Query, QueryError};
use crate::changes::UserNames;
use crate::store::read::{ErrorValueRow, ErrorValues, OccurrenceSummary};
use crate::store::{List, MAX_USERS};

/// The number of users, and of transactions, that an error lists.
const LISTED: i64 = 20;

/// The users that an error happened to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AffectedUsers {
    /// The number of different users, at most 1,000.
    pub(crate) total: i64,
    /// Whether there are more than 1,000.
    pub(crate) has_more: bool,
    /// The number of these users with an occurrence in the last 24 hours.
    pub(crate) last_24_hours: i64,
    /// The number of reports of the users beyond the first 1,000.
    pub(crate) others_times_seen: i64,
    /// The 20 users with the most reports, the greatest first.
    pub(crate) users: Vec<AffectedUser>,
}

/// A user that an error happened to. The names are those of the latest report; all are `null` when no occurrence of the
/// user is kept any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AffectedUser {
    /// The id in the application.
    pub(crate) id: Option<String>,
    /// The login name.
    pub(crate) username: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// The number of reports. One that stands for several similar errors counts once.
    pub(crate) times_seen: i64,
    /// The time of the latest one, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_seen: Timestamp,
    /// The newest occurrence of this user, if one is kept.
    pub(crate) occurrence: Option<i64>,
}

/// The transactions that an error happened in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AffectedTransactions {
    /// The number of different transactions, at most 100.
    pub(crate) total: i64,
    /// Whether there are more than 100.
    pub(crate) has_more: bool,
    /// The number of reports in the transactions beyond the first 100.
    pub(crate) others_times_seen: i64,
    /// The 20 transactions with the most reports, the greatest first.
    pub(crate) transactions: Vec<AffectedTransaction>,
}

/// A transaction that an error happened in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AffectedTransaction {
    /// The name.
    pub(crate) name: String,
    /// The number of reports. One that stands for several similar errors counts once.
    pub(crate) times_seen: i64,
    /// The time of the latest one, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_seen: Timestamp,
    /// The newest occurrence in this transaction, if one is kept.
    pub(crate) occurrence: Option<i64>,
}

impl Query {
    /// Returns the users of an error group and its transactions, given its kept occurrences, the newest first. `since` is
    /// the start of the trend, in microseconds since 1970.
    pub(super) async fn affected(
        &self,
        group: i64,
        occurrences: &[OccurrenceSummary],
        since: i64,
    ) -> Result<(AffectedUsers, AffectedTransactions), QueryError> {
        let users = self.store.error_values(group, List::Users, since, LISTED).await?;
        let transactions = self.store.error_values(group, List::Transactions, since, LISTED).await?;
        Ok((affected_users(users, occurrences), affected_transactions(transactions, occurrences)))
    }
}

/// Returns the number of users that a group has, at most 1,000, and whether it has more.
pub(super) fn counted(users: i64) -> (i64, bool) {
    (users.min(MAX_USERS), users > MAX_USERS)
}

fn affected_users(values: ErrorValues, occurrences: &[OccurrenceSummary]) -> AffectedUsers {
    let user = |row: ErrorValueRow| {
        let names: UserNames = serde_json::from_str(&row.value).unwrap_or_default();
        let [id, username, email] =
            [names.id, names.username, names.email].map(|name| Some(name).filter(|name| !name.is_empty()));
        let of_user = |occurrence: &&OccurrenceSummary| occurrence.user_key.as_ref() == Some(&row.key);
        AffectedUser {
            id,
            username,
            email,
            times_seen: row.count,
            last_seen: from_micros(row.last_seen),
            occurrence: occurrences.iter().find(of_user).map(|occurrence| occurrence.id),
        }
    };
    let (total, has_more) = counted(values.total + i64::from(values.others > 0));
    AffectedUsers {
        total,
        has_more,
        last_24_hours: values.recent.min(MAX_USERS),
        others_times_seen: values.others,
        users: values.rows.into_iter().map(user).collect(),
    }
}

fn affected_transactions(values: ErrorValues, occurrences: &[OccurrenceSummary]) -> AffectedTransactions {
    let transaction = |row: ErrorValueRow| {
        let in_transaction = |occurrence: &&OccurrenceSummary| occurrence.transaction_name == row.value;
        AffectedTransaction {
            occurrence: occurrences.iter().find(in_transaction).map(|occurrence| occurrence.id),
            times_seen: row.count,
            last_seen: from_micros(row.last_seen),
            name: row.value,
        }
    };
    AffectedTransactions {
        total: values.total,
        has_more: values.others > 0,
        others_times_seen: values.others,
        transactions: values.rows.into_iter().map(transaction).collect(),
    }
}
