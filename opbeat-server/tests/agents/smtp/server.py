"""A mail server on a free port. It prints the port, and then each mail that it gets."""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


def account(values):
    print("account " + json.dumps(values), flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        account(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": sorted(name.lower() for name in mail.keys()),
                "subject": mail["subject"],
                "unsubscribe": mail["list-unsubscribe"],
                "text": mail.get_body(("plain",)).get_content(),
                "html": mail.get_body(("html",)).get_content(),
            }
        )
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="localhost"), "127.0.0.1", 0)
    account({"port": server.sockets[0].getsockname()[1]})
    # Until the standard input is closed.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
