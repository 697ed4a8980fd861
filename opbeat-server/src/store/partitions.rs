//! The partitions of the large tables in PostgreSQL: a table for each month.
//!
//! Old rows are removed by dropping a month, which costs the same for any number of rows and returns the space at once.
//! Partitions are created at the start and whenever old rows are removed.

use super::engine::{Connection, Engine, Error, query};
use super::locks::{Lock, wait_for};
use crate::changes::{MINUTES_KEPT, RESOLUTIONS};

/// Reads the names of all partitions, among them the default ones.
const EXISTING: &str = "SELECT CAST(CAST(inhrelid AS regclass) AS TEXT) FROM pg_inherits WHERE inhparent IN (
    CAST('rollups' AS regclass), CAST('breakdowns' AS regclass), CAST('error_rollups' AS regclass),
    CAST('samples' AS regclass), CAST('error_occurrences' AS regclass))";

/// The number of months before this one that get a partition. Older rows are in the default partition.
const MONTHS_BACK: i64 = 14;

/// The number of months after this one that get a partition, so that a server that runs without a pause, and whose
/// daily work fails for weeks, still finds the partitions of its rows.
const MONTHS_AHEAD: i64 = 2;

/// The longest time that a change of partitions waits for queries. Queries that arrive meanwhile wait behind it. A
/// change that fails is repeated the next day.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '5s'";

/// The last second of the year 9999. Later ones do not occur.
const LAST_SECOND: i64 = 253_402_300_799;

/// The mean length of a month, in seconds.
const MEAN_MONTH: i64 = 2_629_746;

const DAY: i64 = 86_400;

/// Creates the partitions of PostgreSQL that are missing. `now` is in seconds since 1970.
///
/// Rows without a partition are in the default one, so that nothing is lost where this fails.
pub(super) fn create_missing(connection: &mut Connection, now: i64) -> Result<(), Error> {
    if connection.engine() == Engine::Sqlite {
        return Ok(());
    }
    // Nothing older than the rows by minute arrives.
    let wanted = |series: Series| series.wanted(now.saturating_sub(MINUTES_KEPT), now);
    let before = existing(connection)?;
    for series in Series::all() {
        if wanted(series).all(|partition| before.contains(&partition.name())) {
            continue;
        }
        connection.transaction(|connection| {
            wait_for(connection, Lock::Partitions)?;
            // Another process can have created them since.
            let existing = existing(connection)?;
            let missing = wanted(series).filter(|partition| !existing.contains(&partition.name()));
            let statements: Vec<String> = missing.flat_map(Partition::create).collect();
            connection.batch(&statements.join(";"))
        })?;
    }
    Ok(())
}

/// Removes the partitions of PostgreSQL whose rows are all older than the rows that are kept. Rows by time are only removed
/// if they are added up. Both times are in seconds since 1970.
pub(super) fn drop_old(
    connection: &mut Connection,
    now: i64,
    oldest_sample: i64,
    is_compact: bool,
) -> Result<(), Error> {
    if connection.engine() == Engine::Sqlite {
        return Ok(());
    }
    let partitions = existing(connection)?;
    let partitions = partitions.iter().filter_map(|name| Partition::of_name(name));
    for partition in partitions {
        let series = partition.series();
        let oldest = if series == Series::SAMPLES { Some(oldest_sample) } else { series.oldest(now) };
        let may_be_removed = is_compact || series.resolution.is_none();
        if may_be_removed && oldest.is_some_and(|oldest| partition.is_before(oldest)) {
            connection.transaction(|connection| {
                wait_for(connection, Lock::Partitions)?;
                connection.batch(&partition.drop().join(";"))
            })?;
        }
    }
    Ok(())
}

fn existing(connection: &mut Connection) -> Result<Vec<String>, Error> {
    query(EXISTING).fetch_all(connection)?.iter().map(|row| row.try_get(0)).collect()
}

/// A table's partitions, or those of one of its resolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Series {
    table: &'static str,
    /// The length of time that a row stands for, in seconds, in the tables that are partitioned by it.
    resolution: Option<i64>,
    /// The storage parameters of its partitions.
    parameters: &'static str,
}

/// A minute's rows are updated by each batch. With free space in its page, the new version of a row needs
/// no new entry in the index, and the next one reuses the space of the one before it.
const UPDATED: &str = "fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05";

/// Most samples and occurrences are removed within the hour. Vacuum soon makes their space available to the next ones.
const THINNED: &str = "autovacuum_vacuum_scale_factor = 0.05";

impl Series {
    /// The samples.
    const SAMPLES: Self = Self { table: "samples", resolution: None, parameters: THINNED };

    /// The occurrences of errors.
    const OCCURRENCES: Self = Self { table: "error_occurrences", resolution: None, parameters: THINNED };

    /// Returns the durations of a resolution.
    const fn rollups(resolution: i64) -> Self {
        Self { table: "rollups", resolution: Some(resolution), parameters: UPDATED }
    }

    /// Returns the self times of a resolution.
    const fn breakdowns(resolution: i64) -> Self {
        Self { table: "breakdowns", resolution: Some(resolution), parameters: UPDATED }
    }

