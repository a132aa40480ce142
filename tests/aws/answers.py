"""Answers as AWS writes them: JSON, and errors in each protocol's own form."""

import json
import uuid
from xml.sax.saxutils import escape

from . import rest
from .calls import Answer

JSON_SERVICES = ("organizations", "config", "athena", "secretsmanager")


class ServiceError(Exception):
    """An error that a service answers: AWS's code, a message, and members beside it."""

    def __init__(self, code, message, status=400, **members):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


def json_answer(value):
    return json_bytes(200, value)


def json_bytes(status, value):
    body = json.dumps(value, ensure_ascii=False).encode()
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": str(uuid.uuid4())}
    return Answer(status, headers, body)


def rest_answer(value):
    """An answer in REST-JSON."""
    headers = {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4())}
    return Answer(200, headers, json.dumps(value, ensure_ascii=False).encode())


def rest_error(error):
    """An error in REST-JSON: its code is in a header, and so is how long to wait."""
    members = dict(error.members)
    headers = {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error.code}
    if "retryAfterSeconds" in members:
        headers["retry-after"] = str(members.pop("retryAfterSeconds"))
    return Answer(error.status, headers, json.dumps({"message": error.message, **members}).encode())


def error_answer(call, error, method="POST"):
    """The error in the form of the call's service."""
    if call.service in rest.SERVICES:
        return rest_error(error)
    if call.service in ("s3", "artifact-documents"):
        return s3_error(call, error, method)
    if call.service == "sts":
        return query_error(error)
    # Services differ in the letter case of this member; all SDKs read both.
    name = "Message" if call.service in ("athena", "organizations", "secretsmanager") else "message"
    return json_bytes(error.status, {"__type": error.code, name: error.message, **error.members})


def s3_error(call, error, method):
    identifier = uuid.uuid4().hex[:16].upper()
    where = f"<BucketName>{escape(call.bucket)}</BucketName><Key>{escape(call.key)}</Key>"
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message>{where}<RequestId>{identifier}</RequestId>"
        f"<HostId>{uuid.uuid4().hex}</HostId></Error>"
    )
    headers = {"content-type": "application/xml", "x-amz-request-id": identifier}
    # S3 has no body, and so no code, in its answer to HEAD.
    return Answer(error.status, headers, b"" if method == "HEAD" else body.encode())


def query_error(error):
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        f"<Type>{kind}</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Answer(error.status, {"content-type": "text/xml"}, body.encode())
