"""A job with the Python agent and no framework. It works, then prints the account of what it did."""

import json
import logging
import os
import sqlite3
import sys

import opbeat
import opbeat.instrumentation.control
from opbeat.handlers.logging import OpbeatHandler

client = opbeat.Client(
    organization_id=os.environ["OPBEAT_ORGANIZATION_ID"],
    app_id=os.environ["OPBEAT_APP_ID"],
    secret_token=os.environ["OPBEAT_SECRET_TOKEN"],
    servers=[os.environ["OPBEAT_SERVER_URL"]],
    hostname="job-1.example.com",
    include_paths=["__main__"],
)
opbeat.instrumentation.control.instrument()
log = logging.getLogger("shop.jobs")
log.addHandler(OpbeatHandler(client))


@opbeat.trace("send mail", kind="ext.mail")
def send(address):
    return "to " + address


def mail(addresses):
    database = sqlite3.connect(":memory:").cursor()
    database.execute("CREATE TABLE mails (address TEXT)")
    for address in addresses:
        database.execute("INSERT INTO mails VALUES (?)", (address,))
        with opbeat.trace("render mail", kind="template.mail"):
            send(address)


def invoice(order):
    if order % 2:
        raise ArithmeticError("order %d has no total" % order)


def run(name, work, result="ok"):
    client.begin_transaction("task.shop")
    try:
        work()
    except ArithmeticError:
        client.capture_exception(extra={"task": name})
        result = "failed"
    client.end_transaction(name, result)


def main():
    for _ in range(4):
        run("shop.jobs.newsletter", lambda: mail(["a@example.com", "b@example.com"]))
    for order in range(5):
        run("shop.jobs.invoice", lambda: invoice(order))
    run("shop.jobs.nothing", lambda: None, result=None)
    log.critical("Disk %(disk)s is full", {"disk": "sda", "free": 0})
    ident = client.capture_message("Nightly import finished", data={"level": "info", "logger": "shop.import"})
    query = client.capture_query("SELECT * FROM orders WHERE total < 0", engine="sqlite3")
    spans = [
        ["shop.jobs.newsletter", "db.sqlite.connect", "sqlite3.connect :memory:", 4],
        ["shop.jobs.newsletter", "db.sqlite.sql", "CREATE TABLE", 4],
        ["shop.jobs.newsletter", "db.sqlite.sql", "INSERT INTO mails", 8],
        ["shop.jobs.newsletter", "template.mail", "render mail", 8],
        ["shop.jobs.newsletter", "ext.mail", "send mail", 8],
    ]
    account = {
        "transactions": [
            {"name": "shop.jobs.newsletter", "kind": "", "results": {"ok": 4}},
            {"name": "shop.jobs.invoice", "kind": "", "results": {"ok": 3, "failed": 2}},
            {"name": "shop.jobs.nothing", "kind": "", "results": {"null": 1}},
        ],
        "spans": [dict(zip(("transaction", "kind", "signature", "count"), span)) for span in spans],
        "errors": [
            {"type": "ArithmeticError", "message": "order 3 has no total", "culprit": "__main__.invoice",
             "level": "error", "times": 2, "newest_function": "invoice"},
            {"message": "Disk sda is full", "level": "critical", "logger": "shop.jobs", "times": 1},
            {"message": "Nightly import finished", "level": "info", "logger": "shop.import", "times": 1, "id": ident},
            {"message": "SELECT * FROM orders WHERE total < 0", "level": "error", "times": 1, "id": query},
        ],
    }
    print("account", json.dumps(account), flush=True)
    # At its end the agent waits for ten seconds only, so all errors are sent before.
    sys.stdin.read()


if __name__ == "__main__":
    main()
