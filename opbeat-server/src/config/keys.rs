//! The table of all keys.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::forms;
use super::key::{Key, Kind, SetNumber, TextForm, Unit};
use super::settings::Settings;
use super::variables::COMMON_LOG_FILTER;
use crate::queue::QueueAddress;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// A century in days.
const MAX_DAYS: u64 = 36_500;

/// All keys, in the order of the documentation: name, default, type with the place of the value, meaning.
pub(crate) static KEYS: [Key; 45] = [
    Key::new(
        "data",
        Some("opbeat-data"),
        Kind::Folder(|to, path| to.server.data = path),
        "the folder with the database, the queue and all other state; with `store`, `opbeat worker` and `opbeat web` \
         need none",
    ),
    Key::new(
        "listen",
        Some("127.0.0.1:8200"),
        Kind::Addresses(|to, list| to.server.listen = list),
        "the address to listen on, or a list of them; on any address, pages require signing in",
    ),
    Key::new(
        "queue",
        None,
        secret_url(&["amqp", "amqps"], |to, url| {
            to.server.queue = url.map_or(QueueAddress::Embedded, QueueAddress::Amqp);
        }),
        "the RabbitMQ that holds accepted data until it is stored; without it, the queue is in the data folder",
    ),
    Key::new(
        "store",
        None,
        secret_url(&["postgres", "postgresql"], |to, url| to.server.store = url),
        "the PostgreSQL database; without it, the database is a SQLite file in the data folder",
    ),
    Key::new(
        "public_url",
        None,
        Kind::PublicUrl(|to, url| to.server.public_url = url),
        "the URL at which applications and browsers reach the server; without it, the first address is printed",
    ),
    Key::new(
        "trusted_proxies",
        Some("127.0.0.0/8, ::1/128"),
        Kind::Networks(|to, list| to.server.trusted_proxies = list),
        "the proxies whose headers `X-Forwarded-…` and `Forwarded` are believed: a list of addresses or networks",
    )
    .or_flag("trusted-proxy"),
    Key::new(
        "log",
        Some("info"),
        Kind::Filter(|to, filter| to.log = filter),
        "the lines that the log contains, such as `warn` or `info,opbeat_server=debug`",
    )
    .or_variable(COMMON_LOG_FILTER),
    Key::new(
        "tls.certificate",
        None,
        Kind::File(|to, path| to.certificate = path),
        "the file with the certificate and its chain, in PEM",
    )
    .or_variable("OPBEAT_TLS_CERT")
    .or_flag("tls-cert"),
    Key::new(
        "tls.key",
        None,
        Kind::File(|to, path| to.certificate_key = path),
        "the file with the certificate's private key, in PEM",
    ),
    Key::new(
        "limits.connections",
        None,
        optional(Unit::One, 1..=1_000_000, |to, n| to.server.connections.total = n.map(size)),
        "the number of open connections; without it, most of the files that the process may open, and at most 10,000",
    )
    .or_variable("OPBEAT_CONNECTIONS")
    .or_flag("connections"),
    Key::new(
        "limits.connections_per_address",
        None,
        optional(Unit::One, 1..=1_000_000, |to, n| to.server.connections.per_address = n.map(size)),
        "the number of open connections of one address, or of one `/64` network of IPv6, except for trusted proxies; \
         without it, a quarter of all",
    ),
    Key::new(
        "limits.header_seconds",
        Some("10"),
        count(1..=600, |to, n| to.server.connections.head_timeout = Duration::from_secs(n)),
        "the time in which the head of a request must arrive",
    ),
    Key::new(
        "limits.body_bytes",
        Some("4 MiB"),
        bytes(KIB..=64 * MIB, |to, n| to.server.intake.body = size(n)),
        "the largest body of a request, as it is sent",
    ),
    Key::new(
        "limits.inflated_bytes",
        Some("32 MiB"),
        bytes(KIB..=256 * MIB, |to, n| to.server.intake.inflated = size(n)),
        "the largest body of a request after inflating",
    ),
    Key::new(
        "limits.in_flight_bytes",
        Some("64 MiB"),
        bytes(MIB..=TIB, |to, n| to.server.intake.in_flight = size(n)),
        "the size of all bodies that are received and decoded at the same time",
    ),
    Key::new(
        "limits.queue_bytes",
        Some("2 GiB"),
        bytes(MIB..=64 * TIB, |to, n| to.server.queue_limits.backlog = n),
        "the size of the data that waits to be stored; one app may have a quarter of it",
    ),
    Key::new(
        "limits.min_free_bytes",
        None,
        optional(Unit::Bytes, 0..=64 * TIB, |to, n| to.server.intake.min_free_bytes = n),
        "the free space of the data folder's disk below which data is refused; without it, 256 MiB, or a hundredth of a \
         disk of less than 25 GiB",
    ),
    Key::new(
        "limits.client_side_rate",
        Some("100"),
        count(0..=1_000_000, |to, n| {
            to.server.intake.client_side_rate = rate(n);
            to.server.intake.client_side_burst = rate(n.saturating_mul(2));
        }),
        "the requests that the browsers of one app may send in a second, without a token; twice as many at once",
    )
    .or_variable("OPBEAT_CLIENT_SIDE_RATE")
    .or_flag("client-side-rate"),
    Key::new(
        "limits.app_events_per_second",
        Some("100000"),
        count(1..=TIB, |to, n| to.server.intake.events_per_second = n),
        "the events that one app may send in a second",
    ),
    Key::new(
        "limits.app_bytes_per_second",
        Some("64 MiB"),
        bytes(KIB..=TIB, |to, n| to.server.intake.bytes_per_second = n),
        "the bytes that one app may send in a second, before inflating",
    ),
    Key::new(
        "limits.app_quota_events",
        None,
        optional(Unit::One, 1..=TIB, |to, n| to.server.intake.quota_events = n),
        "the events that one app may send in `limits.app_quota_days`; without it, any number",
    ),
    Key::new(
        "limits.app_quota_days",
        Some("30"),
        count(1..=366, |to, n| to.server.intake.quota_days = rate(n)),
        "the length of the period of `limits.app_quota_events`",
    ),
    Key::new(
        "limits.page_seconds",
        Some("10"),
        count(1..=600, |to, n| to.server.page_timeout = Duration::from_secs(n)),
        "the longest time of a page or of a query of the API",
    ),
    Key::new(
        "retention.sample_days",
        Some("14"),
        count(1..=MAX_DAYS, |to, n| to.server.retention.sample_days = n),
        "the days for which an app's samples are kept",
    ),
    Key::new(
        "retention.error_days",
        Some("90"),
        count(1..=MAX_DAYS, |to, n| to.server.retention.error_days = n),
        "the days for which an app's errors are kept; the first, the latest and the latest of each release stay",
    ),
    Key::new(
        "retention.rollup_days",
        None,
        optional(Unit::One, 1..=MAX_DAYS, |to, n| to.server.retention.rollup_days = n),
        "the days for which an app's figures by day are kept; without it, for ever",
    ),
    Key::new(
        "retention.disk_bytes",
        None,
        optional(Unit::Bytes, MIB..=64 * TIB, |to, n| to.server.retention.disk_bytes = n),
        "the size from which on an app's oldest samples and errors are removed; without it, any size",
    ),
    Key::new(
        "repositories.fetch_seconds",
        Some("300"),
        count(10..=86_400, |to, n| to.server.repositories.fetch_interval = Duration::from_secs(n)),
        "the time between two fetches of a Git repository; a release of its app causes one at once",
    ),
    Key::new(
        "repositories.fetch_limit_seconds",
        Some("600"),
        count(1..=86_400, |to, n| to.server.repositories.fetch_time = Duration::from_secs(n)),
        "the longest time of one fetch of a Git repository",
    ),
    Key::new(
        "repositories.fetch_limit_bytes",
        Some("2 GiB"),
        bytes(MIB..=TIB, |to, n| to.server.repositories.fetch_bytes = n),
        "the largest number of bytes that one fetch of a Git repository receives",
    ),
    Key::new(
        "probe.seconds",
        Some("60"),
        count(0..=86_400, |to, n| to.server.probe.interval = (n > 0).then(|| Duration::from_secs(n))),
        "the time between two end-to-end probes, which a process with the pages sends; 0 turns them off",
    ),
    Key::new(
        "probe.url",
        None,
        Kind::Url { schemes: &["http", "https"], is_secret: false, set: |to, url| to.server.probe.url = url },
        "the URL of the intake that gets the probes; without it, they are sent to the intake of the same process, if it \
         has one",
    ),
    Key::new(
        "smtp.url",
        None,
        secret_url(&["smtp", "smtps"], |to, url| to.server.notifications.mail.server = url),
        "the mail server: `smtps://USER:PASSWORD@HOST` with TLS, `smtp://USER:PASSWORD@HOST` with STARTTLS, which \
         `?tls=none` turns off; without it, no mails are sent",
    ),
    Key::new(
        "smtp.from",
        None,
        Kind::Email(|to, address| to.server.notifications.mail.from = address),
        "the address that mails are from; without it, `opbeat@` and the host of `public_url`",
    ),
    Key::new(
        "notifications.cool_down_seconds",
        Some("3600"),
        count(0..=604_800, |to, n| to.server.notifications.cool_down = Duration::from_secs(n)),
        "the time between two notifications about the same error",
    ),
    Key::new(
        "notifications.hourly",
        Some("60"),
        count(1..=10_000, |to, n| to.server.notifications.hourly = rate(n)),
        "the notifications of one app that a channel or a person gets in an hour; the next one says how many were \
         suppressed",
    ),
    Key::new(
        "notifications.allowed_networks",
        None,
        Kind::Networks(|to, list| to.server.notifications.allowed_networks = list),
        "the private networks that channels may lead to: a list of addresses or networks",
    ),
    Key::new(
        "sign_in.passwords",
        Some("true"),
        Kind::Switch(|to, value| to.server.sign_in.passwords = value),
        "whether people may sign in with a password; `false` leaves the provider of OpenID Connect",
    ),
    Key::new(
        "openid_connect.issuer",
        None,
        text(&forms::ISSUER, |to, url| to.server.sign_in.openid_connect.issuer = url),
        "the URL of a provider of OpenID Connect by which people sign in, exactly as its id tokens name it",
    ),
    Key::new(
        "openid_connect.client_id",
        None,
        text(&forms::VISIBLE, |to, id| to.server.sign_in.openid_connect.client_id = id),
        "the id of this server at the provider",
    ),
    Key::new(
        "openid_connect.client_secret",
        None,
        Kind::Text {
            form: &forms::VISIBLE,
            is_secret: true,
            set: |to, secret| to.server.sign_in.openid_connect.client_secret = secret,
        },
        "the secret of this server at the provider",
    ),
    Key::new(
        "openid_connect.name",
        Some("OpenID Connect"),
        text(&forms::NAME, |to, name| to.server.sign_in.openid_connect.name = name.unwrap_or_default()),
        "the name of the provider on the button: Sign in with …",
    ),
    Key::new(
        "openid_connect.domains",
        None,
        Kind::Texts { form: &forms::DOMAIN, set: |to, list| to.server.sign_in.openid_connect.domains = list },
        "the domains that e-mail addresses of the provider must have: a list; without it, all",
    ),
    Key::new(
        "openid_connect.organization",
        None,
        text(&forms::ORGANIZATION, |to, name| to.server.sign_in.openid_connect.organization = name),
        "the organization that new people of the provider join, with `openid_connect.domains`; without it, people must \
         exist or be invited",
    ),
    Key::new(
        "openid_connect.role",
        Some("member"),
        text(&forms::ROLE, |to, role| to.server.sign_in.openid_connect.role = role.unwrap_or_default()),
        "the role of new people of the provider: `reader`, `member` or `admin`",
    ),
];

