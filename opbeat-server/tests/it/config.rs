//! The configuration: file, variables and flags, through the real binary.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::running::Looks;

/// A folder with a file `opbeat.toml`.
fn folder(toml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("opbeat.toml"), toml).unwrap();
    folder
}

/// Makes a command in a folder, without the variables of this process that set keys.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPBEAT_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(folder, arguments).envs(variables.iter().copied()).output().unwrap()
}

/// Checks a file with mistakes, and returns the lines that are printed.
fn mistakes(toml: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(toml);
    let arguments = [&["check-config", "opbeat.toml"], arguments].concat();
    let output = run(folder.path(), &arguments, variables);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

/// Checks a valid configuration, and returns the printed line of a key.
fn effective(folder: &Path, key: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(folder, &[&["check-config"], arguments].concat(), variables);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let printed = text(&output.stdout);
    let line = printed.lines().find(|line| line.trim_start_matches("# ").starts_with(&format!("{key} ")));
    line.unwrap_or_else(|| panic!("{key} is missing:\n{printed}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn all_mistakes_of_a_file_are_listed_with_their_lines() {
    let toml = "listen = \"everywhere\"\n\
                lisen = \"127.0.0.1:1\"\n\
                trusted_proxies = [\"10.0.0.0/8\", 7]\n\
                log = \"a=b=c\"\n\
                [limits]\n\
                boddy_bytes = 1\n\
                header_seconds = \"10\"\n\
                body_bytes = \"4 apples\"\n\
                queue_bytes = -1\n\
                app_quota_days = 0\n\
                page_seconds = 1.5\n\
                [tls]\n\
                certificate = \"cert.pem\"\n\
                [limitz]\n\
                connections = 5\n";
    let expected = [
        "opbeat.toml:1: invalid value 'everywhere' for 'listen': expected an IP address and a port such as \
         127.0.0.1:8200, or a list of them",
        "opbeat.toml:2: unknown key 'lisen': expected 'listen'",
        "opbeat.toml:3: invalid value a list of other things than texts for 'trusted_proxies': expected IP addresses \
         such as 10.0.0.1, or ranges of them such as 10.0.0.0/8, or \"none\"",
        "opbeat.toml:4: invalid value 'a=b=c' for 'log': expected a filter of log lines such as info or \
         opbeat_server=debug",
        "opbeat.toml:6: unknown key 'limits.boddy_bytes': expected 'limits.body_bytes'",
        "opbeat.toml:7: invalid value '10' for 'limits.header_seconds': expected a whole number from 1 to 600",
        "opbeat.toml:8: invalid value '4 apples' for 'limits.body_bytes': expected a number of bytes, or a text such \
         as \"64 MiB\", from 1 KiB to 64 MiB",
        "opbeat.toml:9: invalid value -1 for 'limits.queue_bytes': expected a number of bytes, or a text such as \
         \"64 MiB\", from 1 MiB to 64 TiB",
        "opbeat.toml:10: invalid value 0 for 'limits.app_quota_days': expected a whole number from 1 to 366",
        "opbeat.toml:11: invalid value a number with a fraction for 'limits.page_seconds': expected a whole number \
         from 1 to 600",
        "opbeat.toml:13: 'tls.certificate' is set and 'tls.key' is not; set both, or none for plain HTTP",
        "opbeat.toml:14: unknown table 'limitz': expected 'limits'",
    ];
    let mut found = mistakes(toml, &[], &[]);
    found.sort_by_key(|line| line.split(':').nth(1).unwrap().parse::<usize>().unwrap());
    assert_eq!(found, expected);
}

#[test]
fn lines_that_are_not_toml_are_listed_with_the_other_mistakes() {
    let found = mistakes("data = \nlimits.body_bytes = true\nlisten = \"127.0.0.1:1\nlog = \"info\"\n", &[], &[]);
    assert!(found[0].starts_with("opbeat.toml:1: this is not TOML: "), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("opbeat.toml:2: invalid value a boolean for ")), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("opbeat.toml:3: this is not TOML: ")), "{found:?}");
}

#[test]
fn mistakes_of_variables_and_flags_are_listed_too() {
    let variables = [
        ("OPBEAT_LIMITS_CONNECTIONS", "many"),
        ("OPBEAT_LIMITS_BODY_BITES", "1"),
        ("OPBEAT_STORE", "mysql://opbeat:s3cret@db/opbeat"),
        ("OPBEAT_LIMITS_HEADER_SECONDS", ""),
        ("OPBEAT_FLUSH_INTERVAL", "a variable of agents"),
    ];
    let found = mistakes("colour = 1\n", &["--limits-page-seconds", "0"], &variables);
    let starts = [
        "opbeat.toml:1: unknown key 'colour': remove it; `opbeat serve --help` prints all keys",
        "OPBEAT_STORE: invalid value (hidden) for 'OPBEAT_STORE': expected a URL such as postgres://HOST or",
        "OPBEAT_LIMITS_CONNECTIONS: invalid value 'many' for 'OPBEAT_LIMITS_CONNECTIONS': expected a whole number",
        "OPBEAT_LIMITS_BODY_BITES: unknown variable 'OPBEAT_LIMITS_BODY_BITES': expected 'OPBEAT_LIMITS_BODY_BYTES'",
        "--limits-page-seconds: invalid value '0' for '--limits-page-seconds': expected a whole number from 1 to 600",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn values_that_contradict_each_other_are_mistakes() {
    let found = mistakes("[limits]\nbody_bytes = \"16 MiB\"\ninflated_bytes = \"8 MiB\"\n", &[], &[]);
    assert_eq!(
        found,
        [
            "opbeat.toml:3: 'limits.inflated_bytes' is less than 'limits.body_bytes': increase the first one, or decrease \
          the second one"
        ]
    );
    let found = mistakes("listen = [\"127.0.0.1:80\", \"127.0.0.1:81\", \"127.0.0.1:80\"]", &[], &[]);
    assert_eq!(found, ["opbeat.toml:1: 'listen' contains the address 127.0.0.1:80 twice; remove one"]);
    let found = mistakes("queue = \"amqp://mq\"", &["--role", "worker"], &[]);
    assert!(found[0].starts_with("opbeat.toml:1: `opbeat worker` shares its data with other processes: pass --store "));
    let found = mistakes("store = \"postgres://db\"", &["--role", "intake"], &[]);
    assert!(found[0].starts_with("`opbeat intake` shares its data with other processes: pass --queue "), "{found:?}");
}

/// One example for each class of mistakes that the tests above do not have.
#[test]
fn each_class_of_mistakes_says_what_to_change() {
    let cases = [
        ("data = 7", "1: invalid value 7 for 'data': expected the path of a folder"),
        ("data = \"\"", "1: invalid value '' for 'data': expected the path of a folder"),
        ("listen = []", "1: invalid value '' for 'listen': expected an IP address and a port"),
        ("listen = 2026-11-27", "1: invalid value a date for 'listen': expected an IP address and a port"),
        ("[tls]\nkey = [\"a\"]", "2: invalid value 'a' for 'tls.key': expected the path of a file, or \"none\""),
        (
            "[tls]\nkey = \"a.key\"",
            "2: 'tls.key' is set and 'tls.certificate' is not; set both, or none for plain HTTP",
        ),
        (
            "queue = \"mq.internal:5672\"",
            "1: invalid value (hidden) for 'queue': expected a URL such as amqp://HOST or",
        ),
        ("store = { host = \"db\" }", "1: invalid value a table for 'store': expected a URL such as postgres://HOST"),
        ("public_url = \"monitor\"", "1: invalid value 'monitor' for 'public_url': expected a URL such as https://"),
        ("public_url = \"https://a.example/api/\"", "1: invalid value 'https://a.example/api/' for 'public_url'"),
        (
            "[probe]\nurl = \"ftp://a\"",
            "2: invalid value 'ftp://a' for 'probe.url': expected a URL such as http://HOST",
        ),
        ("[probe]\nseconds = 99999", "2: invalid value 99999 for 'probe.seconds': expected a whole number from 0 to"),
        (
            "[limits]\nconnections = \"5\"",
            "2: invalid value '5' for 'limits.connections': expected a whole number from",
        ),
        (
            "[limits]\nmin_free_bytes = \"1 parsec\"",
            "2: invalid value '1 parsec' for 'limits.min_free_bytes': expected",
        ),
        ("limits = 5", "1: 'limits' is a table; write its keys below a line [limits]"),
        (
            "[retention.rollup_days]\nvalue = 1",
            "1: invalid value a table for 'retention.rollup_days': expected a whole",
        ),
        ("[listen]\nport = 1", "1: invalid value a table for 'listen': expected an IP address and a port"),
        ("body_bytes = 5000", "1: unknown key 'body_bytes': expected 'limits.body_bytes'"),
        ("data = \"a\"\ndata = \"b\"", "2: this is not TOML: "),
        (
            "[limits]\nconnections = 10\nconnections_per_address = 11",
            "2: 'limits.connections' is less than 'limits.connections_per_address': increase the first one, or decrease",
        ),
        (
            "store = \"postgres://a:b@db/?sslmode=prefer\"",
            "1: sslmode in the URL of PostgreSQL must be verify-full, verify-ca, require or disable; use verify-full",
        ),
        (
            "store = \"postgres://a:b@db/?sslmode=verify-full&sslrootcert=/none.crt\"",
            "1: the connection to PostgreSQL cannot be encrypted: cannot read the certificates of authorities in /none.crt",
        ),
        (
            "queue = \"amqps://a:b@mq/?cacertfile=/none.crt\"",
            "1: the connection to RabbitMQ cannot be encrypted: cannot read the certificates of authorities in /none.crt",
        ),
        (
            "queue = \"amqp://a:b@mq/?cacertfile=/none.crt\"",
            "1: cacertfile in the URL of RabbitMQ needs a URL that starts",
        ),
        (
            "[limits]\nin_flight_bytes = \"2 MiB\"",
            "2: 'limits.in_flight_bytes' is less than 'limits.body_bytes': increase the first one, or decrease",
        ),
    ];
    for (toml, start) in cases {
        let found = mistakes(toml, &[], &[]);
        let is_found = |line: &String| line.starts_with(&format!("opbeat.toml:{start}"));
        assert!(found.len() == 1 && is_found(&found[0]), "{toml}: {found:?} instead of {start}");
    }
}

#[cfg(unix)]
#[test]
fn files_and_variables_that_cannot_be_read_are_mistakes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let check = |folder: &Path, variables: &[(&str, &OsStr)]| {
        let output = command(folder, &["check-config"]).envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stdout)
    };
    let empty = tempfile::tempdir().unwrap();
    let latin = OsStr::from_bytes(b"caf\xe9");
    for name in ["OPBEAT_CONFIG", "OPBEAT_DATA", "OPBEAT_STORE"] {
        let line = format!("{name}: the value of '{name}' is not UTF-8\n");
        assert_eq!(check(empty.path(), &[(name, latin)]), line);
    }
    let missing = check(empty.path(), &[("OPBEAT_QUEUE_FILE", OsStr::new("secret"))]);
    assert!(missing.starts_with("OPBEAT_QUEUE_FILE: cannot read the file secret: No such file"), "{missing}");
    let unknown = check(empty.path(), &[("OPBEAT_RETENTION_FOR_EVER", OsStr::new("1"))]);
    assert_eq!(unknown, "OPBEAT_RETENTION_FOR_EVER: unknown variable 'OPBEAT_RETENTION_FOR_EVER': remove it\n");

    let file = [("OPBEAT_CONFIG", OsStr::new("opbeat.toml"))];
    let large = check(folder(&"#".repeat((1 << 20) + 1)).path(), &file);
    assert!(large.contains("cannot read the configuration opbeat.toml: the file is larger than 1 MiB"), "{large}");
    let other = folder("");
    std::fs::write(other.path().join("opbeat.toml"), b"data = \"caf\xe9\"").unwrap();
    let not_utf8 = check(other.path(), &file);
    assert!(
        not_utf8.contains("cannot read the configuration opbeat.toml: stream did not contain valid UTF-8"),
        "{not_utf8}"
    );
}

#[test]
fn flags_are_over_variables_and_variables_over_the_file() {
    let folder = folder("listen = \"127.0.0.1:1\"\n[limits]\nbody_bytes = 8192\n");
    let effective = |key, arguments: &[&str], variables: &[(&str, &str)]| {
        effective(folder.path(), key, &[&["--config", "opbeat.toml"], arguments].concat(), variables)
    };
    assert_eq!(effective("limits.body_bytes", &[], &[]), "limits.body_bytes = \"8 KiB\" # opbeat.toml:3");
    let variable = ("OPBEAT_LISTEN", "127.0.0.1:2, [::1]:2");
    assert_eq!(
        effective("listen", &[], &[variable]),
        "listen = [\"127.0.0.1:2\", \"[::1]:2\"] # OPBEAT_LISTEN",
        "a variable replaces a list"
    );
    let flags = ["--listen", "127.0.0.1:3", "--listen", "127.0.0.1:4"];
    assert_eq!(effective("listen", &flags, &[variable]), "listen = [\"127.0.0.1:3\", \"127.0.0.1:4\"] # --listen");
    assert_eq!(effective("limits.header_seconds", &[], &[]), "limits.header_seconds = 10 # default");
    assert_eq!(effective("store", &[], &[]), "# store is not set # default");
    assert_eq!(effective("log", &[], &[("RUST_LOG", "warn")]), "log = \"warn\" # RUST_LOG");
    let both = [("RUST_LOG", "warn"), ("OPBEAT_LOG", "debug")];
    assert_eq!(effective("log", &[], &both), "log = \"debug\" # OPBEAT_LOG");
}

#[test]
fn the_file_is_found_in_the_data_folder_and_its_paths_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state");
    std::fs::create_dir(&data).unwrap();
    let toml = "[tls]\ncertificate = \"cert.pem\"\nkey = \"/etc/key.pem\"\n[retention]\nrollup_days = 30\n";
    std::fs::write(data.join("opbeat.toml"), toml).unwrap();
    let effective = |key, variables: &[(&str, &str)]| effective(folder.path(), key, &["--data", "state"], variables);
    assert_eq!(effective("tls.certificate", &[]), "tls.certificate = \"state/cert.pem\" # state/opbeat.toml:2");
    assert_eq!(effective("tls.key", &[]), "tls.key = \"/etc/key.pem\" # state/opbeat.toml:3");
    assert_eq!(
        effective("retention.rollup_days", &[("OPBEAT_RETENTION_ROLLUP_DAYS", "none")]),
        "# retention.rollup_days is not set # OPBEAT_RETENTION_ROLLUP_DAYS"
    );
    std::fs::write(folder.path().join("other.toml"), "").unwrap();
    let other = [("OPBEAT_CONFIG", "other.toml")];
    assert_eq!(effective("tls.certificate", &other), "# tls.certificate is not set # default");
    let missing = run(folder.path(), &["check-config", "missing.toml"], &[]);
    assert!(text(&missing.stdout).starts_with("cannot read the configuration missing.toml: No such file"));
}

