//! Fetches into a bare repository.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use gix::bstr::ByteSlice;
use gix::progress::Discard;
use gix::protocol::credentials::{helper, protocol};
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::http::Transport;
use gix::remote::ref_map;
use gix::sec::identity::Account;

use super::http::Client;
use super::meter::{Failure, Meter};
use super::task::Task;
use crate::error::{clip, damaged};
use crate::repository::{RECEIVED, isolated};
use crate::{Budget, Error};

/// All branches and tags, under their own names.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// The time between two looks at the budget.
const STEP: Duration = Duration::from_millis(50);

/// Makes a bare clone in the folder, which must not exist.
pub(super) fn clone(folder: &Path, task: &Task<'_>) -> Result<u64, Error> {
    gix::ThreadSafeRepository::init_opts(
        folder,
        gix::create::Kind::Bare,
        gix::create::Options { destination_must_be_empty: Some(true), ..gix::create::Options::default() },
        isolated(RECEIVED),
    )
    .map_err(damaged)?;
    update(folder, task)
}

/// Fetches into an existing clone.
pub(super) fn update(folder: &Path, task: &Task<'_>) -> Result<u64, Error> {
    let repo = isolated(RECEIVED)
        .open(folder)
        .map_err(|_| Error::NotARepository { path: folder.to_owned() })?
        .to_thread_local();
    let meter = Arc::new(Meter::new(task.progress));
    match within_budget(task.budget, |stop| receive(&repo, task, &meter, stop)) {
        Ok(()) => Ok(meter.received()),
        Err(error) => Err(explain(task, &meter, &error)),
    }
}

/// Runs `work` with a flag that is set at the end of the budget: the time of the network is kept by the client, but a
/// pack is indexed after the last byte.
fn within_budget<T>(budget: &Budget, work: impl FnOnce(&AtomicBool) -> T) -> T {
    let stop = AtomicBool::new(false);
    let (finished, watched) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let watched = watched;
            while watched.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
                if budget.check().is_err() {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
        let result = work(&stop);
        drop(finished);
        result
    })
}

fn receive(repo: &gix::Repository, task: &Task<'_>, meter: &Arc<Meter>, stop: &AtomicBool) -> gix::Result<()> {
    let client = Client::new(task, Arc::clone(meter));
    let url = gix::url::parse(task.url.as_str().as_bytes().as_bstr())?;
    let transport = Transport::new_http(client, url, Protocol::V2, false);
    let remote = repo
        .remote_at_without_url_rewrite(task.url.as_str())?
        .with_refspecs(REFSPECS, gix::remote::Direction::Fetch)?
        .with_fetch_tags(gix::remote::fetch::Tags::None);
    let credentials = task.remote.credentials().cloned();
    let connection = remote
        .to_connection_with_transport(transport)
        .with_transport_options(Box::new(()))
        .with_credentials(move |action| match (action, &credentials) {
            (helper::Action::Get(context), Some(credentials)) => Ok(Some(protocol::Outcome {
                identity: Account {
                    username: credentials.user.clone(),
                    password: credentials.secret.clone(),
                    oauth_refresh_token: None,
                },
                next: context.into(),
            })),
            _ => Ok(None),
        });
    connection
        .prepare_fetch(Discard, ref_map::Options::default())?
        .with_write_packed_refs_only(true)
        .receive(Discard, stop)?;
    Ok(())
}

/// Finds the cause of a failed fetch.
fn explain(task: &Task<'_>, meter: &Meter, error: &gix::Error) -> Error {
    let url = task.remote.url().to_owned();
    if let Err(error) = task.budget.check() {
        return error;
    }
    match meter.failure() {
        Some(Failure::TooLarge) => return Error::TooLarge { url, limit: task.limit },
        Some(Failure::Redirected) => return Error::Redirected { url },
        Some(Failure::Forbidden) => return Error::AuthenticationRequired { url },
        Some(Failure::OutOfTime) => return Error::TimedOut { after: task.budget.time() },
        Some(Failure::Private { host, address }) => return Error::PrivateAddress { host, address },
        None => {}
    }
    if error.is_unauthenticated() || error.is_permission_denied() {
        return Error::AuthenticationRequired { url };
    }
    let mut texts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let text = error.to_string();
            if !texts.iter().any(|known| known.contains(&text)) {
                texts.push(text);
            }
            cause = error.source();
        }
    }
    Error::Unreachable { url, detail: clip(&texts.join(": "), 500) }
}
