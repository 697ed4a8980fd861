//! The response body, whose end is the end of the transaction.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use opbeat_core::http::{CapturedError, HttpTransaction, LARGEST_FRAME};
use opbeat_core::record::Outcome;
use pin_project::{pin_project, pinned_drop};

/// The end of a response, as far as its head shows it.
#[derive(Clone, Copy)]
pub(crate) enum ResponseEnd {
    /// The response ends with its head.
    Head,
    /// The response ends after this number of bytes.
    Length(u64),
    /// The body shows its end itself.
    Body,
}

/// The body of a recorded response. The transaction ends at the end of the body.
#[pin_project(PinnedDrop)]
pub struct OpbeatBody<B> {
    /// The inner body; `None` once it is taken out or dropped.
    #[pin]
    inner: Option<B>,
    /// The rest of a chunk that is too large to be passed on at once. It is boxed, because few bodies have one.
    rest: Option<Box<Bytes>>,
    recording: Recording,
}

/// The transaction until its end. Afterwards, it is replaced by one that does not record.
struct Recording {
    transaction: HttpTransaction,
}

impl<B: MessageBody> OpbeatBody<B> {
    pub(crate) fn new(inner: B, mut transaction: HttpTransaction, end: ResponseEnd) -> Self {
        // Actix does not poll a body again after it returned as many bytes as its size, so the last of them ends the
        // transaction.
        let is_ended = match end {
            ResponseEnd::Head => true,
            ResponseEnd::Length(length) => transaction.set_body_length(length),
            ResponseEnd::Body => false,
        };
        let mut recording = Recording { transaction };
        if is_ended {
            recording.complete();
        }
        Self { inner: Some(inner), rest: None, recording }
    }
}

impl<B: MessageBody> MessageBody for OpbeatBody<B> {
    /// `MessageBody::Error` can be reported only after its conversion into a boxed error, so the body returns boxed
    /// errors.
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.inner.as_ref().map_or(BodySize::None, MessageBody::size)
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let chunk = ready!(this.recording.transaction.poll(|| match (this.rest.take(), this.inner.as_pin_mut()) {
            (Some(rest), _) => Poll::Ready(Some(Ok(*rest))),
            (None, Some(inner)) => inner.poll_next(cx),
            (None, None) => Poll::Ready(None),
        }));
        let mut chunk = chunk.map(|chunk| chunk.map_err(Into::into));
        match &mut chunk {
            None => this.recording.complete(),
            Some(Err(error)) => this.recording.fail(&**error),
            Some(Ok(chunk)) => {
                if chunk.len() > LARGEST_FRAME && this.recording.transaction.is_recording() {
                    *this.rest = Some(Box::new(chunk.split_off(LARGEST_FRAME)));
                }
                this.recording.record_chunk(chunk.len());
            }
        }
        Poll::Ready(chunk)
    }

    fn try_into_bytes(mut self) -> Result<Bytes, Self> {
        let is_large = matches!(self.size(), BodySize::Sized(length) if length > LARGEST_FRAME as u64);
        if is_large && self.recording.transaction.is_recording() {
            // Its chunks show how much of it the client takes.
            return Err(self);
        }
        match self.inner.take().map_or_else(|| Ok(Bytes::new()), MessageBody::try_into_bytes) {
            Ok(bytes) => {
                self.recording.record_chunk(bytes.len());
                self.recording.complete();
                Ok(bytes)
            }
            Err(inner) => {
                self.inner = Some(inner);
                Err(self)
            }
        }
    }
}

impl Recording {
    fn record_chunk(&mut self, bytes: usize) {
        if self.transaction.record_sent(bytes) {
            self.complete();
        }
    }

    fn complete(&mut self) {
        mem::take(&mut self.transaction).complete();
    }

    fn fail(&mut self, error: &dyn Error) {
        let transaction = mem::take(&mut self.transaction);
        transaction.report_captured(&CapturedError::received(error));
        transaction.end(Outcome::ServerError);
    }
}

/// Drops the inner body with the transaction entered, so that destructors of its values find the transaction.
#[pinned_drop]
impl<B> PinnedDrop for OpbeatBody<B> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.recording.transaction.is_recording() {
            let _entered = this.recording.transaction.enter();
            this.inner.set(None);
        }
    }
}

impl<B> fmt::Debug for OpbeatBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpbeatBody").field("transaction", &self.recording.transaction).finish_non_exhaustive()
    }
}
