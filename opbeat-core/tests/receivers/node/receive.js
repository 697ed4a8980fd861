// Receives protobuf of OTLP over HTTP with OpenTelemetry's types for JavaScript.
//
// It prints its port, then an account of each request: the items, and all names in it that the semantic conventions do
// not know. A message that the types do not accept is answered with 400.
'use strict'

const http = require('node:http')
const zlib = require('node:zlib')
const root = require('@opentelemetry/otlp-transformer/build/src/generated/root')
const conventions = require('@opentelemetry/semantic-conventions/incubating')

const collector = root.opentelemetry.proto.collector
const TYPES = {
  '/v1/traces': collector.trace.v1.ExportTraceServiceRequest,
  '/v1/metrics': collector.metrics.v1.ExportMetricsServiceRequest,
  '/v1/logs': collector.logs.v1.ExportLogsServiceRequest,
}

// Names with a variable part are functions.
const known = (prefix) =>
  new Set(
    Object.entries(conventions)
      .filter(([key]) => key.startsWith(prefix))
      .map(([, value]) => (typeof value === 'function' ? value('*') : value))
  )
const ATTRIBUTES = known('ATTR_')
const METRICS = known('METRIC_')
const isKnown = (name) => ATTRIBUTES.has(name) || ATTRIBUTES.has(name.replace(/\.[^.]*$/, '.*'))

function collect (value, attributes, metrics) {
  if (Array.isArray(value)) {
    value.forEach((item) => collect(item, attributes, metrics))
  } else if (value && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    for (const attribute of value.attributes || []) attributes.add(attribute.key)
    for (const metric of value.metrics || []) metrics.add(metric.name)
    Object.values(value).forEach((item) => collect(item, attributes, metrics))
  }
}

function items (message) {
  const spans = (message.resourceSpans || []).flatMap((resource) => resource.scopeSpans).flatMap((scope) => scope.spans)
  const points = (message.resourceMetrics || [])
    .flatMap((resource) => resource.scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .flatMap((metric) => metric.histogram.dataPoints.map((point) => ({ metric: metric.name, count: Number(point.count) })))
  const records = (message.resourceLogs || []).flatMap((resource) => resource.scopeLogs).flatMap((scope) => scope.logRecords)
  return {
    spans: spans.map((span) => ({
      name: span.name,
      kind: span.kind,
      ids: [span.traceId, span.spanId].map((id) => Buffer.from(id).toString('hex')),
      events: span.events.map((event) => event.name),
    })),
    points,
    records: records.map((record) => record.body.stringValue),
  }
}

const server = http.createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const account = { path: request.url }
  try {
    const isGzip = request.headers['content-encoding'] === 'gzip'
    const message = TYPES[request.url].decode(isGzip ? zlib.gunzipSync(body) : body)
    Object.assign(account, items(message))
    const [attributes, metrics] = [new Set(), new Set()]
    collect(message, attributes, metrics)
    account.unknown = [...attributes].filter((name) => !isKnown(name)).sort()
    account.unknown_metrics = [...metrics].filter((name) => !METRICS.has(name)).sort()
  } catch (error) {
    account.error = String(error)
  }
  console.log('account', JSON.stringify(account))
  response.writeHead(account.error ? 400 : 200, { 'content-type': 'application/x-protobuf' }).end()
})
server.listen(0, '127.0.0.1', () => console.log('account', JSON.stringify({ port: server.address().port })))
