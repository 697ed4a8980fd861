//! A transaction of the database whose queries become spans.

use std::fmt;
use std::ops::{Deref, DerefMut};

use tokio_postgres::Error;

use super::queries::timed_queries;
use super::run::run_statement;

/// A [`tokio_postgres::Transaction`] whose queries become spans, from
/// [`Client::transaction`](super::Client::transaction).
///
/// It has the same functions. Its begin and its end are spans of the kind `db.postgresql.transaction`, except for the
/// rollback of a dropped transaction: nothing waits for that.
pub struct Transaction<'a> {
    inner: tokio_postgres::Transaction<'a>,
}

impl<'a> Transaction<'a> {
    /// Wraps a transaction, such as one of [`build_transaction`](tokio_postgres::Client::build_transaction).
    #[must_use]
    pub const fn new(transaction: tokio_postgres::Transaction<'a>) -> Self {
        Self { inner: transaction }
    }

    /// Commits the transaction, as [`tokio_postgres::Transaction::commit`] does.
    ///
    /// # Errors
    ///
    /// Returns the error of the statement `COMMIT`.
    pub async fn commit(self) -> Result<(), Error> {
        run_statement("COMMIT", self.inner.commit()).await
    }

    /// Rolls the transaction back, as [`tokio_postgres::Transaction::rollback`] does.
    ///
    /// # Errors
    ///
    /// Returns the error of the statement `ROLLBACK`.
    pub async fn rollback(self) -> Result<(), Error> {
        run_statement("ROLLBACK", self.inner.rollback()).await
    }

    /// Begins a nested transaction, as [`tokio_postgres::Transaction::transaction`] does.
    ///
    /// # Errors
    ///
    /// Returns the error of the statement `SAVEPOINT`.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        run_statement("SAVEPOINT", self.inner.transaction()).await.map(Transaction::new)
    }

    /// Begins a nested transaction with a name, as [`tokio_postgres::Transaction::savepoint`] does.
    ///
    /// # Errors
    ///
    /// Returns the error of the statement `SAVEPOINT`.
    pub async fn savepoint(&mut self, name: impl Into<String>) -> Result<Transaction<'_>, Error> {
        run_statement("SAVEPOINT", self.inner.savepoint(name)).await.map(Transaction::new)
    }

    fn raw(&self) -> &tokio_postgres::Client {
        self.inner.client()
    }

    timed_queries!();
}

/// Other functions of the transaction.
impl<'a> Deref for Transaction<'a> {
    type Target = tokio_postgres::Transaction<'a>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
