//! A headless Chromium walks through the pages as a new user does, without JavaScript and by keyboard, on data of the suite.
//!
//! Each page is audited by axe-core in light and dark mode and on a phone. With `OPBEAT_WALK_SCREENSHOTS=FOLDER`, pictures of
//! the pages are written there. Without Chromium, Node or npm, the tests are reported as ignored, with the missing package.

#![expect(clippy::unwrap_used, reason = "test code")]

mod chromium;
mod first_day;
mod past;
mod server;
mod shop;
mod slow_down;

use std::pin::Pin;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

/// The programs that the tests need, with their packages on Debian.
const NEEDED: [(&str, &str); 3] = [("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];

fn main() -> ExitCode {
    let walks = [
        trial("a_new_user_gets_to_a_reassigned_error", || Box::pin(first_day::walk())),
        trial("a_slow_down_is_found_after_a_release", || Box::pin(slow_down::walk())),
    ];
    libtest_mimic::run(&Arguments::from_args(), walks.into()).exit_code()
}

fn trial(name: &str, walk: fn() -> Pin<Box<dyn Future<Output = ()>>>) -> Trial {
    Trial::ignorable_test(name, move || {
        let missing = NEEDED.iter().find(|(program, _)| chromium::find(program).is_none());
        if let Some((program, package)) = missing {
            let reason = format!("{program} is not installed; on Debian: `apt-get install {package}`");
            return Ok(Completion::ignored_with(reason));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(walk());
        Ok(Completion::Completed)
    })
}
