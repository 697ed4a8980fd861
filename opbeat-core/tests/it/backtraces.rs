//! Backtraces that errors contain, which must not be symbolised in a request. `RUST_BACKTRACE` belongs to the process,
//! so each test runs this program again.

use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::http::CapturedError;
use opbeat_core::record::ErrorRecord;
use tracing_subscriber::layer::SubscriberExt;

use crate::{PATIENCE, monitored};

const BACKTRACE: &str = "RUST_BACKTRACE";
const CHILD: &str = "OPBEAT_TEST_BACKTRACES";

/// Runs a test of this file in a child process for each value of `RUST_BACKTRACE`. Returns whether this is the child.
fn is_child(test: &str, values: &[&str]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    for value in values {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([&format!("backtraces::{test}"), "--exact", "--nocapture"]);
        let output = child.env(CHILD, "1").env(BACKTRACE, value).output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success() && stdout.contains("1 passed"), "{BACKTRACE}={value}: {stdout}{stderr}");
    }
    false
}

/// The number of stand-ins that were formatted.
static FORMATTED: AtomicUsize = AtomicUsize::new(0);

/// Stands for a backtrace: it counts how often it is formatted.
struct StandIn;

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FORMATTED.fetch_add(1, Ordering::Relaxed);
        f.write_str("Backtrace ")?;
        f.write_str("[{ fn: \"main\" }]")
    }
}

/// Has a backtrace in a field, as derived errors do.
#[derive(Debug)]
#[expect(dead_code, reason = "`Debug` shows the fields")]
struct Field {
    code: u32,
    backtrace: Option<StandIn>,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no shelf")
    }
}

impl Error for Field {}

/// Writes its message and its cause, and then its backtrace, as `anyhow` does.
struct Report {
    message: &'static str,
    cause: Option<fmt::Error>,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(cause) = &self.cause {
            write!(f, "\n\nCaused by:\n    {cause}")?;
        }
        let backtrace = format!("{StandIn:?}");
        write!(f, "\n\nStack backtrace:\n{backtrace}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Error for Report {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// An error of the application around a [`Report`].
#[derive(Debug)]
enum AppError {
    Internal(Report),
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal error")
    }
}

impl Error for AppError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Internal(report) = self;
        Some(report)
    }
}

/// Captures an error after a log event with this text. Returns the only report.
fn capture(error: &(dyn Error + 'static), log: &str) -> ErrorRecord {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        tracing::error!("loading failed: {log}");
        tracing::error!(error, "loading failed");
        opbeat_core::capture_error(error);
    });
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    let mut errors = exporter.errors();
    assert_eq!(errors.len(), 1, "{log}: {errors:#?}");
    errors.remove(0)
}

/// An error, a log event about it, and the type name and the causes in its report.
type Case<'a> = (Box<dyn Error>, &'a str, &'a str, &'a [&'a str]);

#[test]
fn a_backtrace_is_not_formatted() {
    if !is_child("a_backtrace_is_not_formatted", &["0", "1"]) {
        return;
    }
    let report = |message| Report { message, cause: None };
    let with_cause = || Report { message: "no cart", cause: Some(fmt::Error) };
    let cause = fmt::Error.to_string();
    let cases: [Case<'_>; 5] = [
        (
            Box::new(Field { code: 7, backtrace: Some(StandIn) }),
            "Field { code: 7, backtrace: Backtrace [{ fn }] }",
            "Field",
            &[],
        ),
        (Box::new(report("no cart")), "no cart\n\nStack backtrace:\n0: main", "Error", &[]),
        (Box::new(with_cause()), "no cart\n\nCaused by:\n    1\n\nStack backtrace:\n0: main", "Error", &[&cause]),
        (
            Box::new(AppError::Internal(report("no cart"))),
            "Internal(no cart\n\nStack backtrace:\n0: main)",
            "Internal",
            &["no cart"],
        ),
        (
            Box::new(AppError::Internal(with_cause())),
            "Internal(no cart\n\nCaused by:\n    1)",
            "Internal",
            &["no cart", &cause],
        ),
    ];
    for (error, log, type_name, causes) in cases {
        let record = capture(&*error, log);
        assert_eq!((record.type_name.as_deref(), &record.message), (Some(type_name), &error.to_string()));
        assert_eq!(record.causes.iter().map(|cause| &cause.message).collect::<Vec<_>>(), causes, "{log}");
    }
    let printed = CapturedError::from_debug(&Field { code: 7, backtrace: Some(StandIn) });
    assert_eq!(printed.to_string(), "Field { code: 7, backtrace…");
    assert_eq!(FORMATTED.load(Ordering::Relaxed), 0);
}

#[test]
fn a_logged_backtrace_is_left_out() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || {
        let error = Report { message: "no cart", cause: Some(fmt::Error) };
        tracing::error!(?error, "loading failed: {error:?}");
    });
    agent.flush(PATIENCE).unwrap();
    let report = exporter.errors().remove(0);
    let printed = format!("no cart\n\nCaused by:\n    {}", fmt::Error);
    assert_eq!(report.message, format!("loading failed: {printed}"));
    assert!(report.extra.contains(&("error".into(), printed.into())), "{:?}", report.extra);
}