    /// Returns the counts of errors of a resolution.
    const fn error_rollups(resolution: i64) -> Self {
        Self { table: "error_rollups", resolution: Some(resolution), parameters: UPDATED }
    }

    /// Returns all series.
    fn all() -> impl Iterator<Item = Self> {
        let of_resolution =
            |resolution| [Self::rollups(resolution), Self::breakdowns(resolution), Self::error_rollups(resolution)];
        RESOLUTIONS
            .into_iter()
            .flat_map(move |row| of_resolution(row.seconds))
            .chain([Self::SAMPLES, Self::OCCURRENCES])
    }

    /// Returns the time of the oldest row that is kept, or `None` if all are kept. Both times are in seconds since 1970.
    fn oldest(self, now: i64) -> Option<i64> {
        let kept = match self.resolution {
            Some(resolution) => RESOLUTIONS.iter().find(|row| row.seconds == resolution).and_then(|row| row.kept),
            None => (self == Self::SAMPLES).then_some(MINUTES_KEPT),
        };
        kept.map(|kept| now.saturating_sub(kept))
    }

    /// Returns the partitions that the series needs, the oldest first: from the month of the oldest row that is kept,
    /// but at most 14 months ago, to two months ahead. Both times are in seconds since 1970.
    fn wanted(self, oldest: i64, now: i64) -> impl Iterator<Item = Partition> {
        let now = month_of(now);
        let first = month_of(oldest).clamp((now - MONTHS_BACK).max(0), now);
        (first..=now + MONTHS_AHEAD).map(move |month| Partition { series: self, month })
    }

    /// Returns the part of a partition's name before the month.
    fn prefix(self) -> String {
        match self.resolution {
            Some(resolution) => format!("{}_{resolution}_", self.table),
            None => format!("{}_", self.table),
        }
    }

    /// Returns the key of the first row of a month, as a list of values.
    fn bound(self, month: i64) -> String {
        match self.resolution {
            Some(resolution) => format!("{resolution}, {}", start_of(month)),
            None => first_id(start_of(month).saturating_mul(1_000_000)).to_string(),
        }
    }

    /// Returns the condition of the rows of a month.
    fn condition(self, month: i64) -> String {
        let key = if self.resolution.is_some() { "(resolution, start)" } else { "(id)" };
        format!("{key} >= ({}) AND {key} < ({})", self.bound(month), self.bound(month + 1))
    }
}

/// The rows of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Partition {
    series: Series,
    /// The number of months since January 1970.
    month: i64,
}

impl Partition {
    /// Returns the partition with a name, or `None` for a default partition and for other tables.
    fn of_name(name: &str) -> Option<Self> {
        Series::all().find_map(|series| {
            let date = name.strip_prefix(&series.prefix())?;
            let is_date = date.len() == 6 && date.bytes().all(|byte| byte.is_ascii_digit());
            let date: i64 = if is_date { date.parse().ok()? } else { return None };
            let (year, month) = (date / 100, date % 100);
            let is_valid = year >= 1970 && (1..=12).contains(&month);
            is_valid.then_some(Self { series, month: (year - 1970) * 12 + month - 1 })
        })
    }

    /// Returns the name of its table, such as `samples_202611` or `rollups_60_202611`.
    fn name(self) -> String {
        format!("{}{:04}{:02}", self.series.prefix(), 1970 + self.month / 12, self.month % 12 + 1)
    }

    /// Returns the series that it belongs to.
    fn series(self) -> Series {
        self.series
    }

    /// Returns whether all of its rows are older than a time in seconds since 1970.
    fn is_before(self, second: i64) -> bool {
        start_of(self.month + 1) <= second
    }

    /// Returns the statements that create it, to be run in one transaction.
    ///
    /// The table is made by itself and then attached, which blocks neither readers nor writers of other months. Rows of
    /// the month that are in the default partition move to it, since PostgreSQL refuses to attach it otherwise.
    fn create(self) -> [String; 5] {
        let (name, Series { table, parameters, .. }) = (self.name(), self.series);
        let condition = self.series.condition(self.month);
        let (from, to) = (self.series.bound(self.month), self.series.bound(self.month + 1));
        [
            LOCK_TIMEOUT.to_owned(),
            format!("LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE"),
            format!("CREATE TABLE {name} (LIKE {table} INCLUDING ALL) WITH ({parameters})"),
            format!(
                "WITH moved AS (DELETE FROM {table}_default WHERE {condition} RETURNING *)
                 INSERT INTO {name} SELECT * FROM moved"
            ),
            format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})"),
        ]
    }

    /// Returns the statements that remove it with its rows, to be run in one transaction.
    fn drop(self) -> [String; 2] {
        [LOCK_TIMEOUT.to_owned(), format!("DROP TABLE IF EXISTS {}", self.name())]
    }
}

/// Returns the smallest id of samples and occurrences of a time in microseconds since 1970: the milliseconds, followed
/// by 12 bits that distinguish rows of one millisecond. Such ids are below 2^53 until the year 2039.
pub(super) fn first_id(micros: i64) -> i64 {
    micros.max(0).div_euclid(1_000).saturating_mul(1 << 12)
}