const fn text(form: &'static TextForm, set: fn(&mut Settings, Option<String>)) -> Kind {
    Kind::Text { form, is_secret: false, set }
}

const fn secret_url(schemes: &'static [&'static str], set: fn(&mut Settings, Option<String>)) -> Kind {
    Kind::Url { schemes, is_secret: true, set }
}

const fn count(range: RangeInclusive<u64>, set: fn(&mut Settings, u64)) -> Kind {
    Kind::Number { unit: Unit::One, range, set: SetNumber::Always(set) }
}

const fn bytes(range: RangeInclusive<u64>, set: fn(&mut Settings, u64)) -> Kind {
    Kind::Number { unit: Unit::Bytes, range, set: SetNumber::Always(set) }
}

const fn optional(unit: Unit, range: RangeInclusive<u64>, set: fn(&mut Settings, Option<u64>)) -> Kind {
    Kind::Number { unit, range, set: SetNumber::Optional(set) }
}

/// Returns a number of bytes in memory.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn rate(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Purpose, Variables, load};
    use crate::server::ServerConfig;

    #[test]
    fn the_defaults_of_the_table_are_those_of_an_embedded_server() {
        let loaded = load(Purpose::Serve, &Flags::default(), &Variables::default()).unwrap();
        let expected = ServerConfig::new("opbeat-data", "127.0.0.1:8200".parse().unwrap());
        assert!(loaded.settings.server == expected, "a default of the table differs: {loaded}");
    }

    #[test]
    fn the_guide_contains_the_table() {
        let guide = include_str!("../../../docs/guides/server.md");
        let default = |key: &Key| key.default.map_or_else(String::new, |default| format!("`{default}`"));
        let row = |key: &Key| format!("| `{}` | {} | {} |", key.name, default(key), key.meaning);
        let rows: Vec<String> = KEYS.iter().map(row).collect();
        let table = format!("| key | default | meaning |\n|---|---|---|\n{}\n", rows.join("\n"));
        assert!(guide.contains(&table), "docs/guides/server.md does not contain this table:\n{table}");
    }

    #[test]
    fn deployments_set_variables_of_keys() {
        let files = [
            include_str!("../../../deploy/Containerfile"),
            include_str!("../../../deploy/compose.yaml"),
            include_str!("../../../deploy/systemd/opbeat.service"),
            include_str!("../../../deploy/systemd/opbeat-intake@.service"),
            include_str!("../../../deploy/systemd/opbeat-worker@.service"),
            include_str!("../../../deploy/systemd/opbeat-web.service"),
        ];
        let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
        let words = files.iter().flat_map(|file| file.split(|c: char| !is_part(c)));
        let names: Vec<&str> = words.filter(|word| word.starts_with("OPBEAT_")).collect();
        assert!(names.len() > files.len(), "{names:?}");
        let known = |name: &str| {
            let is_of = |key: &Key| key.variable() == name || key.file_variable().as_deref() == Some(name);
            name == "OPBEAT_CONFIG" || KEYS.iter().any(is_of)
        };
        assert_eq!(names.iter().find(|name| !known(name)), None);
    }

    #[test]
    fn names_are_unique_in_all_forms() {
        let mut names: Vec<String> = KEYS.iter().flat_map(|key| [key.variable(), key.flag()]).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert_eq!(KEYS[12].variable(), "OPBEAT_LIMITS_BODY_BYTES");
        assert_eq!(KEYS[12].flag(), "limits-body-bytes");
    }
}
