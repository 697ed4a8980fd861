"""A service with OpenTelemetry's Python SDK and its stock OTLP exporters: `shop.py http/protobuf` or `shop.py grpc`.

Spans get fixed times, so that their durations are known. The account of what was sent is printed at the end.
"""

import json
import logging
import os
import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

MS = 1_000_000
PROTOCOL = sys.argv[1]
SERVER = os.environ["OPBEAT_SERVER_URL"]
HEADERS = {"authorization": "Bearer " + os.environ["OPBEAT_SECRET_TOKEN"]}
failures = []


class Failures(logging.Handler):
    """Keeps the log records of the SDK: exporters log a refusal, and tell nobody else."""

    def emit(self, record):
        failures.append(record.getMessage())


logging.getLogger("opentelemetry").addHandler(Failures(logging.WARNING))


def exporters():
    if PROTOCOL == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        kinds = OTLPSpanExporter, OTLPLogExporter, OTLPMetricExporter
        return [kind(endpoint=SERVER, insecure=True, headers=HEADERS) for kind in kinds]
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    kinds = ("traces", OTLPSpanExporter), ("logs", OTLPLogExporter), ("metrics", OTLPMetricExporter)
    return [
        kind(endpoint="%s/v1/%s" % (SERVER, signal), headers=HEADERS, compression=Compression.Gzip)
        for signal, kind in kinds
    ]


spans_to, logs_to, metrics_to = exporters()
resource = Resource.create({
    "service.name": os.environ["OPBEAT_SERVICE"],
    "service.version": "1.4.2",
    "deployment.environment.name": "production",
    "host.name": "web-4.example.com",
})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(spans_to))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(logs_to))
metrics = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(metrics_to)])
tracer = traces.get_tracer("shop")
start = time.time_ns() - 5_000 * MS


def span(name, kind, at, milliseconds, attributes=None, parent=None, error=None):
    """Records a span of a known duration, and returns the context of its children."""
    recorded = tracer.start_span(name, parent, kind, attributes, start_time=start + at * MS)
    if error is not None:
        recorded.record_exception(error, timestamp=start + (at + milliseconds) * MS)
        recorded.set_status(Status(StatusCode.ERROR, str(error)))
    recorded.end(start + (at + milliseconds) * MS)
    return set_span_in_context(recorded)


def request(route, at, milliseconds, status, error=None):
    attributes = {"http.request.method": "GET", "http.route": route, "http.response.status_code": status}
    return span("GET " + route, SpanKind.SERVER, at, milliseconds, attributes, error=error)


class Declined(Exception):
    pass


def raised(order):
    try:
        raise Declined("card declined for order " + order)
    except Declined as error:
        return error


def main():
    for number in range(3):
        inside = request("/orders/{id}", number * 100, 40 + number, 200)
        query = {"db.system.name": "postgresql", "db.query.text": "SELECT * FROM orders WHERE id = %d" % number}
        span("SELECT orders", SpanKind.CLIENT, number * 100 + 5, 10, query, inside)
        within = span("render", SpanKind.INTERNAL, number * 100 + 20, 15, None, inside)
        call = {"http.request.method": "GET", "url.full": "http://prices.example/all"}
        span("GET", SpanKind.CLIENT, number * 100 + 22, 5, call, within)
    request("/checkout", 400, 25, 500, raised("A-5"))
    request("/nowhere", 500, 1, 404)
    topic = {"messaging.system": "kafka", "messaging.destination.name": "mails"}
    span("mails process", SpanKind.CONSUMER, 600, 80, topic)
    log = logs.get_logger("shop.billing")
    log.emit(LogRecord(
        timestamp=start + 700 * MS, severity_number=SeverityNumber.ERROR, severity_text="ERROR",
        body="Billing did not answer after 3 tries", attributes={"tries": 3},
    ))
    log.emit(LogRecord(
        timestamp=start + 710 * MS, severity_number=SeverityNumber.INFO, severity_text="INFO", body="Shop is open",
    ))
    meter = metrics.get_meter("shop")
    meter.create_counter("orders").add(3)
    meter.create_histogram("basket", unit="EUR").record(12.5)
    for provider in traces, logs, metrics:
        provider.shutdown()
    account = {
        "transactions": [
            {"name": "GET /orders/{id}", "results": {"200": 3}, "durations_ms": [40, 41, 42]},
            {"name": "GET /checkout", "results": {"500": 1}, "durations_ms": [25]},
            {"name": "GET /nowhere", "results": {"404": 1}, "durations_ms": [1]},
            {"name": "mails process", "durations_ms": [80]},
        ],
        "spans": [
            {"transaction": "GET /orders/{id}", "signature": "SELECT FROM orders", "count": 3, "self_ms": 30},
            {"transaction": "GET /orders/{id}", "signature": "render", "count": 3, "self_ms": 30},
            {"transaction": "GET /orders/{id}", "signature": "GET prices.example", "count": 3, "self_ms": 15},
        ],
        "errors": [
            {"type": "Declined", "message": "card declined for order A-5", "times": 1, "newest_function": "raised"},
            {"message": "Billing did not answer after 3 tries", "level": "error", "times": 1},
        ],
        "release": "1.4.2", "environment": "production", "host": "web-4.example.com",
        "failures": failures,
    }
    print("account", json.dumps(account))


if __name__ == "__main__":
    main()
