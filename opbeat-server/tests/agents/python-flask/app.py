"""A Flask application with the Python agent. Requests are made in the process, then the account is printed."""

import http.server
import json
import logging
import os
import sqlite3
import sys
import threading

import flask
import opbeat
import requests
from opbeat.contrib.flask import Opbeat

app = flask.Flask(__name__)
app.config["OPBEAT"] = {
    "ORGANIZATION_ID": os.environ["OPBEAT_ORGANIZATION_ID"],
    "APP_ID": os.environ["OPBEAT_APP_ID"],
    "SECRET_TOKEN": os.environ["OPBEAT_SECRET_TOKEN"],
    "SERVERS": [os.environ["OPBEAT_SERVER_URL"]],
    "HOSTNAME": "web-1.example.com",
    "INCLUDE_PATHS": ["__main__"],
}
agent = Opbeat(app, logging=True)
billing = logging.getLogger("shop.billing")
prices = None


class Prices(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


@opbeat.trace("price calculation", kind="code.pricing")
def price_of(product):
    return 100 * product


def find(product):
    database = sqlite3.connect(":memory:").cursor()
    database.execute("CREATE TABLE products (id INTEGER, name TEXT)")
    database.execute("INSERT INTO products VALUES (?, 'book')", (product,))
    return database.execute("SELECT name FROM products WHERE id = ?", (product,)).fetchone()


@app.route("/products/<int:product>")
def show(product):
    if product == 0:
        flask.abort(404)
    (name,) = find(product)
    return flask.render_template("product.html", name=name, price=price_of(product))


@app.route("/prices")
def compare():
    requests.get("http://127.0.0.1:%d/prices?of=all" % prices.server_port, timeout=10)
    return "compared"


@app.route("/checkout", methods=["POST"])
def checkout():
    order = flask.request.form["order"]
    raise ValueError("card declined for order " + order)


@app.route("/import")
def start_import():
    billing.error("Import of %s failed after %d tries", "prices", 3, extra={"stack": True})
    billing.warning("Billing is slow")
    return "", 202


def request(path, times, method="GET", **options):
    client = app.test_client()
    for _ in range(times):
        client.open(path, method=method, **options)


def main():
    global prices
    prices = http.server.HTTPServer(("127.0.0.1", 0), Prices)
    threading.Thread(target=prices.serve_forever, daemon=True).start()
    request("/products/7", 5)
    request("/products/0", 2)
    request("/prices", 3)
    request("/import", 1)
    request("/nowhere", 2)
    form = {"order": "A-1", "password": "correct-horse"}
    request("/checkout?coupon=SPRING", 2, method="POST", data=form, headers={"User-Agent": "driver/1.0"})
    message = agent.capture_message("Stock is low", data={"level": "info"}, extra={"left": 3, "by": ["web", "shop"]})
    try:
        {}["missing"]
    except KeyError:
        exception = agent.capture_exception(extra={"cart": "c-9"})
    port = prices.server_port
    spans = [
        ["GET /products/<int:product>", "db.sqlite.connect", "sqlite3.connect :memory:", 5],
        ["GET /products/<int:product>", "db.sqlite.sql", "CREATE TABLE", 5],
        ["GET /products/<int:product>", "db.sqlite.sql", "INSERT INTO products", 5],
        ["GET /products/<int:product>", "db.sqlite.sql", "SELECT FROM products", 5],
        ["GET /products/<int:product>", "code.pricing", "price calculation", 5],
        ["GET /products/<int:product>", "template.jinja2", "product.html", 5],
        ["GET /prices", "ext.http.requests", "GET 127.0.0.1:%d" % port, 3],
    ]
    account = {
        "transactions": [
            {"name": "GET /products/<int:product>", "kind": "web.flask", "results": {"200": 5, "404": 2}},
            {"name": "GET /prices", "kind": "web.flask", "results": {"200": 3}},
            {"name": "GET /import", "kind": "web.flask", "results": {"202": 1}},
            {"name": "", "kind": "web.flask", "results": {"404": 2}},
            {"name": "POST /checkout", "kind": "web.flask", "results": {"500": 2}},
        ],
        "spans": [dict(zip(("transaction", "kind", "signature", "count"), span)) for span in spans],
        # Flask logs each exception too: the agent reports it twice, as an exception and as a log record.
        "errors": [
            {"type": "ValueError", "message": "card declined for order A-1", "culprit": "__main__.checkout",
             "level": "error", "times": 4, "newest_function": "checkout"},
            {"type": "KeyError", "message": "'missing'", "culprit": "__main__.main", "level": "error",
             "times": 1, "id": exception, "newest_function": "main"},
            {"message": "Stock is low", "level": "info", "times": 1, "id": message},
            {"message": "Import of prices failed after 3 tries", "level": "error", "logger": "shop.billing",
             "culprit": "__main__.start_import", "times": 1, "newest_function": "start_import"},
            {"message": "Billing is slow", "level": "warning", "logger": "shop.billing", "times": 1},
        ],
    }
    print("account", json.dumps(account), flush=True)
    # At its end the agent waits for ten seconds only, so all errors are sent before.
    sys.stdin.read()


if __name__ == "__main__":
    main()
