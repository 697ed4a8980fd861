//! The open connections, and the choice of those that make room for new ones.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::activity::Activity;
use super::limits::ConnectionLimits;
use crate::occasional::Occasional;
use crate::site::Sites;

/// The longest time that a new connection waits for room. The connections that make room close at once.
const WAIT: Duration = Duration::from_secs(1);

/// The part of the connections that closes when all are in use. A few at a time make the choice cheap.
const SHARE_CLOSED: usize = 32;

/// The open connections.
#[derive(Debug)]
pub(super) struct Registry {
    total: usize,
    per_address: usize,
    sites: Arc<Sites>,
    table: Mutex<Table>,
    /// Notifies that a connection was closed.
    closed: Notify,
    full: Occasional,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Arc<Entry>>,
    by_address: HashMap<IpAddr, usize>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) activity: Arc<Activity>,
    /// Asks the connection to close, to make room.
    pub(super) leave: Notify,
    is_asked: AtomicBool,
    /// The address whose connections are counted together.
    address: IpAddr,
}

impl Entry {
    /// Notes that the connection has received a request, and therefore stays open.
    pub(super) fn stays(&self) {
        self.is_asked.store(false, Ordering::Relaxed);
    }
}

/// A place among the connections, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    registry: Arc<Registry>,
    number: u64,
    pub(super) entry: Arc<Entry>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.registry.table();
        table.open.remove(&self.number);
        if let Some(count) = table.by_address.get_mut(&self.entry.address) {
            *count -= 1;
            if *count == 0 {
                table.by_address.remove(&self.entry.address);
            }
        }
        drop(table);
        self.registry.closed.notify_waiters();
    }
}

/// The limit that a connection would exceed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    Total,
    Address(IpAddr),
}

impl Registry {
    pub(super) fn new(limits: &ConnectionLimits, sites: Arc<Sites>) -> Self {
        Self {
            total: limits.total(),
            per_address: limits.per_address(),
            sites,
            table: Mutex::default(),
            closed: Notify::new(),
            full: Occasional::new(),
        }
    }

    /// Returns a place for a connection. Closes others that wait for their clients if there is none.
    pub(super) async fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let until = Instant::now() + WAIT;
        loop {
            let mut closed = std::pin::pin!(self.closed.notified());
            // A connection that closes from now on counts.
            closed.as_mut().enable();
            let full = match self.place(peer) {
                Ok(place) => return Some(place),
                Err(full) => full,
            };
            let asked = self.make_room(full);
            self.log(full, asked);
            if asked == 0 || tokio::time::timeout_at(until, closed).await.is_err() {
                return None;
            }
        }
    }

    /// Waits until no connection is open.
    pub(super) async fn empty(&self) {
        loop {
            let mut closed = std::pin::pin!(self.closed.notified());
            closed.as_mut().enable();
            if self.table().open.is_empty() {
                return;
            }
            closed.await;
        }
    }

    /// Closes some of all connections, because the process has no free descriptor.
    pub(super) fn free_descriptors(&self) {
        self.make_room(Full::Total);
    }

    fn place(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Full> {
        let address = counted(peer);
        let mut table = self.table();
        let own = table.by_address.get(&address).copied().unwrap_or_default();
        if own >= self.per_address && !self.sites.trusts(peer) {
            return Err(Full::Address(address));
        }
        if table.open.len() >= self.total {
            return Err(Full::Total);
        }
        let number = table.next;
        table.next += 1;
        let entry = Entry {
            activity: Arc::new(Activity::new()),
            leave: Notify::new(),
            is_asked: AtomicBool::new(false),
            address,
        };
        let entry = Arc::new(entry);
        table.open.insert(number, Arc::clone(&entry));
        *table.by_address.entry(address).or_default() += 1;
        Ok(Place { registry: Arc::clone(self), number, entry })
    }

    /// Asks the connections that have waited longest for their clients to close. Returns the number of those that were
    /// asked, now or before.
    fn make_room(&self, full: Full) -> usize {
        let table = self.table();
        let concerns = |entry: &Entry| match full {
            Full::Total => true,
            Full::Address(address) => entry.address == address,
        };
        let mut asked = 0;
        let mut waiting = Vec::new();
        for entry in table.open.values().filter(|entry| concerns(entry)) {
            if entry.is_asked.load(Ordering::Relaxed) {
                asked += 1;
            } else if let Some(since) = entry.activity.waits_since() {
                waiting.push((since, entry));
            }
        }
        if asked > 0 {
            return asked;
        }
        let limit = if full == Full::Total { self.total } else { self.per_address };
        let wanted = (limit / SHARE_CLOSED).max(1).min(waiting.len());
        if wanted > 0 {
            waiting.select_nth_unstable_by_key(wanted - 1, |(since, _)| *since);
        }
        for (_, entry) in &waiting[..wanted] {
            entry.is_asked.store(true, Ordering::Relaxed);
            entry.leave.notify_one();
        }
        wanted
    }

    fn log(&self, full: Full, asked: usize) {
        let Some(times) = self.full.count() else { return };
        let (limit, whose, flag) = match full {
            Full::Total => (self.total, "all clients".to_owned(), "--limits-connections"),
            Full::Address(address) => (self.per_address, address.to_string(), "--limits-connections-per-address"),
        };
        let answer = if asked > 0 { "the oldest waiting ones are closed" } else { "new ones are answered with 503" };
        tracing::warn!(
            times,
            "the limit of {limit} connections of {whose} is reached: {answer}; allow more with {flag}, and more open \
             files with `ulimit -n` or LimitNOFILE="
        );
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the address whose connections are counted together: a `/64` network of IPv6 is one client's.
fn counted(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}
