"""The stand-in's HTTP side: reads a request, lets faults strike, asks the service, checks and logs what passes."""

import contextlib
import email.utils
import socket
import sys
import time
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import calls, control, services
from .answers import ServiceError, error_answer
from .faults import ANSWERING, error_of
from .motoed import Unanswered

OWN_HEADERS = ("content-length", "date", "connection")


class Server(ThreadingHTTPServer):
    """Listens on a loopback port, a thread for each connection."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port, world):
        super().__init__(("127.0.0.1", port), Handler)
        self.world = world

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is no news; anything else is printed."""
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    # Without this each small answer would wait for the kernel's delayed acknowledgement.
    disable_nagle_algorithm = True

    def do_any(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = calls.Request(self.command, self.path, headers, self.body(headers))
        world = self.server.world
        if self.path.startswith("/-/"):
            answer = control.answer(world, request)
            self.send(answer, answer.body)
            return
        call = calls.read(request, world)
        call.faults = world.faults.take(call)
        answer = self.answer(world, call, request)
        body = self.sent_body(answer, call)
        # Before it is sent: who has the answer finds it in the log.
        world.record(
            {
                "service": call.service,
                "operation": call.operation,
                "account": call.account,
                "region": call.region,
                "bucket": call.bucket,
                "key": call.key,
                "parameters": call.parameters,
                "range": headers.get("range", ""),
                "signed_at": headers.get("x-amz-date", ""),
                "status": answer.status,
                "bytes": len(body),
                "faults": [fault.kind for fault in call.faults],
            }
        )
        if call.fault("reset"):
            self.end_connection()
        else:
            self.send(answer, body, call)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any

    def answer(self, world, call, request):
        """The answer to a call, checked; a fault's where one strikes."""
        for text in world.contract.request(call, request):
            world.violated(call, "request", text)
        slow = call.fault("slow")
        if slow:
            time.sleep(slow.details.get("seconds", 1))
        striking = next((fault for fault in call.faults if fault.kind in ANSWERING), None)
        if striking:
            answer = error_answer(call, error_of(striking, call), request.method)
            answer.by = "fault"
            return answer
        try:
            answer = services.answer(world, call, request)
        except ServiceError as error:
            if isinstance(error, Unanswered):
                world.violated(call, "request", error.message)
            answer = error_answer(call, error, request.method)
        except Exception as error:  # A mistake of the stand-in's must not look like an outage of AWS.
            self.server.handle_error(self.request, self.client_address)
            world.violated(call, "answer", f"the stand-in failed: {error!r}")
            answer = error_answer(call, ServiceError("UnknownOperationException", repr(error)), request.method)
        # A test that orders an answer without its list knows that no model allows it.
        for text in () if call.fault("no_list") else world.contract.answer(call, answer):
            world.violated(call, f"answer by {answer.by}", text)
        return answer

    def body(self, headers):
        """The request's body, without chunks."""
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def sent_body(self, answer, call):
        """As much of an answer's body as goes out."""
        if self.command == "HEAD" or call.fault("reset"):
            return b""
        cut = call.fault("cut")
        return answer.body[: cut.details.get("bytes", len(answer.body) // 2)] if cut else answer.body

    def send(self, answer, body, call=None):
        """Sends an answer with this much of its body, announcing all of it."""
        length = answer.headers.get("content-length", 0) if self.command == "HEAD" else len(answer.body)
        skew = call and call.fault("clock_skew")
        seconds = skew.details.get("seconds", 0) if skew else 0
        headers = {name: value for name, value in answer.headers.items() if name not in OWN_HEADERS}
        headers["date"] = email.utils.formatdate(time.time() + seconds, usegmt=True)
        if answer.status != 204:
            headers["content-length"] = length
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        if len(body) < len(answer.body) and self.command != "HEAD":
            self.end_connection()

    def end_connection(self):
        self.close_connection = True
        self.wfile.flush()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format, *arguments):
        """Nothing on standard error: the log is asked for by a control call."""
