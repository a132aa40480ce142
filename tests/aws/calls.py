"""Reads from a request what it asks for: which service and operation, of which bucket and key, signed by whom."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from . import rest

TARGETS = {
    "AWSOrganizationsV20161128": "organizations",
    "StarlingDoveService": "config",
    "AmazonAthena": "athena",
    "secretsmanager": "secretsmanager",
}
SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass
class Request:
    """A request as it came; the body without any transfer coding."""

    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return {
            key: values[0] for key, values in parse_qs(self.target.partition("?")[2], keep_blank_values=True).items()
        }


@dataclass
class Answer:
    """What goes back. `by` is who made it: "here", "moto", or "fault"."""

    status: int
    headers: dict
    body: bytes
    by: str = "here"


@dataclass
class Call:
    """A request with its meaning."""

    service: str
    operation: str
    account: str
    arn: str
    region: str
    access_key: str
    parameters: dict = field(default_factory=dict)
    bucket: str = ""
    key: str = ""
    faults: list = field(default_factory=list)

    def fault(self, kind):
        """The fault of this kind that strikes this call, if any."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


def read(request, world):
    """The call that a request makes. Unsigned ones have no access key; unknown ones no service."""
    access_key, region, service = signer(request)
    identity = world.identity(access_key)
    call = Call(service, "", identity.account, identity.arn, region or world.region, access_key)
    target = request.headers.get("x-amz-target", "")
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if request.path.startswith("/artifact-documents/"):
        call.service, call.operation, call.key = "artifact-documents", "GetObject", request.path
    elif service in rest.SERVICES:
        call.operation, call.parameters = rest.read(request, service)
    elif target:
        prefix, _, call.operation = target.rpartition(".")
        call.service = TARGETS.get(prefix, service or prefix)
        call.parameters = json_object(request.body)
    elif form and service != "s3":
        fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        call.parameters = {key: values[0] for key, values in fields.items()}
        call.operation = call.parameters.pop("Action", "")
        call.parameters.pop("Version", None)
    elif service == "s3":
        call.bucket, _, call.key = unquote(request.path).lstrip("/").partition("/")
        call.parameters = request.query
        call.operation = s3_operation(request.method, call, request.headers)
    return call


def signer(request):
    """Access key, region and service as signed, by header or in a presigned address."""
    credential = request.headers.get("authorization", "")
    presigned = request.query.get("X-Amz-Credential")
    if presigned:
        credential = f"Credential={presigned}"
    match = SCOPE.search(credential)
    return match.groups() if match else ("", "", "")


def json_object(body):
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parameters if isinstance(parameters, dict) else {}


# In the order in which they are looked for: a query parameter, then the operation by method.
OF_KEY = [
    (
        "uploadId",
        {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"},
    ),
    ("uploads", {"POST": "CreateMultipartUpload"}),
    ("attributes", {"GET": "GetObjectAttributes"}),
    ("tagging", {"GET": "GetObjectTagging", "PUT": "PutObjectTagging"}),
    (None, {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}),
]
OF_BUCKET = [
    ("location", {"GET": "GetBucketLocation"}),
    ("versioning", {"GET": "GetBucketVersioning", "PUT": "PutBucketVersioning"}),
    ("versions", {"GET": "ListObjectVersions"}),
    ("policy", {"GET": "GetBucketPolicy", "PUT": "PutBucketPolicy"}),
    ("encryption", {"GET": "GetBucketEncryption", "PUT": "PutBucketEncryption"}),
    ("delete", {"POST": "DeleteObjects"}),
    ("list-type", {"GET": "ListObjectsV2"}),
    (None, {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}),
]


def s3_operation(method, call, headers):
    """The operation of S3, whose requests do not name it; empty where it is none of those known here."""
    if not call.bucket:
        return "ListBuckets" if method == "GET" else ""
    for parameter, operations in OF_KEY if call.key else OF_BUCKET:
        if parameter is None or parameter in call.parameters:
            operation = operations.get(method, "")
            copied = operation == "PutObject" and "x-amz-copy-source" in headers
            return "CopyObject" if copied else operation
    return ""
