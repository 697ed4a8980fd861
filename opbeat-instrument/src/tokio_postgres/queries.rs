//! The queries of clients and transactions, which have the same functions.

/// Adds the queries of a [`tokio_postgres::Client`], as spans. The type has a function `raw` that returns the client.
macro_rules! timed_queries {
    () => {
        /// Runs a query and returns its rows.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query`].
        pub async fn query<Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<Vec<::tokio_postgres::Row>, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().query(query.statement(), params)).await
        }

        /// Runs a query that returns one row.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_one`].
        pub async fn query_one<Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<::tokio_postgres::Row, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().query_one(query.statement(), params)).await
        }

        /// Runs a query that returns one row or none.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_opt`].
        pub async fn query_opt<Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<Option<::tokio_postgres::Row>, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().query_opt(query.statement(), params)).await
        }

        /// Runs a query and returns the values of its only column.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_scalar`].
        pub async fn query_scalar<R: ::tokio_postgres::types::FromSqlOwned, Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<Vec<R>, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().query_scalar(query.statement(), params)).await
        }

        /// Runs a query that returns one value.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_one_scalar`].
        pub async fn query_one_scalar<R: ::tokio_postgres::types::FromSqlOwned, Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<R, ::tokio_postgres::Error> {
            let value = async { self.raw().query_one_scalar(query.statement(), params).await.map(super::run::Other) };
            super::run::run(query.sql(), value).await.map(|value| value.0)
        }

        /// Runs a query that returns one value or none.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_opt_scalar`].
        pub async fn query_opt_scalar<R: ::tokio_postgres::types::FromSqlOwned, Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<Option<R>, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().query_opt_scalar(query.statement(), params)).await
        }

        /// Runs a query and returns a stream of its rows.
        ///
        /// The span ends when the stream starts.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_raw`].
        pub async fn query_raw<Q, P, I>(
            &self,
            query: &Q,
            params: I,
        ) -> Result<::tokio_postgres::RowStream, ::tokio_postgres::Error>
        where
            Q: super::Query + ?Sized,
            P: ::tokio_postgres::types::BorrowToSql,
            I: IntoIterator<Item = P>,
            I::IntoIter: ExactSizeIterator,
        {
            let rows = async { self.raw().query_raw(query.statement(), params).await.map(super::run::Other) };
            super::run::run(query.sql(), rows).await.map(|rows| rows.0)
        }

        /// Runs a query whose parameters have explicit types, and returns its rows.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_typed`].
        pub async fn query_typed(
            &self,
            query: &str,
            params: &[(&(dyn ::tokio_postgres::types::ToSql + Sync), ::tokio_postgres::types::Type)],
        ) -> Result<Vec<::tokio_postgres::Row>, ::tokio_postgres::Error> {
            super::run::run(Some(query), self.raw().query_typed(query, params)).await
        }

        /// Runs a query whose parameters have explicit types, and returns its only row.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_typed_one`].
        pub async fn query_typed_one(
            &self,
            query: &str,
            params: &[(&(dyn ::tokio_postgres::types::ToSql + Sync), ::tokio_postgres::types::Type)],
        ) -> Result<::tokio_postgres::Row, ::tokio_postgres::Error> {
            super::run::run(Some(query), self.raw().query_typed_one(query, params)).await
        }

        /// Runs a query whose parameters have explicit types, and returns one row or none.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::query_typed_opt`].
        pub async fn query_typed_opt(
            &self,
            query: &str,
            params: &[(&(dyn ::tokio_postgres::types::ToSql + Sync), ::tokio_postgres::types::Type)],
        ) -> Result<Option<::tokio_postgres::Row>, ::tokio_postgres::Error> {
            super::run::run(Some(query), self.raw().query_typed_opt(query, params)).await
        }

        /// Runs a query and returns the number of changed rows.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::execute`].
        pub async fn execute<Q: super::Query + ?Sized>(
            &self,
            query: &Q,
            params: &[&(dyn ::tokio_postgres::types::ToSql + Sync)],
        ) -> Result<u64, ::tokio_postgres::Error> {
            super::run::run(query.sql(), self.raw().execute(query.statement(), params)).await
        }

        /// Runs a query whose parameters have explicit types, and returns the number of changed rows.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::execute_typed`].
        pub async fn execute_typed(
            &self,
            query: &str,
            params: &[(&(dyn ::tokio_postgres::types::ToSql + Sync), ::tokio_postgres::types::Type)],
        ) -> Result<u64, ::tokio_postgres::Error> {
            super::run::run(Some(query), self.raw().execute_typed(query, params)).await
        }

        /// Runs a query and returns the number of changed rows.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::execute_raw`].
        pub async fn execute_raw<Q, P, I>(&self, query: &Q, params: I) -> Result<u64, ::tokio_postgres::Error>
        where
            Q: super::Query + ?Sized,
            P: ::tokio_postgres::types::BorrowToSql,
            I: IntoIterator<Item = P>,
            I::IntoIter: ExactSizeIterator,
        {
            super::run::run(query.sql(), self.raw().execute_raw(query.statement(), params)).await
        }

        /// Prepares a statement, which remembers its text.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::prepare`].
        pub async fn prepare(&self, sql: &str) -> Result<super::Statement, ::tokio_postgres::Error> {
            let prepared = super::run::run_prepare(sql, self.raw().prepare(sql)).await?;
            Ok(super::Statement::new(prepared, sql))
        }

        /// Prepares a statement whose parameters have explicit types.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::prepare_typed`].
        pub async fn prepare_typed(
            &self,
            sql: &str,
            types: &[::tokio_postgres::types::Type],
        ) -> Result<super::Statement, ::tokio_postgres::Error> {
            let prepared = super::run::run_prepare(sql, self.raw().prepare_typed(sql, types)).await?;
            Ok(super::Statement::new(prepared, sql))
        }

        /// Runs statements without parameters, and returns their messages.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::simple_query`].
        pub async fn simple_query(
            &self,
            sql: &str,
        ) -> Result<Vec<::tokio_postgres::SimpleQueryMessage>, ::tokio_postgres::Error> {
            let messages = async { self.raw().simple_query(sql).await.map(super::run::Messages) };
            super::run::run(Some(sql), messages).await.map(|messages| messages.0)
        }

        /// Runs statements without parameters.
        ///
        /// # Errors
        ///
        /// Returns the error of [`tokio_postgres::Client::batch_execute`].
        pub async fn batch_execute(&self, sql: &str) -> Result<(), ::tokio_postgres::Error> {
            super::run::run(Some(sql), self.raw().batch_execute(sql)).await
        }
    };
}

pub(super) use timed_queries;
