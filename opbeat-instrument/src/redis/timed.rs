//! A connection whose commands become spans.

use std::borrow::Cow;
use std::ops::Deref;

use opbeat_core::Span;
use opbeat_core::instrument::Position;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use super::{command, reply};
use crate::timed::timed;

/// A connection whose commands become spans of the kind `db.redis.query`.
///
/// It works with connections of all kinds: multiplexed, managed, of clusters, and those without `async`. It implements
/// the same traits, so `Commands`, `AsyncCommands`, `Cmd::query` and pipelines work as before. Only commands through
/// these traits are recorded.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> redis::RedisResult<()> {
/// use opbeat_instrument::redis::Timed;
/// use redis::Commands;
///
/// let mut connection = Timed::new(redis::Client::open("redis://127.0.0.1/")?.get_connection()?);
/// let title: String = connection.get("title")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Timed<C> {
    inner: C,
}

impl<C> Timed<C> {
    /// Wraps a connection.
    pub const fn new(connection: C) -> Self {
        Self { inner: connection }
    }

    /// Returns the connection.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Returns a reference to the connection, for its functions that need `&mut self`.
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.inner
    }
}

impl<C> From<C> for Timed<C> {
    fn from(connection: C) -> Self {
        Self::new(connection)
    }
}

/// Other functions of the connection. It does not implement `DerefMut`: redis' own implementation of `ConnectionLike`
/// for smart pointers would then be used instead.
impl<C> Deref for Timed<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

impl<C: redis::aio::ConnectionLike> redis::aio::ConnectionLike for Timed<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let db = self.inner.get_db();
        let reply = self.inner.req_packed_command(cmd);
        if Position::current().is_none() {
            return reply;
        }
        let start = move |position: &Position| start(position, command::name(cmd), db);
        Box::pin(timed(start, reply, |span, result| note_error(span, reply::error(result))))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let db = self.inner.get_db();
        let replies = self.inner.req_packed_commands(pipeline, offset, count);
        if Position::current().is_none() {
            return replies;
        }
        let start = move |position: &Position| start_pipeline(position, pipeline.len(), db);
        Box::pin(timed(start, replies, |span, result| note_error(span, reply::first_error(result))))
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

impl<C: redis::ConnectionLike> redis::ConnectionLike for Timed<C> {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let Some(position) = Position::current() else { return self.inner.req_packed_command(cmd) };
        let span = start(&position, command::name_of_encoded(cmd), self.inner.get_db());
        let result = self.inner.req_packed_command(cmd);
        note_error(&span, reply::error(&result));
        result
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        let Some(position) = Position::current() else { return self.inner.req_packed_commands(cmd, offset, count) };
        // In a transaction of Redis, only the last reply is read, and the first of the others is that of `MULTI`.
        let commands = if offset == 0 { count } else { offset - 1 };
        let span = start_pipeline(&position, commands, self.inner.get_db());
        let result = self.inner.req_packed_commands(cmd, offset, count);
        note_error(&span, reply::first_error(&result));
        result
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let Some(position) = Position::current() else { return self.inner.req_command(cmd) };
        let span = start(&position, command::name(cmd), self.inner.get_db());
        let result = self.inner.req_command(cmd);
        note_error(&span, reply::error(&result));
        result
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.inner.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

fn start(position: &Position, signature: impl Into<Cow<'static, str>>, db: i64) -> Span {
    let span = position.start(signature, "db.redis.query").leaf();
    span.set_extra("db", db);
    span
}

fn start_pipeline(position: &Position, commands: usize, db: i64) -> Span {
    let span = start(position, "PIPELINE", db);
    span.set_extra("commands", commands);
    span
}

fn note_error(span: &Span, error: Option<String>) {
    if let Some(error) = error {
        span.set_extra("error", error);
    }
}