/// Returns the month of a time in seconds since 1970, as the number of months since January 1970.
fn month_of(second: i64) -> i64 {
    let second = second.clamp(0, LAST_SECOND);
    let guess = second / MEAN_MONTH;
    // No month begins more than two days from the multiple of the mean length.
    (guess - 1..=guess + 1).rev().find(|month| start_of(*month) <= second).unwrap_or(guess)
}

/// Returns the start of a month, in seconds since 1970.
fn start_of(month: i64) -> i64 {
    // Years are counted from March here, so that a leap day is the last day of its year.
    let since_march = month + 10;
    let (year, month) = (1969 + since_march.div_euclid(12), since_march.rem_euclid(12));
    let days_of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // The lengths of five months from March on repeat: 31, 30, 31, 30, 31.
    let days_of_months = (153 * month + 2) / 5;
    // 719468 days are between March 1 of the year 0 and January 1 of the year 1970.
    (days_of_years + days_of_months - 719_468) * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 17:19:33 UTC.
    const NOW: i64 = 1_795_799_973;

    fn names(series: Series, oldest: i64) -> Vec<String> {
        series.wanted(oldest, NOW).map(Partition::name).collect()
    }

    #[test]
    fn months_begin_at_the_right_second() {
        let starts = [
            (0, 0),                 // 1970-01
            (1, 2_678_400),         // 1970-02
            (2, 5_097_600),         // 1970-03
            (26, 68_256_000),       // 1972-03, after a leap day
            (361, 949_363_200),     // 2000-02
            (362, 951_868_800),     // 2000-03, after a leap day
            (682, 1_793_491_200),   // 2026-11
            (683, 1_796_083_200),   // 2026-12
            (1_562, 4_107_542_400), // 2100-03, after no leap day
        ];
        for (month, second) in starts {
            assert_eq!(start_of(month), second, "{month}");
        }
        for month in 0..(9_999 - 1_970) * 12 {
            let start = start_of(month);
            let days = (start_of(month + 1) - start) / DAY;
            assert!((28..=31).contains(&days), "{month}: {days} days");
            assert_eq!([start, start_of(month + 1) - 1].map(month_of), [month, month]);
        }
        assert_eq!([i64::MIN, -1, i64::MAX].map(month_of), [0, 0, 8_029 * 12 + 11]);
    }

    #[test]
    fn partitions_reach_from_the_oldest_row_to_two_months_ahead() {
        let days = |days: i64| NOW - days * DAY;
        let four = ["samples_202611", "samples_202612", "samples_202701"];
        assert_eq!(names(Series::SAMPLES, days(14)), four);
        assert_eq!(names(Series::SAMPLES, NOW + 365 * DAY), four, "a clock that went back");
        let rollups = names(Series::rollups(3_600), days(4_000));
        assert_eq!(rollups.len(), 17);
        assert_eq!(rollups[0], "rollups_3600_202509");
        assert_eq!(rollups[16], "rollups_3600_202701");
        let early: Vec<_> = Series::SAMPLES.wanted(i64::MIN, 0).map(Partition::name).collect();
        assert_eq!(early, ["samples_197001", "samples_197002", "samples_197003"]);
    }

    #[test]
    fn names_lead_back_to_partitions() {
        for series in Series::all() {
            for partition in series.wanted(0, NOW) {
                assert_eq!(Partition::of_name(&partition.name()), Some(partition));
                assert_eq!(partition.series(), series);
            }
        }
        let others =
            ["samples_default", "samples_202613", "samples_202600", "samples_2026", "samples_+20261", "rollups_202611"];
        for name in others {
            assert_eq!(Partition::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_month_is_old_when_its_last_row_is() {
        let partition = Partition::of_name("rollups_60_202611").unwrap();
        assert!(!partition.is_before(1_796_083_199));
        assert!(partition.is_before(1_796_083_200));
        assert_eq!(partition.drop(), ["SET LOCAL lock_timeout = '5s'", "DROP TABLE IF EXISTS rollups_60_202611"]);
    }

    #[test]
    fn bounds_are_those_of_the_month() {
        let create = |name| Partition::of_name(name).unwrap().create();
        let [.., attach] = create("rollups_60_202611");
        assert!(attach.starts_with("ALTER TABLE rollups ATTACH PARTITION rollups_60_202611 FOR VALUES"), "{attach}");
        assert!(attach.ends_with("FROM (60, 1793491200) TO (60, 1796083200)"), "{attach}");
        let of_samples = create("samples_202611");
        let (from, to) = (1_793_491_200_000_i64 << 12, 1_796_083_200_000_i64 << 12);
        assert_eq!(
            of_samples[4],
            format!("ALTER TABLE samples ATTACH PARTITION samples_202611 FOR VALUES FROM ({from}) TO ({to})")
        );
        assert!(of_samples[3].contains(&format!("WHERE (id) >= ({from}) AND (id) < ({to}) RETURNING *")));
        assert_eq!(first_id(1_793_491_200_000_999), from);
        assert_eq!(first_id(-1), 0);
    }
}
