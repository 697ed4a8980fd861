//! The queries of a client that belongs to a pool.

use std::fmt;

use super::queries::timed_queries;

/// The queries of a borrowed client, as spans; from [`timed`].
#[derive(Clone, Copy)]
pub struct Timed<'a> {
    client: &'a tokio_postgres::Client,
}

/// Records queries of a client that is lent by a pool, or that is in a transaction.
///
/// References to clients of deadpool-postgres and bb8-postgres can be given as they are. In a transaction, give it
/// [`Transaction::client`](tokio_postgres::Transaction::client).
#[must_use]
pub const fn timed(client: &tokio_postgres::Client) -> Timed<'_> {
    Timed { client }
}

impl Timed<'_> {
    const fn raw(&self) -> &tokio_postgres::Client {
        self.client
    }

    timed_queries!();
}

impl fmt::Debug for Timed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timed").field(self.client).finish()
    }
}
