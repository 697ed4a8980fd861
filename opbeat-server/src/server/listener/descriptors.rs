//! The files and connections that the operating system lets this process open.

/// The most connections by default. Each needs about 10 KB of memory while it waits.
const MAX_CONNECTIONS: usize = 10_000;

/// The least descriptors that stay free for the queue, the database and the log.
const MIN_RESERVE: usize = 100;

/// The least connections, even if the process may open very few files.
const MIN_CONNECTIONS: usize = 16;

/// Raises the number of files that this process may open to the most that an unprivileged process can set.
///
/// The lower number that most systems set at first exists for programs with the old function `select`.
#[cfg(unix)]
pub(in crate::server) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without a limit there is nothing to raise. Some systems refuse to set no limit.
    if let Rlimit { current: Some(current), maximum: Some(maximum) } = limit
        && current < maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(maximum), maximum: Some(maximum) })
    {
        tracing::warn!(%error, "the limit of open files stays at {current}; raise it with `ulimit -n` or LimitNOFILE=");
    }
}

#[cfg(not(unix))]
pub(in crate::server) fn raise_limit() {}

/// Returns the most connections that leave enough descriptors for the rest of the server.
pub(super) fn default_connections() -> usize {
    connections(limit())
}

#[cfg(unix)]
fn limit() -> Option<usize> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok())
}

#[cfg(not(unix))]
fn limit() -> Option<usize> {
    None
}

fn connections(limit: Option<usize>) -> usize {
    let Some(limit) = limit else { return MAX_CONNECTIONS };
    let reserve = (limit / 4).max(MIN_RESERVE);
    limit.saturating_sub(reserve).clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn a_part_of_the_descriptors_is_reserved() {
        let limits = [None, Some(32), Some(256), Some(1_024), Some(20_000)];
        assert_eq!(limits.map(connections), [10_000, 16, 156, 768, 10_000]);
    }
}
