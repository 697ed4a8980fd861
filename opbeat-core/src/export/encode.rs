//! From records to the wire.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::pipeline::Batch;
use crate::protocol::{
    self, BreakdownGroup, ErrorBody, Exception, Machine, RawSpan, RawTransaction, SampleContext, Stacktrace,
    TraceGroup, Traces, TransactionGroup, TransactionsBody,
};
use crate::record::{
    BreakdownRecord, DurationGroup, ErrorRecord, Frame, RequestRecord, SpanRecord, Stack, TransactionRecord,
    TransactionResult, User, Value,
};

/// What every body says of its sender.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) hostname: String,
    pub(super) release: Option<String>,
}

impl Sender {
    /// Makes the body for `transactions/`.
    pub(super) fn transactions(&self, batch: &Batch) -> TransactionsBody {
        TransactionsBody {
            transactions: batch.durations.iter().map(transaction_group).collect(),
            traces: self.traces(&batch.samples),
            breakdown: batch.breakdown.iter().map(breakdown_group).collect(),
            machine: self.machine(),
        }
    }

    /// Makes the body for `errors/`.
    pub(super) fn error(&self, record: &ErrorRecord) -> ErrorBody {
        let Stack::Frames(frames) = &record.stack else {
            return ErrorBody::default();
        };
        let exception = record.type_name.as_ref().map(|type_name| Exception {
            type_name: type_name.clone(),
            value: record.message.clone(),
            module: record.module.clone(),
            causes: record.causes.iter().map(cause).collect(),
        });
        ErrorBody {
            message: message(record),
            timestamp: Some(record.happened_at.into()),
            level: Some(record.level.as_str().to_owned()),
            culprit: record.culprit.clone(),
            machine: self.machine(),
            client_supplied_id: Some(record.id.to_string()),
            exception,
            stacktrace: (!frames.is_empty()).then(|| Stacktrace { frames: frames.iter().map(frame).collect() }),
            http: record.request.as_ref().map(|request| self.http(request)),
            user: record.user.as_ref().map(user),
            extra: extra(record),
            tags: values(&record.tags),
            transaction: record.transaction.as_ref().map(|transaction| protocol::TransactionReference {
                id: Some(transaction.id.to_string()),
                name: transaction.name.clone(),
                kind: Some(transaction.kind.clone().into_owned()),
                result: transaction.result.as_ref().map(result),
            }),
            rev: self.release.clone(),
            ..ErrorBody::default()
        }
    }

    fn traces(&self, samples: &[TransactionRecord]) -> Traces {
        let mut groups = Groups::default();
        let raw = samples.iter().map(|sample| self.raw(sample, &mut groups)).collect();
        Traces::Sampled { groups: groups.list, raw }
    }

    fn raw(&self, sample: &TransactionRecord, groups: &mut Groups) -> RawTransaction {
        let duration = milliseconds(sample.duration);
        let root = RawSpan { group: groups.root(sample), start: 0.0, duration };
        let spans = sample.spans.iter().map(|span| RawSpan {
            group: groups.span(sample, span),
            start: milliseconds(span.start),
            duration: milliseconds(span.duration.unwrap_or_else(|| sample.duration.saturating_sub(span.start))),
        });
        let spans = std::iter::once(root).chain(spans).collect();
        RawTransaction { duration, spans, context: Some(self.context(sample)) }
    }

    fn context(&self, sample: &TransactionRecord) -> SampleContext {
        SampleContext {
            id: Some(sample.id.to_string()),
            timestamp: Some(sample.started_at.into()),
            result: Some(result(&sample.result)),
            outcome: Some(sample.outcome.as_str().to_owned()),
            head_ms: sample.head.map(milliseconds),
            dropped_spans: (sample.dropped_spans > 0).then(|| sample.dropped_spans.into()),
            rev: self.release.clone(),
            http: sample.request.as_ref().map(|request| Json::Object(self.http(request))),
            user: sample.user.as_ref().map(|found| Json::Object(user(found))),
            tags: values(&sample.tags).map(Json::Object),
            extra: values(&sample.extra).map(Json::Object),
            other: Map::new(),
        }
    }

    /// Says what the request was, in the keys that all Opbeat agents use.
    fn http(&self, request: &RequestRecord) -> Map<String, Json> {
        let mut headers = Map::new();
        for (name, value) in request.headers() {
            headers.insert(name, value.into());
        }
        let target = request.target();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let header = |name: &str| headers.get(name).and_then(Json::as_str).unwrap_or_default();
        let scheme = match header("x-forwarded-proto") {
            "https" => "https",
            _ => "http",
        };
        let url = match header("host") {
            "" => path.to_owned(),
            host => format!("{scheme}://{host}{path}"),
        };
        let mut http = Map::new();
        http.insert("url".to_owned(), url.into());
        http.insert("method".to_owned(), request.method().into());
        http.insert("query_string".to_owned(), query.into());
        http.insert("secure".to_owned(), (scheme == "https").into());
        http.insert("headers".to_owned(), headers.into());
        http
    }

    fn machine(&self) -> Option<Machine> {
        Some(Machine { hostname: self.hostname.clone() })
    }
}

/// Compresses a body as all Opbeat agents do.
pub(super) fn zlib(body: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let mut buffered = std::io::BufWriter::new(&mut encoder);
    serde_json::to_writer(&mut buffered, body)?;
    buffered.flush()?;
    drop(buffered);
    encoder.finish()
}

