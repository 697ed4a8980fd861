//! The users that the errors of a group happened to, and the transactions that they happened in, within caps.
//!
//! The rows of a merged group stay its own. The number of users of the group that shows it is counted again when one of them
//! gets a new user, and when they are merged or split: a user of both counts once, and a split is exact.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::caps::{ERROR_TRANSACTIONS, ERROR_USERS, Places};
use super::engine::{Connection, Value};
use super::error::StoreError;
use crate::changes::NewError;

/// The largest number of users that is stored; one more means that there are further ones.
pub(crate) const MAX_USERS: i64 = ERROR_USERS.limit;

/// The largest count of a group. Larger ones stay at it, so that sums of counts stay within 64 bits.
pub(super) const MAX_COUNT: i64 = 1_000_000_000_000_000;

/// A list of values of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    /// The users.
    Users,
    /// The transactions.
    Transactions,
}

impl List {
    /// Returns the name in the column `list`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Transactions => "transaction",
        }
    }
}

/// A group, its list, and the key of a value. The empty key is that of all values beyond the cap.
type RowKey = (i64, List, Vec<u8>);

/// The reports of errors with one value.
#[derive(Debug, Default)]
struct NewValue {
    value: String,
    count: i64,
    last_seen: i64,
}

impl NewValue {
    /// Adds other reports. The value of the latest one is kept: a user's names can change.
    fn add(&mut self, value: String, count: i64, last_seen: i64) {
        if (last_seen, &value) > (self.last_seen, &self.value) || self.count == 0 {
            (self.last_seen, self.value) = (last_seen, value);
        }
        self.count = self.count.saturating_add(count);
    }
}

/// The values of new errors.
#[derive(Debug, Default)]
pub(super) struct NewValues {
    values: BTreeMap<RowKey, NewValue>,
    /// The groups that show others, by those.
    shown_by: BTreeMap<i64, i64>,
}

/// Adds to the count of a value that a group has.
const UPDATE: &str = "UPDATE error_values SET count = least(count + ?4, ?7),
     value = CASE WHEN ?6 > last_seen OR (?6 = last_seen AND ?5 > value) THEN ?5 ELSE value END,
     last_seen = greatest(last_seen, ?6)
     WHERE group_id = ?1 AND list = ?2 AND key = ?3";

const INSERT: &str = "INSERT INTO error_values (group_id, list, key, count, value, last_seen)
     VALUES (?1, ?2, ?3, least(CAST(?4 AS BIGINT), ?7), ?5, ?6)";

/// Counts the users of a group and of those that are merged into it. The row of further ones is one more than the cap.
const COUNT_USERS: &str = "UPDATE error_groups SET users = least((
         SELECT count(DISTINCT key) FROM error_values WHERE list = 'user' AND group_id IN (
             SELECT id FROM error_groups AS shown WHERE shown.id = ?1 OR shown.merged_into = ?1)), ?2)
     WHERE id = ?1";

impl NewValues {
    /// Adds the user and the transaction of an error of a group. A report counts once, even if it stands for many similar
    /// errors: it names the user of one.
    pub(super) fn add(&mut self, group: i64, shown_by: Option<i64>, error: &NewError) {
        if let Some(shown_by) = shown_by {
            self.shown_by.insert(group, shown_by);
        }
        if let Some(user) = &error.user {
            let names = serde_json::to_string(&user.names).expect("names are texts");
            let key = (group, List::Users, user.key.to_vec());
            self.values.entry(key).or_default().add(names, 1, error.happened_at);
        }
        self.add_transaction(group, &error.transaction_name, error.happened_at);
    }

    /// Adds the transaction of an error of a group, unless its name is empty.
    pub(super) fn add_transaction(&mut self, group: i64, name: &str, happened_at: i64) {
        if !name.is_empty() {
            let key = Sha256::digest(name).get(..16).unwrap_or_default().to_vec();
            let value = self.values.entry((group, List::Transactions, key)).or_default();
            value.add(name.to_owned(), 1, happened_at);
        }
    }

    /// Stores the values. A new value gets a row as long as its group has places.
    pub(super) fn write(self, connection: &mut Connection) -> Result<(), StoreError> {
        let missing = update(connection, self.values)?;
        if missing.is_empty() {
            return Ok(());
        }
        let mut places = [Places::new(&ERROR_USERS), Places::new(&ERROR_TRANSACTIONS)];
        let mut new = Vec::new();
        let mut others: BTreeMap<RowKey, NewValue> = BTreeMap::new();
        for ((group, list, key), value) in missing {
            if places[list as usize].take(connection, &group)? {
                new.push(((group, list, key), value));
            } else {
                let other = others.entry((group, list, Vec::new())).or_default();
                other.add(String::new(), value.count, value.last_seen);
            }
        }
        new.extend(update(connection, others)?);
        connection.execute_many(INSERT, &new.iter().map(row).collect::<Vec<_>>())?;
        let groups = new.iter().filter(|((_, list, _), _)| *list == List::Users).flat_map(|((group, ..), _)| {
            let shown_by = self.shown_by.get(group).copied();
            std::iter::once(*group).chain(shown_by)
        });
        count_users(connection, &groups.collect())
    }
}

/// Adds to the values that are stored, and returns the others.
fn update(
    connection: &mut Connection,
    values: BTreeMap<RowKey, NewValue>,
) -> Result<Vec<(RowKey, NewValue)>, StoreError> {
    let values: Vec<(RowKey, NewValue)> = values.into_iter().collect();
    let updated = connection.execute_many(UPDATE, &values.iter().map(row).collect::<Vec<_>>())?;
    Ok(values.into_iter().zip(updated).filter(|(_, updated)| *updated == 0).map(|(value, _)| value).collect())
}

fn row(((group, list, key), value): &(RowKey, NewValue)) -> Vec<Value<'static>> {
    vec![
        Value::from(*group),
        list.name().into(),
        key.clone().into(),
        value.count.into(),
        value.value.clone().into(),
        value.last_seen.into(),
        MAX_COUNT.into(),
    ]
}

/// Counts the users of groups, and of those that are merged into them, again.
pub(super) fn count_users(connection: &mut Connection, groups: &BTreeSet<i64>) -> Result<(), StoreError> {
    let rows: Vec<_> = groups.iter().map(|group| [*group, MAX_USERS + 1].map(Value::from).to_vec()).collect();
    connection.execute_many(COUNT_USERS, &rows)?;
    Ok(())
}
