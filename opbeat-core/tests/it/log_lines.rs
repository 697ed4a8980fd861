//! Log lines in error reports, and the ids of transactions in log lines.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use log::{Log, Record};
use opbeat_core::events::log::ErrorLog;
use opbeat_core::events::tracing::{ErrorEvents, TransactionFields};
use opbeat_core::record::ErrorRecord;
use opbeat_core::{Agent, Config, Level};
use opbeat_testing::{MemoryExporter, Reply, ScriptedServer};
use tracing::{debug, error, info, warn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::PATIENCE;

/// Runs a job that logs, and returns the reports.
fn reports(config: &Config, job: impl FnOnce()) -> Vec<ErrorRecord> {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(config, exporter.clone());
    run(&agent, job);
    agent.flush(PATIENCE).unwrap();
    exporter.errors()
}

fn run(agent: &Agent, job: impl FnOnce()) {
    let transaction = agent.begin_transaction("task.test");
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || transaction.run(job));
    transaction.end("job", "ok");
}

fn fail() {
    opbeat_core::capture_error(&fmt::Error);
}

fn lines(error: &ErrorRecord) -> String {
    let line = |line: &opbeat_core::record::LogLine| {
        assert!(line.before < PATIENCE, "{line:?}");
        format!("{} {}: {}", line.level.as_str(), line.target, line.message)
    };
    error.log.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_error_shows_the_lines_before_it() {
    let errors = reports(&Config::default(), || {
        debug!("not kept");
        info!(target: "shop", shelf = 4, is_new = true, title = "Emma", "a book was {}", "sold");
        warn!(error = &fmt::Error as &(dyn std::error::Error + 'static), other = %fmt::Error, "odd");
        fail();
        info!("after the error");
    });
    insta::assert_snapshot!(lines(&errors[0]), @r"
    info shop: a book was sold shelf=4 is_new=true title=Emma
    warning it::log_lines: odd error=an error occurred when formatting an argument other=an error occurred when formatting an argument
    ");
}

#[test]
fn a_logged_error_is_a_line_of_later_errors() {
    let errors = reports(&Config::default(), || {
        info!(target: "shop", "before");
        error!(target: "shop", shelf = 4, "the shelf is broken");
        fail();
    });
    let [logged, captured] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!((logged.message.as_str(), lines(logged).as_str()), ("the shelf is broken", "info shop: before"));
    insta::assert_snapshot!(lines(captured), @r"
    info shop: before
    error shop: the shelf is broken shelf=4
    ");
}

#[test]
fn the_lowest_level_is_a_setting() {
    let logged = |config: &Config| {
        let job = || {
            debug!(target: "shop", "1");
            info!(target: "shop", "2");
            warn!(target: "shop", "3");
            fail();
        };
        lines(&reports(config, job)[0])
    };
    assert_eq!(logged(&Config::default().log_lines(Level::Debug)), "debug shop: 1\ninfo shop: 2\nwarning shop: 3");
    assert_eq!(logged(&Config::default().log_lines(Level::Warning)), "warning shop: 3");
    assert_eq!(logged(&Config::default().log_lines(None)), "");
}

#[test]
fn lines_are_bounded() {
    let errors = reports(&Config::default(), || {
        (0..100).for_each(|number| info!(target: "shop", "line {number}"));
        fail();
    });
    let log = &errors[0].log;
    assert_eq!((log.len(), log[0].message.as_str(), log[19].message.as_str()), (20, "line 80", "line 99"));
    let target = "a_target_with_a_name_of_more_than_one_hundred_bytes_\
                  a_target_with_a_name_of_more_than_one_hundred_bytes_";
    let errors = reports(&Config::default(), || {
        (0..20).for_each(|_| info!(target: "a_target_with_a_name_of_more_than_one_hundred_bytes_\
                                           a_target_with_a_name_of_more_than_one_hundred_bytes_", "{}", "é".repeat(5_000)));
        fail();
    });
    let log = &errors[0].log;
    assert_eq!(log.len(), 8, "8 KiB in total");
    for line in log {
        assert_eq!(line.message, format!("{}…", "é".repeat(250)));
        assert_eq!(line.target, target[..100]);
    }
}

#[test]
fn a_formatter_may_panic_or_use_the_transaction() {
    struct Odd(bool);
    impl fmt::Display for Odd {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            opbeat_core::current().set_tag("formatted", true);
            info!(target: "shop", "inside");
            f.write_str("started")?;
            if self.0 { panic!("no shelf") } else { Ok(()) }
        }
    }
    let errors = reports(&Config::default(), || {
        info!(target: "shop", "{} and ended", Odd(false));
        info!(target: "shop", "{} and ended", Odd(true));
        fail();
    });
    assert_eq!(errors.len(), 1, "the panic of a formatter is not an error of the application: {errors:#?}");
    insta::assert_snapshot!(lines(&errors[0]), @r"
    info shop: started and ended
    info shop: started
    ");
}

#[test]
fn secrets_in_lines_are_removed() {
    let errors = reports(&Config::default(), || {
        info!(target: "shop", password = "hunter2", "login with token=s3cr3tvalue");
        // The secret is at the position where the line is cut.
        info!(target: "shop", "{} password=hunter2", "x".repeat(485));
        fail();
    });
    let lines = lines(&errors[0]);
    assert!(!lines.contains("hunter2") && !lines.contains("s3cr3tvalue"), "{lines}");
    assert!(lines.contains("login with"), "{lines}");
}

#[test]
fn lines_of_another_transaction_are_not_shown() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    info!("outside of all transactions");
    run(&agent, || info!("of the first job"));
    run(&agent, fail);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors()[0].log, []);
}

#[test]
fn finished_requests_leave_no_lines() {
    use opbeat_core::http::HttpTransaction;
    use opbeat_core::record::Outcome;
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || {
        for request in 0..3 {
            let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |record| record.set_line("GET", "/"));
            {
                let _entered = transaction.current().enter();
                info!(target: "shop", "request {request}");
                if request == 2 {
                    fail();
                }
            }
            transaction.end(Outcome::Ok);
        }
    });
    agent.flush(PATIENCE).unwrap();
    assert_eq!(lines(&exporter.errors()[0]), "info shop: request 2");
}

#[test]
fn a_panic_shows_the_lines_before_it() {
    let errors = reports(&Config::default(), || {
        info!(target: "shop", "before");
        assert!(std::panic::catch_unwind(|| panic!("no cart")).is_err());
    });
    assert_eq!(lines(&errors[0]), "info shop: before");
}

#[test]
fn records_of_the_log_crate_are_lines() {
    struct Terminal;
    impl Log for Terminal {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &Record<'_>) {}
        fn flush(&self) {}
    }
    let errors = reports(&Config::default(), || {
        let logger = ErrorLog::new(Terminal);
        for level in [log::Level::Debug, log::Level::Info, log::Level::Warn] {
            logger.log(&Record::builder().level(level).target("shop").args(format_args!("{level}")).build());
        }
        logger.log(&Record::builder().level(log::Level::Info).target("opbeat").args(format_args!("own")).build());
        fail();
    });
    assert_eq!(lines(&errors[0]), "info shop: INFO\nwarning shop: WARN");
}

#[test]
fn lines_are_sent_as_a_list() {
    let server = ScriptedServer::start([Reply::Status(202, ""), Reply::Status(202, "")]);
    let agent = Agent::start(&server.config()).unwrap();
    run(&agent, || {
        info!(target: "shop", shelf = 4, "sold");
        fail();
    });
    agent.flush(PATIENCE).unwrap();
    let requests = server.requests();
    let error = requests.iter().find(|request| request.body.get("extra").is_some()).unwrap();
    let [line] = error.body["extra"]["log_lines"].as_array().unwrap().as_slice() else { panic!("{error:?}") };
    assert_eq!(
        (&line["level"], &line["target"], &line["message"]),
        (&"info".into(), &"shop".into(), &"sold shelf=4".into())
    );
    assert!(line["before"].as_f64().unwrap() < PATIENCE.as_secs_f64());
}

/// A log in memory.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Output {
    /// Logs with a subscriber outside of a transaction and in one. Returns the lines, and the transaction's ids.
    fn of(self, subscriber: impl tracing::Subscriber + Send + Sync) -> (String, [String; 2]) {
        let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
        let transaction = agent.begin_transaction("task.test");
        tracing::subscriber::with_default(subscriber, || {
            info!(target: "shop", shelf = 4, "outside");
            transaction.run(|| info!(target: "shop", "inside"));
        });
        let ids =
            [transaction.id().unwrap().to_string(), format!("{:032x}", transaction.trace_parent().unwrap().trace_id)];
        transaction.complete();
        (String::from_utf8(self.0.lock().unwrap().clone()).unwrap(), ids)
    }
}

