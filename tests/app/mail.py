"""An SMTP server for the tests of digests. Its first line of output is its port, each other one a message as JSON.

The argument is a comma-separated list of replies to the next messages before they are taken, e.g. "451,554".
"""
import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP

REPLIES = [reply for reply in sys.argv[1].split(",") if reply]


class Handler:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        reply = REPLIES.pop(0) if REPLIES else ""
        said = {
            "reply": reply or "250",
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()},
            "text": message.get_content(),
        }
        print(json.dumps(said), flush=True)
        return f"{reply} not now" if reply else "250 OK"


async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
