//! The record of a request.

use std::time::Instant;

use super::Floor;

/// A request.
pub(crate) struct Record<N> {
    id: u128,
    /// The method and the route, in the framework's form.
    name: N,
    status: u16,
    start: Instant,
    pub(super) end: Option<Instant>,
    pub(super) spans: Vec<Span>,
}

impl<N> Record<N> {
    pub(super) fn check(&self) {
        assert!(self.id != 0 && self.status == 200, "every request here succeeds");
        assert!(self.end.is_some_and(|end| end >= self.start), "every request here has ended");
        for span in &self.spans {
            assert!(span.id != 0 && span.end >= Some(span.start), "{} {:?}", span.name, span.attribute);
        }
    }
}

/// A child span.
pub(crate) struct Span {
    id: u64,
    name: &'static str,
    pub(super) attribute: Option<(&'static str, &'static str)>,
    start: Instant,
    pub(super) end: Option<Instant>,
}

impl Span {
    pub(super) fn start(name: &'static str) -> Self {
        Self { id: fastrand::u64(1..), name, attribute: None, start: Instant::now(), end: None }
    }
}

/// A request that has not ended. It ends when this value is dropped.
pub(crate) struct Open<N> {
    floor: Floor<N>,
    /// Boxed from the start, so that futures and bodies stay small.
    record: Option<Box<Record<N>>>,
}

impl<N> Open<N> {
    pub(super) fn new(floor: &Floor<N>, name: N) -> Self {
        let (id, start) = (fastrand::u128(1..), Instant::now());
        let record = Record { id, name, status: 0, start, end: None, spans: Vec::new() };
        Self { floor: floor.clone(), record: Some(Box::new(record)) }
    }

    /// Records the response head.
    pub(super) fn head(&mut self, status: u16) {
        if let Some(record) = &mut self.record {
            record.status = status;
        }
    }

    /// Records the part of the name that only the response contains.
    pub(super) fn rename(&mut self, rename: impl FnOnce(&mut N)) {
        if let Some(record) = &mut self.record {
            rename(&mut record.name);
        }
    }
}

impl<N> Drop for Open<N> {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            self.floor.push(record);
        }
    }
}