#[test]
fn lines_of_text_show_the_ids() {
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(output.clone());
    let (text, [id, trace]) = output.of(subscriber.map_event_format(TransactionFields::new).finish());
    assert_eq!(text, format!(" INFO shop: outside shelf=4\n INFO shop: inside transaction={id} trace={trace}\n"));
}

#[test]
fn lines_of_json_have_keys_for_the_ids() {
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(output.clone());
    let (text, [id, trace]) = output.of(subscriber.map_event_format(TransactionFields::new).finish());
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [outside, inside] = lines.as_slice() else { panic!("{text}") };
    assert_eq!((outside.get("transaction"), &outside["fields"]["shelf"]), (None, &4.into()));
    assert_eq!((&inside["transaction"], &inside["trace"]), (&id.into(), &trace.into()));
    assert_eq!(inside["fields"]["message"], "inside");
}

#[test]
fn other_loggers_format_the_ids() {
    let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    assert_eq!(
        (opbeat_core::current().log_fields().to_string(), opbeat_core::current().log_fields().pairs().count()),
        (String::new(), 0)
    );
    let transaction = agent.begin_transaction("task.test");
    let fields = transaction.log_fields();
    let (id, trace) = (transaction.id().unwrap(), transaction.trace_parent().unwrap().trace_id);
    assert_eq!(fields.to_string(), format!("transaction={id} trace={trace:032x}"));
    let pairs: Vec<_> = fields.pairs().collect();
    assert_eq!(pairs, [("transaction", id.to_string()), ("trace", format!("{trace:032x}"))]);
    transaction.complete();
}
