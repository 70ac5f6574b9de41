"""A real mail server for tests: aiosmtpd, in one process, on free ports of 127.0.0.1. It ends with its standard input.

It first prints `{"ports": {...}}`. `plain` offers nothing; `starttls:<certificate>` takes no mail before STARTTLS and AUTH; `smtps:<certificate>` speaks
TLS from the beginning, and takes no mail before AUTH. Then comes a line for each command that it was told, `{"told": "..."}`, without passwords; for
each mail that it has taken, `{"mail": {...}}`; and at the end of a connection, `{"gone": true}`.

What it makes of a mail lies in the address: `mail-451@...` as a sender, `rcpt-550@`, `data-554@` and `end-452@` as a recipient are refused with that status
there; with `half-way@` it hangs up in the middle of the text, with `hangs-up@` after the end of it, with `hangs@` it says nothing more, and with
`no-goodbye@` it takes the mail and hangs up where it is told QUIT.
"""

import asyncio
import email
import email.policy
import json
import logging
import os
import re
import ssl
import sys
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

TESTS = Path(__file__).resolve().parents[2] / "crates/login/tests"
CERTIFICATES = {name: TESTS / "ldap/tls" for name in ("server", "elsewhere", "foreign", "ended")} | {"anywhere": TESTS / "mail_server/tls"}
LOGIN = LoginPassword(b"falconer", b"password of the mail server")


def say(line):
    print(json.dumps(line), flush=True)


class Told(logging.Handler):
    """What aiosmtpd logs of each command: `%r >> %r`, who and what."""

    def emit(self, record):
        if record.msg == "%r >> %r":
            say({"told": record.args[1].decode(errors="replace")})


def status_for(stage, address):
    found = re.fullmatch(rf"{stage}-(\d{{3}})@.*", address)
    return f"{found[1]} not here" if found else None


class Server(SMTP):
    def connection_lost(self, error):
        super().connection_lost(error)
        say({"gone": True})

    def under_tls(self):
        return self.transport.get_extra_info("sslcontext") is not None

    def recipient(self):
        return self.envelope.rcpt_tos[0].split("@")[0]

    async def smtp_DATA(self, arg):
        refused = status_for("data", self.envelope.rcpt_tos[0]) if self.envelope.rcpt_tos else None
        if refused:
            await self.push(refused)
        elif self.envelope.rcpt_tos and self.recipient() == "half-way":
            await self.push("354 go on")
            await self._reader.readuntil()
            self.hang_up()
        else:
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg):
        if getattr(self, "says_no_goodbye", False):
            self.hang_up()
        else:
            await super().smtp_QUIT(arg)

    def hang_up(self):
        self.transport.abort()


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return status_for("mail", address) or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = status_for("rcpt", address)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        recipient = server.recipient()
        if recipient == "hangs":
            say({"hangs": True})
            await asyncio.Event().wait()
        if recipient == "hangs-up":
            server.hang_up()
            await asyncio.Event().wait()
        refused = status_for("end", envelope.rcpt_tos[0])
        if refused:
            return refused
        server.says_no_goodbye = recipient == "no-goodbye"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "mail": {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "tls": server.under_tls(),
                "user": session.auth_data.login.decode() if session.authenticated else None,
                "headers": {name.lower(): str(value) for name, value in message.items()},
                "text": message.get_content(),
            }
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data == LOGIN, handled=False, auth_data=data)


async def main():
    loop = asyncio.get_running_loop()
    ports = {}

    async def listen(name, tls=None, **settings):
        def server():
            return Server(Handler(), loop=loop, hostname="mail.test", authenticator=authenticate, **settings)

        listening = await loop.create_server(server, "127.0.0.1", 0, ssl=tls)
        ports[name] = listening.sockets[0].getsockname()[1]

    await listen("plain")
    for name, folder in CERTIFICATES.items():
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        await listen(f"starttls:{name}", tls_context=tls, require_starttls=True, auth_required=True)
        await listen(f"smtps:{name}", tls=tls, auth_required=True, auth_require_tls=False)
    say({"ports": ports})
    await asyncio.Event().wait()


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


logging.getLogger("mail.log").addHandler(Told())
logging.getLogger("mail.log").setLevel(logging.INFO)
threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
