"""Asks moto, in this process, and says so where moto has no answer.

moto answers an operation that it lacks with HTTP 500 and a page of HTML, which an SDK takes for an outage and tries
again. Here that becomes an error that no SDK retries, and a violation.
"""

import io
import itertools
import threading
from bisect import bisect_left
from types import SimpleNamespace
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import S3Backend
from werkzeug.test import run_wsgi_app

from .answers import ServiceError
from .calls import Answer

APPLICATION = DomainDispatcherApplication(create_backend_app)
# moto keeps some of its state in module variables without locks: writers come one at a time.
WRITING = threading.Lock()


def ask(request, call):
    """moto's answer to a request."""
    if request.method in ("GET", "HEAD"):
        answer = asked(request)
    else:
        with WRITING:
            answer = asked(request)
    page = answer.body[:20].lstrip().lower().startswith((b"<!doctype", b"<html")) and call.service != "s3"
    if answer.status >= 500 or page:
        raise Unanswered(f"moto has no answer to {call.service} {call.operation}: HTTP {answer.status}")
    return answer


def asked(request):
    body, status, headers = run_wsgi_app(APPLICATION, environment(request), buffered=True)
    # Several headers of one name do not occur in what is asked of moto here.
    return Answer(
        int(status.partition(" ")[0]), {name.lower(): value for name, value in headers}, b"".join(body), "moto"
    )


class Unanswered(ServiceError):
    """An operation that nobody here has. Not one of AWS's retryable codes."""

    def __init__(self, message):
        super().__init__("UnknownOperationException", message)


def environment(request):
    """The request as WSGI has it."""
    path, _, query = request.target.partition("?")
    found = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
    }
    for name, value in request.headers.items():
        if name not in ("content-length", "content-type", "transfer-encoding", "expect"):
            found["HTTP_" + name.upper().replace("-", "_")] = value
    return found


def keys_under(keys, prefix):
    """Yields the keys that begin with a prefix, of keys in order."""
    return itertools.takewhile(
        lambda key: key.startswith(prefix), itertools.islice(keys, bisect_left(keys, prefix), None)
    )


def list_under_prefix(self, bucket, prefix, *others, **named):
    """moto's listing of only what is under the prefix: by itself it looks at every object of the bucket, each time."""
    if prefix:
        bucket = SimpleNamespace(keys={key: bucket.keys[key] for key in keys_under(sorted(bucket.keys), prefix)})
    return LIST_OBJECTS(self, bucket, prefix, *others, **named)


LIST_OBJECTS = S3Backend.list_objects
S3Backend.list_objects = list_under_prefix
