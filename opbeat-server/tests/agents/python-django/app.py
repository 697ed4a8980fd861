"""A Django application with the Python agent. Requests are made in the process, then the account is printed."""

import json
import logging
import os
import sys

import django
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views import View

FOLDER = os.path.dirname(os.path.abspath(__file__))
MIDDLEWARE = [
    "opbeat.contrib.django.middleware.OpbeatAPMMiddleware",
    "opbeat.contrib.django.middleware.OpbeatResponseErrorIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "opbeat.contrib.django.middleware.Opbeat404CatchMiddleware",
]
settings.configure(
    ALLOWED_HOSTS=["shop.example"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "opbeat.contrib.django",
    ],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"opbeat": {"class": "opbeat.contrib.django.handlers.OpbeatHandler", "level": "WARNING"}},
        "loggers": {"shop": {"handlers": ["opbeat"], "level": "WARNING"}},
    },
    MIDDLEWARE=MIDDLEWARE,
    OPBEAT={
        "ORGANIZATION_ID": os.environ["OPBEAT_ORGANIZATION_ID"],
        "APP_ID": os.environ["OPBEAT_APP_ID"],
        "SECRET_TOKEN": os.environ["OPBEAT_SECRET_TOKEN"],
        "SERVERS": [os.environ["OPBEAT_SERVER_URL"]],
        "HOSTNAME": "web-2.example.com",
        "INCLUDE_PATHS": ["__main__"],
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="not-a-secret-of-anybody",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [FOLDER + "/templates"], "OPTIONS": {"debug": True}}],
    USE_TZ=True,
)
log = logging.getLogger("shop.stock")


def products(request):
    from django.contrib.auth.models import User

    return render(request, "products.html", {"users": list(User.objects.all())})


class Cart(View):
    def post(self, request):
        return HttpResponse("put", status=201)


def checkout(request):
    raise LookupError("no price for order %s" % request.POST["order"])


def broken(request):
    return render(request, "broken.html")


def private(request):
    raise PermissionDenied


def stock(request):
    log.warning("Only %d of %s left", 3, "books", extra={"request": request})
    return HttpResponse("logged")


urlpatterns = [
    path("products/", products),
    path("cart/", Cart.as_view()),
    path("checkout/<int:order>/", lambda request, order: checkout(request)),
    path("checkout/", checkout),
    path("broken/", broken),
    path("private/", private),
    path("stock/", stock),
]


def main():
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("ada", "ada@example.com", "correct-horse")

    class Visitor(Client):
        """Gets the response of a failed request, as a browser does, where Django's client raises the exception."""

        def store_exc_info(self, **arguments):
            pass

    visitor = Visitor(HTTP_HOST="shop.example")
    customer = Visitor(HTTP_HOST="shop.example")
    customer.force_login(user)
    for _ in range(4):
        assert visitor.get("/products/?page=2").status_code == 200
    for _ in range(3):
        assert visitor.post("/cart/").status_code == 201
    assert visitor.get("/cart/").status_code == 405
    failed = customer.post("/checkout/", {"order": "A-2", "password": "correct-horse"})
    assert failed.status_code == 500
    assert visitor.get("/broken/").status_code == 500
    assert visitor.get("/private/").status_code == 403
    assert visitor.get("/stock/").status_code == 200
    for _ in range(2):
        assert visitor.get("/nowhere/?q=1").status_code == 404
    spans = [
        ["GET __main__.products", "db.sqlite.sql", "SELECT FROM auth_user", 4],
        ["GET __main__.products", "template.django", "products.html", 4],
    ]
    account = {
        "transactions": [
            {"name": "GET __main__.products", "kind": "web.django", "results": {"200": 4}},
            {"name": "POST __main__.Cart", "kind": "web.django", "results": {"201": 3}},
            {"name": "GET __main__.Cart", "kind": "web.django", "results": {"405": 1}},
            {"name": "POST __main__.checkout", "kind": "web.django", "results": {"500": 1}},
            {"name": "GET __main__.broken", "kind": "web.django", "results": {"500": 1}},
            {"name": "GET __main__.private", "kind": "web.django", "results": {"403": 1}},
            {"name": "GET __main__.stock", "kind": "web.django", "results": {"200": 1}},
            {"name": "", "kind": "web.django", "results": {"404": 2}},
        ],
        "spans": [dict(zip(("transaction", "kind", "signature", "count"), span)) for span in spans],
        "errors": [
            {"type": "LookupError", "message": "no price for order A-2", "culprit": "__main__.checkout",
             "level": "error", "times": 1, "id": failed.get("X-Opbeat-ID"), "newest_function": "checkout"},
            {"type": "TemplateSyntaxError", "culprit": "broken.html", "level": "error", "times": 1},
            {"message": "Only 3 of books left", "level": "warning", "logger": "shop.stock", "times": 1},
            {"message": "Page Not Found: ['http://shop.example/nowhere/?q=1']", "level": "info", "logger": "http404",
             "times": 2},
        ],
    }
    print("account", json.dumps(account), flush=True)
    # At its end the agent waits for ten seconds only, so all errors are sent before.
    sys.stdin.read()


if __name__ == "__main__":
    main()
