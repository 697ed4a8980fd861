//! Removes calls that do not explain a failure: those that report it, that only forward a call, and that run tasks.

use super::owner::{is_of, is_ours};
use crate::record::Frame;

/// The largest number of calls of one stack that are sent.
const MAX_FRAMES: usize = 100;

/// The crates through which a failure is reported.
const REPORTERS: [&str; 6] = ["backtrace", "log", "tracing", "tracing_core", "tracing_log", "tracing_subscriber"];

/// Reduces a stack, the innermost call first, to the calls that explain the failure.
///
/// A stack that has only the runtime's calls keeps them, unless the failure's location is known.
pub(super) fn trim(frames: &mut Vec<Frame>, has_location: bool) {
    frames.drain(..count_reporting(frames));
    if let Some(end) = frames.iter().position(runs_tasks).filter(|end| *end > 0 || has_location) {
        frames.truncate(end);
    }
    frames.retain(|frame| frame.in_app || !(is_plumbing(frame) || is_ours(&frame.function, &frame.path)));
    frames.truncate(MAX_FRAMES);
}

/// Returns the number of innermost calls that only lead from the failure to its report.
///
/// The count ends at the first call of the application. This project's calls further out have called the application.
fn count_reporting(frames: &[Frame]) -> usize {
    let mut end = 0;
    for (at, frame) in frames.iter().enumerate() {
        if reports(frame) {
            end = at + 1;
        } else if frame.in_app || !is_of(&["alloc", "core", "std"], &frame.function, &frame.path) {
            break;
        }
    }
    let leads_there = |frame: &&Frame| !frame.in_app && (is_plumbing(frame) || is_conversion(frame));
    end + frames[end..].iter().take_while(leads_there).count()
}

fn reports(frame: &Frame) -> bool {
    let Frame { function, path, in_app, .. } = frame;
    !in_app && (is_ours(function, path) || is_of(&REPORTERS, function, path) || is_panic_machinery(function))
}

/// Returns whether a call only leads from a failed check to the panic hook.
fn is_panic_machinery(function: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "std::panicking",
        "core::panicking",
        "std::sys::backtrace",
        "rust_begin_unwind",
        "__rustc::rust_begin_unwind",
        "core::option::expect_failed",
        "core::option::unwrap_failed",
        "core::result::unwrap_failed",
        "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
    ];
    // A call that catches panics wraps the application's code.
    let catches = function.contains("::catch_unwind") || function.contains("short_backtrace");
    !catches && PREFIXES.iter().any(|prefix| function.starts_with(prefix))
        || (function.starts_with("<alloc::boxed::Box<") && function.contains("core::ops::function::Fn<"))
}

/// Returns whether a call is the `?` that converted one error into another.
fn is_conversion(frame: &Frame) -> bool {
    frame.function.contains("core::ops::try_trait::FromResidual<") || frame.function.starts_with("from_residual<")
}

/// Returns whether a call only forwards to the next one, as the calls around a poll or a closure do.
///
/// Such calls occur many times on each asynchronous stack. Inlined ones are recognised by their source file.
fn is_plumbing(frame: &Frame) -> bool {
    const PARTS: [&str; 12] = [
        "core::future::future::Future>::poll",
        "core::future::into_future",
        "core::ops::function::Fn",
        "core::panic::unwind_safe::AssertUnwindSafe",
        "std::panicking::try",
        "std::panicking::catch_unwind",
        "std::panic::catch_unwind",
        "std::sys::backtrace::__rust_begin_short_backtrace",
        "__rust_try",
        "futures_core::future::TryFuture",
        "tracing::instrument::Instrumented",
        "std::thread::local::LocalKey",
    ];
    const FILES: [&str; 9] = [
        "/core/src/future/future.rs",
        "/core/src/future/into_future.rs",
        "/core/src/ops/function.rs",
        "/core/src/panic/unwind_safe.rs",
        "/std/src/panicking.rs",
        "/std/src/panic.rs",
        "/std/src/sys/backtrace.rs",
        "/std/src/thread/local.rs",
        "/src/macros.rs",
    ];
    let Frame { function, path, .. } = frame;
    PARTS.iter().any(|part| function.contains(part))
        || FILES.iter().any(|file| path.ends_with(file))
        || is_of(&["futures_core", "futures_util"], function, path)
}

