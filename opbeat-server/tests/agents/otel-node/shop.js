// A service with OpenTelemetry's Node SDK and its stock OTLP exporters: `shop.js http/protobuf`, `shop.js http/json` or
// `shop.js grpc`. Spans get fixed times, so that their durations are known. The account of what was sent is printed at
// the end.
'use strict'

const { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api')
const { SeverityNumber } = require('@opentelemetry/api-logs')
const { resourceFromAttributes } = require('@opentelemetry/resources')
const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs')
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base')

const protocol = process.argv[2]
const server = process.env.OPBEAT_SERVER_URL
const authorization = 'Bearer ' + process.env.OPBEAT_SECRET_TOKEN

// The SDK logs the refusals of a server, and tells nobody else.
const failures = []
const keep = (message) => failures.push(String(message))
diag.setLogger({ error: keep, warn: keep, info () {}, debug () {}, verbose () {} }, DiagLogLevel.WARN)

function exporter (signal, name) {
  const packages = { 'http/protobuf': 'proto', 'http/json': 'http', grpc: 'grpc' }
  const Exporter = require(`@opentelemetry/exporter-${signal}-otlp-${packages[protocol]}`)[name]
  if (protocol === 'grpc') {
    const { credentials, Metadata } = require('@grpc/grpc-js')
    const metadata = new Metadata()
    metadata.set('authorization', authorization)
    return new Exporter({ url: server, metadata, credentials: credentials.createInsecure() })
  }
  const path = { trace: 'traces', logs: 'logs', metrics: 'metrics' }[signal]
  return new Exporter({ url: `${server}/v1/${path}`, headers: { authorization }, compression: 'gzip' })
}

const resource = resourceFromAttributes({
  'service.name': process.env.OPBEAT_SERVICE,
  'service.version': '1.4.2',
  'deployment.environment.name': 'production',
  'host.name': 'web-5.example.com'
})
const spanProcessors = [new BatchSpanProcessor(exporter('trace', 'OTLPTraceExporter'))]
const traces = new BasicTracerProvider({ resource, spanProcessors })
const processors = [new BatchLogRecordProcessor({ exporter: exporter('logs', 'OTLPLogExporter') })]
const logs = new LoggerProvider({ resource, processors })
const readers = [new PeriodicExportingMetricReader({ exporter: exporter('metrics', 'OTLPMetricExporter') })]
const meters = new MeterProvider({ resource, readers })
const tracer = traces.getTracer('shop')
const start = Date.now() - 5000

/** Records a span of a known duration, and returns the context of its children. */
function span (name, kind, at, milliseconds, attributes, parent, error) {
  const recorded = tracer.startSpan(name, { kind, attributes, startTime: start + at }, parent || ROOT_CONTEXT)
  if (error) {
    recorded.recordException(error, start + at + milliseconds)
    recorded.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  }
  recorded.end(start + at + milliseconds)
  return trace.setSpan(ROOT_CONTEXT, recorded)
}

function request (route, at, milliseconds, status, error) {
  const attributes = { 'http.request.method': 'GET', 'http.route': route, 'http.response.status_code': status }
  return span('GET ' + route, SpanKind.SERVER, at, milliseconds, attributes, undefined, error)
}

function raised (order) {
  return new RangeError('card declined for order ' + order)
}

async function main () {
  for (let number = 0; number < 3; number++) {
    const inside = request('/orders/{id}', number * 100, 40 + number, 200)
    const query = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM orders WHERE id = ' + number }
    span('SELECT orders', SpanKind.CLIENT, number * 100 + 5, 10, query, inside)
    const within = span('render', SpanKind.INTERNAL, number * 100 + 20, 15, {}, inside)
    const call = { 'http.request.method': 'GET', 'url.full': 'http://prices.example/all' }
    span('GET', SpanKind.CLIENT, number * 100 + 22, 5, call, within)
  }
  request('/checkout', 400, 25, 500, raised('A-5'))
  request('/nowhere', 500, 1, 404)
  const topic = { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' }
  span('mails process', SpanKind.CONSUMER, 600, 80, topic)
  const log = logs.getLogger('shop.billing')
  log.emit({
    timestamp: start + 700,
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: 'Billing did not answer after 3 tries',
    attributes: { tries: 3 }
  })
  log.emit({ timestamp: start + 710, severityNumber: SeverityNumber.INFO, severityText: 'INFO', body: 'Shop is open' })
  const meter = meters.getMeter('shop')
  meter.createCounter('orders').add(3)
  meter.createHistogram('basket', { unit: 'EUR' }).record(12.5)
  for (const provider of [traces, logs, meters]) await provider.shutdown().catch(keep)
  const account = {
    transactions: [
      { name: 'GET /orders/{id}', results: { 200: 3 }, durations_ms: [40, 41, 42] },
      { name: 'GET /checkout', results: { 500: 1 }, durations_ms: [25] },
      { name: 'GET /nowhere', results: { 404: 1 }, durations_ms: [1] },
      { name: 'mails process', durations_ms: [80] }
    ],
    spans: [
      { transaction: 'GET /orders/{id}', signature: 'SELECT FROM orders', count: 3, self_ms: 30 },
      { transaction: 'GET /orders/{id}', signature: 'render', count: 3, self_ms: 30 },
      { transaction: 'GET /orders/{id}', signature: 'GET prices.example', count: 3, self_ms: 15 }
    ],
    errors: [
      { type: 'RangeError', message: 'card declined for order A-5', times: 1, newest_function: 'raised' },
      { message: 'Billing did not answer after 3 tries', level: 'error', times: 1 }
    ],
    release: '1.4.2',
    environment: 'production',
    host: 'web-5.example.com',
    failures
  }
  console.log('account ' + JSON.stringify(account))
}

main()