/// A tuple field has no name that announces a backtrace.
#[derive(Debug)]
struct Traced(StandIn);

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no shelf")
    }
}

impl Error for Traced {}

#[test]
fn an_unannounced_backtrace_is_formatted_once() {
    if is_child("an_unannounced_backtrace_is_formatted_once", &["0", "1"]) {
        for _ in 0..3 {
            assert_eq!(CapturedError::new(&Traced(StandIn)).to_string(), "no shelf");
            assert_eq!(CapturedError::from_debug(&Traced(StandIn)).to_string(), "Traced(…");
            assert_eq!(CapturedError::from_debug(&Some("shelf")).to_string(), "Some(\"shelf\")", "others are complete");
        }
        assert_eq!(FORMATTED.load(Ordering::Relaxed), 1);
    }
}

/// Contains an error of `anyhow` and shows its message only.
#[derive(Debug)]
struct Hidden(anyhow::Error);

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hidden: {}", self.0)
    }
}

impl Error for Hidden {}

/// Contains an error of `anyhow` as its source.
#[derive(Debug)]
enum Shown {
    Internal(anyhow::Error),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal error")
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Internal(error) = self;
        Some(&**error)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "`Debug` shows the field")]
struct Standard {
    backtrace: Backtrace,
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no shelf")
    }
}

impl Error for Standard {}

/// Returns how often this program's file is in its memory, on Linux. To symbolise, the standard library maps the file
/// once more.
fn mapped_parts() -> usize {
    let program = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter(|line| line.ends_with(program.to_str().unwrap())).count()
}

/// No agent runs in this process, because it would symbolise the stacks of its reports in the background.
#[test]
fn no_backtrace_is_symbolised() {
    if !is_child("no_backtrace_is_symbolised", &["1"]) {
        return;
    }
    let before = mapped_parts();
    let disk = || anyhow::Error::new(std::io::Error::other("disk"));
    let context = || disk().context("no order");
    let boxed = |error: anyhow::Error| {
        let error: Box<dyn Error + Send + Sync> = error.into();
        CapturedError::of_type::<anyhow::Error>(&*error)
    };
    let captured = [
        boxed(anyhow::anyhow!("Timeout")),
        boxed(disk()),
        boxed(context()),
        boxed(anyhow::Error::new(Shown::Internal(disk()))),
        CapturedError::new(&Shown::Internal(anyhow::anyhow!("away"))),
        CapturedError::new(&Shown::Internal(context())),
        CapturedError::new(&Hidden(context())),
        CapturedError::new(&Standard { backtrace: Backtrace::capture() }),
        CapturedError::from_debug(&Hidden(context())),
        CapturedError::from_debug(&Standard { backtrace: Backtrace::capture() }),
    ];
    assert_eq!(mapped_parts(), before, "a backtrace was symbolised");
    insta::assert_snapshot!(
        captured.map(|error| format!("{error:?}").split(", location").next().unwrap().to_owned()).join("\n"),
        @r#"
        CapturedError { type_name: Some("Error"), message: "Timeout", causes: []
        CapturedError { type_name: Some("Custom"), message: "disk", causes: []
        CapturedError { type_name: Some("Error"), message: "no order", causes: [Cause { type_name: "Custom", message: "disk" }]
        CapturedError { type_name: Some("Internal"), message: "internal error", causes: [Cause { type_name: "Custom", message: "disk" }]
        CapturedError { type_name: Some("Shown"), message: "internal error", causes: [Cause { type_name: "Error", message: "away" }]
        CapturedError { type_name: Some("Shown"), message: "internal error", causes: [Cause { type_name: "Error", message: "no order" }, Cause { type_name: "Custom", message: "disk" }]
        CapturedError { type_name: Some("Hidden"), message: "hidden: no order", causes: []
        CapturedError { type_name: Some("Standard"), message: "no shelf", causes: []
        CapturedError { type_name: Some("Hidden"), message: "Hidden(Error { context: \"no order\", source: Custom { kind: Other, error: \"disk\" } })", causes: []
        CapturedError { type_name: Some("Standard"), message: "Standard { backtrace…", causes: []
        "#
    );
    drop(Backtrace::capture().to_string());
    assert!(mapped_parts() > before || !cfg!(target_os = "linux"), "the file is mapped when a backtrace is symbolised");
}