/// Returns whether a call is one of the runtime that polls a task or starts a thread. The calls further out are the
/// same in every application.
fn runs_tasks(frame: &Frame) -> bool {
    let Frame { function, path, in_app, .. } = frame;
    let polls_task = function.starts_with("tokio::runtime::task::") || path.contains("/src/runtime/task/");
    let is_tokio = is_of(&["tokio"], function, path);
    let starts = function.starts_with("std::sys::backtrace::__rust_begin_short_backtrace");
    !in_app && ((is_tokio && polls_task) || starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::symbols::owner::is_application;

    const TOKIO: &str = "/usr/local/cargo/registry/src/index-1/tokio-1.54.1/src/runtime";
    const OPBEAT: &str = "/usr/local/cargo/registry/src/index-1/opbeat-core-0.1.0/src";

    /// Returns the functions that are left of a stack.
    fn trimmed(stack: &[(&str, &str)]) -> Vec<String> {
        let frame = |(function, path): &(&str, &str)| Frame {
            in_app: is_application(function, path),
            function: (*function).to_owned(),
            path: (*path).to_owned(),
            ..Frame::default()
        };
        let mut frames: Vec<Frame> = stack.iter().map(frame).collect();
        trim(&mut frames, false);
        frames.into_iter().map(|frame| frame.function).collect()
    }

    #[test]
    fn calls_around_the_application_are_not_removed_as_reporting() {
        let ours = |file: &str| format!("{OPBEAT}/{file}");
        let (record, agent, current) = (ours("capture/record.rs"), ours("agent.rs"), ours("transaction/current.rs"));
        let core = format!("{TOKIO}/task/core.rs");
        let stack = [
            ("error_record<shop::CartError>", record.as_str()),
            ("opbeat_core::agent::capture_error", &agent),
            ("shop::cart::count", "/srv/shop/src/cart.rs"),
            ("opbeat_core::transaction::current::CurrentTransaction::run", &current),
            ("shop::cart::checkout", "/srv/shop/src/cart.rs"),
            ("<F as axum::handler::Handler<((),),S>>::call", "/app/vendor/axum/src/handler/mod.rs"),
            ("poll<alloc::boxed::Box<dyn Future>>", "/rustc/1/library/core/src/future/future.rs"),
            ("tokio::runtime::task::core::Core<T,S>::poll", &core),
            ("shop::main", "/srv/shop/src/main.rs"),
        ];
        let left = ["shop::cart::count", "shop::cart::checkout", "<F as axum::handler::Handler<((),),S>>::call"];
        assert_eq!(trimmed(&stack), left);
    }

    #[test]
    fn calls_that_log_or_convert_are_removed() {
        let from = "/usr/local/cargo/registry/src/index-1/opbeat-axum-0.1.0/src/error.rs";
        let option = "/rustc/1/library/core/src/option.rs";
        let logged = [
            ("opbeat_core::events::Event::report", ""),
            ("tracing_core::event::Event::dispatch", ""),
            ("map_or<(), usize>", option),
            ("tracing_core::dispatcher::get_default", ""),
            ("shop::cart::buy", "/srv/shop/src/cart.rs"),
        ];
        assert_eq!(trimmed(&logged), ["shop::cart::buy"]);
        let returned = [
            ("from<shop::CartError>", from),
            ("from_residual<&str, shop::CartError, opbeat_axum::error::Error>", "/rustc/1/library/core/src/result.rs"),
            ("shop::cart::buy", "/srv/shop/src/cart.rs"),
        ];
        assert_eq!(trimmed(&returned), ["shop::cart::buy"]);
        let panicked = [
            ("std::panicking::panic_with_hook", ""),
            ("core::panicking::panic_bounds_check", ""),
            ("alloc::vec::Vec<T>::remove::assert_failed", ""),
            ("shop::cart::buy", ""),
        ];
        assert_eq!(trimmed(&panicked), ["alloc::vec::Vec<T>::remove::assert_failed", "shop::cart::buy"]);
    }
}