/// The groups that samples point into, each once.
#[derive(Default)]
struct Groups {
    list: Vec<TraceGroup>,
    /// Only spans without facts of their own share a group.
    known: HashMap<(String, String, Vec<String>), usize>,
}

/// The signature and kind of the span that stands for the whole transaction.
const ROOT: &str = "transaction";

impl Groups {
    fn root(&mut self, sample: &TransactionRecord) -> usize {
        self.group(sample, ROOT, ROOT, Vec::new(), Map::new())
    }

    fn span(&mut self, sample: &TransactionRecord, span: &SpanRecord) -> usize {
        let mut parents: Vec<String> = ancestors(sample, span).map(|parent| parent.signature.to_string()).collect();
        parents.push(ROOT.to_owned());
        parents.reverse();
        // The suffix says that the end is the transaction's, as the Node.js agent does.
        let kind = match span.duration {
            Some(_) => span.kind.to_string(),
            None => format!("{}.truncated", span.kind),
        };
        let extra = values(&span.extra).unwrap_or_default();
        self.group(sample, &span.signature, &kind, parents, extra)
    }

    fn group(
        &mut self,
        sample: &TransactionRecord,
        signature: &str,
        kind: &str,
        parents: Vec<String>,
        extra: Map<String, Json>,
    ) -> usize {
        let transaction = sample.name.to_string();
        let facts = if extra.is_empty() { String::new() } else { Json::Object(extra.clone()).to_string() };
        let key = (format!("{transaction}\n{}\n{signature}\n{kind}", sample.kind), facts, parents);
        if let Some(index) = self.known.get(&key) {
            return *index;
        }
        self.list.push(TraceGroup {
            transaction,
            transaction_kind: Some(sample.kind.to_string()),
            signature: signature.to_owned(),
            kind: kind.to_owned(),
            parents: key.2.clone(),
            timestamp: Some(protocol::Timestamp::from(sample.started_at).minute()),
            extra,
            ..TraceGroup::default()
        });
        self.known.insert(key, self.list.len() - 1);
        self.list.len() - 1
    }
}

/// Returns the spans around a span, the nearest first.
fn ancestors<'a>(sample: &'a TransactionRecord, span: &'a SpanRecord) -> impl Iterator<Item = &'a SpanRecord> {
    std::iter::successors(span.parent.and_then(|parent| sample.spans.get(parent)), |around| {
        around.parent.and_then(|parent| sample.spans.get(parent))
    })
}

fn transaction_group(group: &DurationGroup) -> TransactionGroup {
    TransactionGroup {
        transaction: group.name.clone(),
        result: Some(result(&group.result)),
        kind: Some(group.kind.to_string()),
        timestamp: Some(group.minute.into()),
        durations: group.milliseconds.iter().map(|milliseconds| round(f64::from(*milliseconds))).collect(),
    }
}

fn breakdown_group(record: &BreakdownRecord) -> BreakdownGroup {
    BreakdownGroup {
        transaction: record.name.clone(),
        transaction_kind: record.kind.to_string(),
        timestamp: record.minute.into(),
        kind: record.span_kind.to_string(),
        count: record.count,
        self_ms: milliseconds(record.self_time),
    }
}

/// The line that a person reads first.
fn message(record: &ErrorRecord) -> String {
    match &record.type_name {
        Some(type_name) if record.message.is_empty() => type_name.clone(),
        Some(type_name) => format!("{type_name}: {}", record.message),
        None => record.message.clone(),
    }
}

fn cause(cause: &crate::record::Cause) -> Exception {
    Exception { type_name: cause.type_name.clone(), value: cause.message.clone(), ..Exception::default() }
}

fn frame(frame: &Frame) -> protocol::Frame {
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let lines =
        |lines: &[String]| frame.context_line.is_some().then(|| lines.iter().cloned().map(Some).collect::<Vec<_>>());
    protocol::Frame {
        filename: frame.filename.clone(),
        abs_path: some(&frame.path),
        lineno: frame.line,
        colno: frame.column,
        function: some(&frame.function),
        in_app: Some(frame.in_app),
        pre_context: lines(&frame.pre_context),
        context_line: frame.context_line.clone(),
        post_context: lines(&frame.post_context),
        ..protocol::Frame::default()
    }
}

fn user(user: &User) -> Map<String, Json> {
    let parts = [("id", &user.id), ("username", &user.username), ("email", &user.email)];
    parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into()))).collect()
}

/// The application's values, and the place in the source, which is known even where the stack is not.
fn extra(record: &ErrorRecord) -> Option<Map<String, Json>> {
    let mut extra = values(&record.extra).unwrap_or_default();
    if let Some(location) = &record.location {
        extra.insert("location".to_owned(), json!(format!("{}:{}:{}", location.file, location.line, location.column)));
    }
    (!extra.is_empty()).then_some(extra)
}

fn values(values: &[(std::borrow::Cow<'static, str>, Value)]) -> Option<Map<String, Json>> {
    let map: Map<_, _> = values.iter().map(|(key, value)| (key.to_string(), self::value(value))).collect();
    (!map.is_empty()).then_some(map)
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
    }
}

fn result(result: &TransactionResult) -> Json {
    match result {
        TransactionResult::Status(status) => (*status).into(),
        TransactionResult::Word(word) => Json::from(word.as_ref()),
    }
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    round(duration.as_secs_f64() * 1_000.0)
}

/// Microseconds are enough, and shorter on the wire.
fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1_000.0).round() / 1_000.0
}
