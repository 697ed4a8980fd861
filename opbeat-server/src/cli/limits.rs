//! The command `opbeat app limits`.

use std::error::Error;

use clap::Args;

use super::names::{Names, parse_names};
use super::storage::{DataOption, open_store};
use crate::server::change_settings;
use crate::store::Setting;

/// The most days that data can be kept: a hundred years.
const MAX_DAYS: i64 = 36_500;

/// The longest quota, in days.
const MAX_QUOTA_DAYS: i64 = 366;

#[derive(Debug, Args)]
pub(super) struct Limits {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: DataOption,
    /// The events that the app may send in a second.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    events_per_second: Option<i64>,
    /// The bytes that the app may send in a second, before inflating, such as `8MiB`.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    bytes_per_second: Option<i64>,
    /// The events that the app may send in the days of its quota.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    quota_events: Option<i64>,
    /// The days of the quota, in UTC.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=MAX_QUOTA_DAYS))]
    quota_days: Option<i64>,
    /// The days for which samples are kept.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    sample_days: Option<i64>,
    /// The days for which occurrences of errors are kept.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    error_days: Option<i64>,
    /// The days for which figures by day are kept.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    rollup_days: Option<i64>,
    /// The size of samples and occurrences of errors that are kept, such as `20GiB`.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    disk_bytes: Option<i64>,
    /// A setting that becomes that of the server again, such as `sample-days`. It can be given several times.
    #[arg(long, value_name = "NAME", value_parser = parse_setting)]
    default: Vec<Setting>,
}

impl Limits {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let given = [
            (Setting::EventsPerSecond, self.events_per_second),
            (Setting::BytesPerSecond, self.bytes_per_second),
            (Setting::QuotaEvents, self.quota_events),
            (Setting::QuotaDays, self.quota_days),
            (Setting::SampleDays, self.sample_days),
            (Setting::ErrorDays, self.error_days),
            (Setting::RollupDays, self.rollup_days),
            (Setting::DiskBytes, self.disk_bytes),
        ];
        let removed = self.default.iter().map(|setting| (*setting, None));
        let changes: Vec<_> = removed.chain(given.into_iter().filter(|(_, value)| value.is_some())).collect();
        let (_, store) = open_store(&self.data.data).await?;
        let names = (&*self.names.organization, &*self.names.app);
        let settings = change_settings(&store, names, &changes).await?;
        for setting in Setting::ALL {
            let value = settings.get(&setting).map_or_else(|| "default".to_owned(), ToString::to_string);
            println!("{} {value}", option_of(setting));
        }
        store.close().await;
        Ok(())
    }
}

/// Returns the name of a setting's option.
fn option_of(setting: Setting) -> String {
    setting.name().replace('_', "-")
}

fn parse_setting(name: &str) -> Result<Setting, String> {
    let found = Setting::ALL.into_iter().find(|setting| option_of(*setting) == name);
    found.ok_or_else(|| format!("use one of {}", Setting::ALL.map(option_of).join(", ")))
}

/// Parses a number of bytes, which may end with a unit such as `MiB`.
fn parse_size(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err("use a number of bytes, or one with a unit: KiB, MiB, GiB or TiB".to_owned()),
    };
    let number: Option<i64> = digits.parse().ok().filter(|number| *number > 0);
    let size = number.and_then(|number| number.checked_mul(factor));
    size.ok_or_else(|| "use a number of bytes above 0, such as 512MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("4096"), Ok(4_096));
        assert_eq!(parse_size("8MiB"), Ok(8 << 20));
        assert_eq!(parse_size("20 GiB"), Ok(20 << 30));
        for text in ["", "MiB", "0", "-1", "1.5GiB", "1GB", "9999999999TiB", "1ü"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
