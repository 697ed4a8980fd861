//! A client whose queries become spans.

use std::fmt;
use std::ops::{Deref, DerefMut};

use tokio_postgres::Error;

use super::queries::timed_queries;
use super::run::run_statement;
use super::transaction::Transaction;

/// A [`tokio_postgres::Client`] whose queries become spans of the kind `db.postgresql.query`.
///
/// It has the same functions. Those without a span, such as `copy_in`, are those of the client itself.
///
/// # Examples
///
/// ```no_run
/// # async fn rename(client: tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
/// use opbeat_instrument::tokio_postgres::Client;
///
/// let mut client = Client::new(client);
/// let transaction = client.transaction().await?;
/// transaction.execute("UPDATE books SET title = $1 WHERE id = $2", &[&"Dune", &7]).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Client {
    inner: tokio_postgres::Client,
}

impl Client {
    /// Wraps a client.
    #[must_use]
    pub const fn new(client: tokio_postgres::Client) -> Self {
        Self { inner: client }
    }

    /// Returns the client.
    #[must_use]
    pub fn into_inner(self) -> tokio_postgres::Client {
        self.inner
    }

    /// Begins a transaction, as [`tokio_postgres::Client::transaction`] does.
    ///
    /// # Errors
    ///
    /// Returns the error of the statement `BEGIN`.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        run_statement("BEGIN", self.inner.transaction()).await.map(Transaction::new)
    }

    const fn raw(&self) -> &tokio_postgres::Client {
        &self.inner
    }

    timed_queries!();
}

impl From<tokio_postgres::Client> for Client {
    fn from(client: tokio_postgres::Client) -> Self {
        Self::new(client)
    }
}

/// Other functions of the client.
impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
