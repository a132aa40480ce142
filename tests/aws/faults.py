"""Faults that a test orders: which calls they strike, how often, and what AWS answers then.

A fault is an object with a "kind" and any of these, all of which must fit for it to strike:
    "service" "operation" "account" "region" "bucket"   equal to the call's
    "key_prefix"                                         what the object's key, or the listed prefix, begins with
    "contains"                                           a text in the call's parameters (a query's text, a rule's name)
    "after": 2    lets the first two pass;   "times": 3    strikes three times (1 if absent, null: always)

Kinds that answer instead of the service:
    throttle, deny, expired, region_disabled             as the service says it ("retry_after_seconds" of Artifact's)
    clock_skew        the signature's time is off; "seconds" shifts the Date header, from which SDKs learn by how much
    server_error      "status" 500 (if absent) or 503, as the service says it
    error             "code", "message", "status" (400), "members": anything else
Kinds that the network makes:
    slow              "seconds" before the answer
    cut               the connection ends after "bytes" of the body (half of it if absent); all of it was announced
    reset             the connection ends without an answer
Kinds that change an answer:
    empty_page        a page without entries that still carries a token
    no_list           (Artifact's lists) a page that lacks the list itself
    requeue           (StartQueryExecution) the query is QUEUED once more after RUNNING
    query_failed      (StartQueryExecution) the query ends FAILED: "retryable", "category", "error_type", "message"
    hold              (StartQueryExecution) the query stays RUNNING until it is stopped or faults are cleared
"""

import threading
from dataclasses import dataclass, field

from .answers import ServiceError
from .calls import Call

ANSWERING = ("throttle", "deny", "expired", "region_disabled", "clock_skew", "server_error", "error")
KINDS = (*ANSWERING, "slow", "cut", "reset", "empty_page", "no_list", "requeue", "query_failed", "hold")
FITTING = ("service", "operation", "account", "region", "bucket")

# Operations of S3 that IAM knows by another name.
ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "ListObjects": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "UploadPart": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}


@dataclass
class Fault:
    """One order for a fault."""

    kind: str
    match: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)
    after: int = 0
    left: int | None = 1

    def strikes(self, call):
        for name in FITTING:
            if name in self.match and self.match[name] != getattr(call, name):
                return False
        prefix = self.match.get("key_prefix")
        if prefix is not None and not (call.key or call.parameters.get("prefix", "")).startswith(prefix):
            return False
        text = self.match.get("contains")
        return text is None or text in str(call.parameters)


class Faults:
    """The faults that are still to come, in the order in which they were ordered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ordered = []
        # How often they were cleared: what a fault holds is let go then.
        self.cleared = 0

    def order(self, wanted):
        """Adds a fault; ValueError where it is not one."""
        rest = dict(wanted)
        kind = rest.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of fault: {', '.join(KINDS)}")
        after, times = rest.pop("after", 0), rest.pop("times", 1)
        match = {name: rest.pop(name) for name in (*FITTING, "key_prefix", "contains") if name in rest}
        with self.lock:
            self.ordered.append(Fault(kind, match, rest, after, times))

    def take(self, call: Call):
        """The faults that strike this call: at most one that answers, and any of the others."""
        struck = []
        with self.lock:
            for fault in self.ordered:
                answering = fault.kind in ANSWERING
                if (answering and any(other.kind in ANSWERING for other in struck)) or not fault.strikes(call):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                struck.append(fault)
            self.ordered = [fault for fault in self.ordered if fault.left is None or fault.left > 0]
        return struck

    def clear(self):
        with self.lock:
            self.ordered.clear()
            self.cleared += 1

    def waiting(self):
        with self.lock:
            return [
                {"kind": one.kind, **one.match, **one.details, "after": one.after, "times": one.left}
                for one in self.ordered
            ]


def error_of(fault, call):
    """What a service answers under a fault."""
    if fault.kind == "deny":
        return denied(call)
    if fault.kind == "error":
        details = fault.details
        members = details.get("members", {})
        return ServiceError(details["code"], details.get("message", ""), details.get("status", 400), **members)
    if fault.kind == "server_error":
        return server_error(call, fault.details.get("status", 500))
    if call.service == "artifact":
        return artifact_error(fault)
    protocol = call.service if call.service in ("s3", "sts") else "json"
    code, status, message = ERRORS[fault.kind][protocol]
    return ServiceError(code, message, status)


def artifact_error(fault):
    """Artifact's own statuses; what it says of its own accord when it throttles."""
    if fault.kind == "throttle":
        seconds = fault.details.get("retry_after_seconds", 0)
        return ServiceError("ThrottlingException", "Rate exceeded", 429, retryAfterSeconds=seconds)
    code, _, message = ERRORS[fault.kind]["json"]
    return ServiceError(code, message, 403)


def denied(call):
    """AWS's words for a missing permission. S3 puts the resource in quotation marks."""
    action = f"{call.service}:{ACTIONS.get(call.operation, call.operation)}"
    if call.service == "s3":
        resource = f'"arn:aws:s3:::{"/".join(part for part in (call.bucket, call.key) if part)}"'
        code, status = "AccessDenied", 403
    elif call.service == "sts":
        resource = call.parameters.get("RoleArn", "*")
        code, status = "AccessDenied", 403
    else:
        resource = resource_of(call)
        code, status = "AccessDeniedException", 403 if call.service == "artifact" else 400
    message = f"User: {call.arn} is not authorized to perform: {action} on resource: {resource}"
    if call.service != "sts":
        message += f" because no identity-based policy allows the {action} action"
    return ServiceError(code, message, status)


def resource_of(call):
    """The resource that IAM names; operations on no one thing have a star."""
    if call.service == "athena":
        return f"arn:aws:athena:{call.region}:{call.account}:workgroup/{call.parameters.get('WorkGroup', 'primary')}"
    if call.service == "secretsmanager":
        return call.parameters.get("SecretId", "*")
    return "*"


def server_error(call, status):
    if call.service == "s3":
        code = "SlowDown" if status == 503 else "InternalError"
    elif call.service == "artifact" and status == 500:
        code = "InternalServerException"
    else:
        code = "ServiceUnavailable" if status == 503 else "InternalFailure"
    return ServiceError(code, "We encountered an internal error. Please try again.", status)


INVALID = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"
SKEWED = "Signature expired: 20000101T000000Z is now earlier than 20000101T001500Z"
ERRORS = {
    "throttle": {
        "json": ("ThrottlingException", 400, "Rate exceeded"),
        "sts": ("Throttling", 400, "Rate exceeded"),
        "s3": ("SlowDown", 503, "Please reduce your request rate."),
    },
    "expired": {
        "json": ("ExpiredTokenException", 400, EXPIRED),
        "sts": ("ExpiredToken", 403, EXPIRED),
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
    },
    # A Region that the account has not opted into does not know the account's keys.
    "region_disabled": {
        "json": ("UnrecognizedClientException", 400, INVALID),
        "sts": ("InvalidClientTokenId", 403, "The security token included in the request is invalid"),
        "s3": ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    },
    "clock_skew": {
        "json": ("InvalidSignatureException", 400, SKEWED),
        "sts": ("SignatureDoesNotMatch", 403, SKEWED),
        "s3": (
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
        ),
    },
}
