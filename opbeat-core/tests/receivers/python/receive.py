"""Receives OTLP over HTTP with OpenTelemetry's types for Python.

It prints its port, then an account of each request: the message, and all names in it that the semantic conventions do
not know. A message that the types do not accept is answered with 400.
"""

import base64
import gzip
import importlib
import json
import pkgutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import opentelemetry.semconv._incubating.attributes
import opentelemetry.semconv._incubating.metrics
import opentelemetry.semconv.attributes
import opentelemetry.semconv.metrics
from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TYPES = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
IDS = {"traceId", "spanId", "parentSpanId"}


def constants(package):
    """Returns the names that a package of the semantic conventions declares, and those that stand for a prefix."""
    names, prefixes = set(), set()
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        for key, value in vars(importlib.import_module(module.name)).items():
            if key.isupper() and isinstance(value, str):
                (prefixes if key.endswith("_TEMPLATE") else names).add(value)
    return names, prefixes


STABLE = constants(opentelemetry.semconv.attributes)
ALL = constants(opentelemetry.semconv._incubating.attributes)
METRICS = constants(opentelemetry.semconv.metrics)[0] | constants(opentelemetry.semconv._incubating.metrics)[0]


def is_in(name, known):
    names, prefixes = known
    return name in names or any(name.startswith(prefix + ".") for prefix in prefixes)


def find_names(value, attributes, metrics):
    """Collects the names of attributes and metrics in a message."""
    if isinstance(value, list):
        for item in value:
            find_names(item, attributes, metrics)
    elif isinstance(value, dict):
        for attribute in value.get("attributes", []):
            attributes.add(attribute["key"])
        for metric in value.get("metrics", []):
            metrics.add(metric["name"])
        for item in value.values():
            find_names(item, attributes, metrics)


def with_base64_ids(value):
    """OTLP writes ids in hexadecimal digits, unlike the JSON of protobuf."""
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else with_base64_ids(item)
            for key, item in value.items()
        }
    return value


def has_unknown_fields(message):
    if len(UnknownFieldSet(message)) > 0:
        return True
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            items = [value] if hasattr(value, "ListFields") else value
            if any(has_unknown_fields(item) for item in items):
                return True
    return False


def decode(path, content_type, body):
    kind = TYPES[path]
    if content_type == "application/json":
        message = json_format.ParseDict(with_base64_ids(json.loads(body)), kind())
    else:
        message = kind.FromString(body)
    if has_unknown_fields(message):
        raise ValueError("the message has fields that OTLP does not know")
    return message


def report(account):
    """Prints an account. One write keeps the lines of several threads apart."""
    sys.stdout.write("account " + json.dumps(account) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        encoding, content_type = self.headers.get("Content-Encoding"), self.headers["Content-Type"]
        account = {"path": self.path, "content_type": content_type, "encoding": encoding}
        try:
            message = decode(self.path, content_type, gzip.decompress(body) if encoding == "gzip" else body)
            account["message"] = json_format.MessageToDict(message)
            attributes, metrics = set(), set()
            find_names(account["message"], attributes, metrics)
            account["attributes"] = sorted(attributes)
            account["unknown"] = sorted(name for name in attributes if not is_in(name, ALL))
            account["incubating"] = sorted(name for name in attributes if is_in(name, ALL) and not is_in(name, STABLE))
            account["unknown_metrics"] = sorted(metrics - METRICS)
            status = 200
        except Exception as error:
            account["error"], status = repr(error), 400
        report(account)
        self.send_response(status)
        answer = b"{}" if content_type == "application/json" else b""
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
report({"port": server.server_port})
server.serve_forever()
