//! Sends an application's requests to one of its copies.

use crate::Failed;
use crate::application::Application;
use crate::folders::{Copy, Folders};
use crate::http::{Answer, Client};
use crate::process::Running;

/// Starts a copy of the application, sends the requests one after the other, and returns the answers.
///
/// `check` is called with the answers before the application is stopped.
pub fn drive(
    application: &Application,
    copy: Copy,
    folders: &Folders,
    server: &str,
    check: impl FnOnce(&[Answer]),
) -> Result<Vec<Answer>, Failed> {
    let running = Running::start(application, copy, folders, server)?;
    let mut client = Client::new(running.address());
    let (mut answers, mut taken) = (Vec::new(), String::new());
    for request in application.requests {
        let failed = |failed: &dyn std::fmt::Display| format!("{} {}: {failed}", request.method, request.target);
        let answer = client.send(request, &taken).map_err(|error| failed(&error))?;
        if let Some((before, after)) = request.taken {
            let part = answer.between(before, after);
            taken = part.ok_or_else(|| failed(&format!("the response contains no {before:?}: {answer:?}")))?;
        }
        answers.push(answer);
    }
    check(&answers);
    Ok(answers)
}