#[test]
fn passwords_are_not_printed_and_can_be_in_a_file() {
    let folder = folder("queue = \"amqp://opbeat:s3cret@mq:5672\"\n");
    std::fs::write(folder.path().join("store"), "postgres://opbeat:s3cret@db/opbeat?sslmode=require\n").unwrap();
    let variables = [("OPBEAT_STORE_FILE", "store"), ("OPBEAT_CONFIG", "opbeat.toml")];
    let output = run(folder.path(), &["check-config", "--role", "worker"], &variables);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("queue = \"amqp://opbeat:***@mq:5672\""), "{printed}");
    assert!(printed.contains("store = \"postgres://opbeat:***@db/opbeat?sslmode=require\""), "{printed}");
    assert!(printed.contains("# OPBEAT_STORE_FILE"), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
    let twice = [variables[0], variables[1], ("OPBEAT_STORE", "postgres://db")];
    let output = run(folder.path(), &["check-config"], &twice);
    assert!(text(&output.stdout).contains("'OPBEAT_STORE_FILE' and 'OPBEAT_STORE' are both set; set one of them"));
}

#[test]
fn mistakes_of_the_provider_have_their_lines_and_its_secret_is_not_printed() {
    let toml = "[openid_connect]\n\
                issuer = \"http://login.acme.example\"\n\
                domains = [\"Acme.example\"]\n\
                role = \"king\"\n\
                organization = \"Acme Inc\"\n\
                name = \"\"\n\
                [sign_in]\n\
                passwords = \"no\"\n";
    let found = mistakes(toml, &[], &[]);
    let starts = [
        "opbeat.toml:2: invalid value 'http://login.acme.example' for 'openid_connect.issuer': expected a URL such as",
        "opbeat.toml:3: invalid value 'Acme.example' for 'openid_connect.domains': expected a domain in lower case",
        "opbeat.toml:4: invalid value 'king' for 'openid_connect.role': expected reader, member or admin",
        "opbeat.toml:5: invalid value 'Acme Inc' for 'openid_connect.organization': expected the short name of an",
        "opbeat.toml:6: invalid value '' for 'openid_connect.name': expected a name of at most 100 characters",
        "opbeat.toml:8: invalid value 'no' for 'sign_in.passwords': expected true or false",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    for (toml, message) in [
        (
            "[openid_connect]\nissuer = \"https://login.acme.example/\"\nclient_id = \"opbeat\"\n",
            "opbeat.toml:2: 'openid_connect.issuer' is set and 'openid_connect.client_secret' is not",
        ),
        (
            "[openid_connect]\norganization = \"acme\"\n",
            "opbeat.toml:2: 'openid_connect.organization' lets new people in, and 'openid_connect.domains' is not set",
        ),
        ("[sign_in]\npasswords = false\n", "opbeat.toml:2: 'sign_in.passwords' is false and there is no provider"),
    ] {
        let found = mistakes(toml, &[], &[]);
        assert!(found.len() == 1 && found[0].starts_with(message), "{found:?}");
    }
    let toml = "[openid_connect]\nissuer = \"https://login.acme.example/\"\nclient_id = \"opbeat\"\n";
    let folder = folder(toml);
    std::fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
    let variables = [
        ("OPBEAT_CONFIG", "opbeat.toml"),
        ("OPBEAT_OPENID_CONNECT_CLIENT_SECRET_FILE", "secret"),
        ("OPBEAT_SIGN_IN_PASSWORDS", "false"),
    ];
    let line = |key| effective(folder.path(), key, &[], &variables);
    assert!(line("openid_connect.issuer").contains("\"https://login.acme.example/\""), "the slash is a part of it");
    let secret = line("openid_connect.client_secret");
    assert!(secret.contains("\"***\"") && secret.contains("# OPBEAT_OPENID_CONNECT_CLIENT_SECRET_FILE"), "{secret}");
    assert!(line("sign_in.passwords").contains("= false"));
}

#[test]
fn a_server_with_mistakes_does_not_start() {
    let folder = folder("[limits]\nconnections = 0\nbody_bytes = 1\n");
    let output = run(folder.path(), &["serve", "--config", "opbeat.toml", "--data", "state"], &[]);
    let error = text(&output.stderr);
    assert!(error.starts_with("error: the configuration has 2 mistakes:\n  opbeat.toml:2: "), "{error}");
    assert!(error.contains("\n  opbeat.toml:3: "), "{error}");
    assert!(!folder.path().join("state").exists());
    let created = run(folder.path(), &["app", "create", "acme/shop", "--config", "opbeat.toml"], &[]);
    assert!(text(&created.stderr).contains("opbeat.toml:2: "), "commands read the same file");
}

#[test]
fn roles_of_their_own_need_a_shared_queue_and_database() {
    let folder = tempfile::tempdir().unwrap();
    for (role, missing) in [
        ("intake", "pass --queue amqp://… and --store postgres://…"),
        ("worker", "pass --queue amqp://… and --store postgres://…"),
        ("web", "pass --store postgres://…"),
    ] {
        let output = run(folder.path(), &[role, "--data", "state"], &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(&format!("`opbeat {role}` shares its data with other processes: {missing}")), "{error}");
        assert!(error.contains("`opbeat serve` runs all roles in one process"), "{error}");
        assert!(!folder.path().join("state").exists(), "{role} creates no data folder");
    }
}

/// Starts a server, and returns it with its addresses and the lines that it prints next.
fn start(folder: &Path, arguments: &[&str]) -> (Child, Vec<String>, impl Iterator<Item = String> + use<>) {
    let mut command = command(folder, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().expect("the server prints its addresses");
    let urls = first.strip_prefix("Opbeat listens on ").unwrap().split(", ").map(str::to_owned).collect();
    (child, urls, lines)
}

#[cfg(unix)]
#[tokio::test]
async fn pages_run_alone_without_a_data_folder_and_while_the_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = "postgres://opbeat:s3cret@127.0.0.1:1/opbeat";
    let arguments = ["web", "--listen", "127.0.0.1:0", "--data", "state", "--store", store];
    let (mut child, urls, mut lines) = start(folder.path(), &arguments);
    assert!(lines.next().unwrap().starts_with(&format!("Sign in: {}/sign-in?token=", urls[0])));
    assert_eq!(lines.next().unwrap(), "The link is valid while this server runs.");
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{}{path}", urls[0])).send();
    let health = get("/healthz").await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    let health: Value = health.json().await.unwrap();
    assert_eq!((&health["status"], &health["queue"]), (&Value::from("running"), &Value::Null), "{health}");
    let mut looks = Looks::new();
    while get("/healthz?ready").await.unwrap().status() != StatusCode::SERVICE_UNAVAILABLE {
        looks.next("the health check does not notice that the database is away").await;
    }
    assert_eq!(get("/sign-in").await.unwrap().status(), StatusCode::OK);
    let intake = get("/api/v1/organizations/acme/apps/shop/").await.unwrap();
    assert_eq!(intake.status(), StatusCode::NOT_FOUND, "this process does not accept data");
    assert!(!folder.path().join("state").exists());
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("the database cannot be opened") && !log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn a_server_listens_on_all_addresses_of_its_file_with_its_limits() {
    let folder = folder(
        "data = \"state\"\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\npublic_url = \"https://opbeat.example/monitor/\"\n\
         [limits]\nbody_bytes = \"1 KiB\"\n",
    );
    let (mut child, urls, mut lines) = start(folder.path(), &["serve", "--config", "opbeat.toml"]);
    assert_eq!(urls.len(), 2, "{urls:?}");
    assert_eq!(lines.next().unwrap(), "Data folder: state");
    assert!(lines.next().unwrap().starts_with("Sign in: https://opbeat.example/monitor/sign-in?token="));
    let arguments = ["app", "create", "acme/shop", "--config", "opbeat.toml"];
    let created = text(&run(folder.path(), &arguments, &[]).stdout);
    let value = |name: &str| created.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    assert_eq!(value("OPBEAT_SERVER_URL="), "https://opbeat.example/monitor");
    let path = format!("api/v1/organizations/{}/apps/{}", value("OPBEAT_ORGANIZATION_ID="), value("OPBEAT_APP_ID="));
    for url in urls {
        let client = reqwest::Client::new();
        let health: Value = client.get(format!("{url}/healthz")).send().await.unwrap().json().await.unwrap();
        assert_eq!(health["status"], "accepting");
        let post = client.post(format!("{url}/{path}/errors/")).bearer_auth(value("OPBEAT_SECRET_TOKEN="));
        let response = post.body(format!("{{\"message\": \"{}\"}}", "x".repeat(2_000))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
