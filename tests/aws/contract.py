"""Holds requests and answers against AWS's own service models, as botocore carries them.

Nobody here wrote those models, so they catch what a stand-in and its reader would otherwise agree on in error: a member
that AWS does not have, one that it always sends, a value outside an enumeration, an error that an operation does not
give.
"""

import json
import re
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qs

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.validate

NAMES = ("s3", "sts", "organizations", "config", "athena", "secretsmanager", "artifact")
JSON_TYPES = {
    "string": str,
    "structure": dict,
    "map": dict,
    "list": list,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
    "blob": str,
}
# Errors of every service, which no operation's model lists.
COMMON_ERRORS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
    "UnknownOperationException",
    "ValidationException",
}
# What is in an address beside an operation's own parameters.
FOREIGN_QUERY = re.compile(
    r"^(x-id|X-Amz-.*|delete|location|versioning|versions|policy|encryption|uploads|tagging|attributes|list-type)$"
)


class Contract:
    """The service models, each read when it is first needed."""

    def __init__(self):
        self.loader = botocore.loaders.Loader()
        self.service = lru_cache(None)(self._service)

    def _service(self, name):
        return botocore.model.ServiceModel(self.loader.load_service_model(name, "service-2"), service_name=name)

    def operation(self, call):
        """The model of a call's operation; none where AWS has no such operation."""
        if call.service not in NAMES:
            return None
        try:
            return self.service(call.service).operation_model(call.operation)
        except botocore.model.OperationNotFoundError:
            return None

    def request(self, call, request):
        """What is wrong with a request's parameters, one text each."""
        if call.service == "artifact-documents":
            return [] if request.method == "GET" else ["a presigned address is for GET"]
        operation = self.operation(call)
        if operation is None:
            return [f"AWS has no operation {call.operation!r} of {call.service!r}"]
        if call.service == "s3":
            return unknown_query(operation, call)
        if operation.input_shape is None:
            return []
        if call.service == "sts":
            members = operation.input_shape.members
            names = {name.partition(".")[0] for name in call.parameters}
            return [f"{name} is no parameter" for name in sorted(names - set(members))]
        report = botocore.validate.ParamValidator().validate(call.parameters, operation.input_shape)
        found = [report.generate_report()] if report.has_errors() else []
        return found + list(misfits(call.parameters, operation.input_shape, "request"))

    def answer(self, call, answer):
        """What is wrong with an answer, one text each."""
        operation = self.operation(call)
        if operation is None:
            return []
        if call.service in ("s3", "sts"):
            return self.parsed(operation, answer)
        try:
            value = json.loads(answer.body or b"{}")
        except ValueError as error:
            return [f"the answer is no JSON: {error}"]
        if answer.status >= 300:
            return wrong_error(operation, value, answer) if answer.by == "here" else []
        if operation.output_shape is None:
            return [] if value == {} else [f"the operation answers nothing, not {value}"]
        found = [*misfits(value, operation.output_shape, "answer"), *self.parsed(operation, answer)]
        # moto knows members that AWS does not; no reader sees them, and they are not ours to mend.
        return found if answer.by == "here" else [text for text in found if " is no member of " not in text]

    def parsed(self, operation, answer):
        """Reads the answer as boto3 does; for XML the parser is what knows the members."""
        if answer.status >= 300 or operation.output_shape is None or operation.has_streaming_output:
            return []
        parser = botocore.parsers.create_parser(operation.service_model.resolved_protocol)
        raw = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        try:
            parser.parse(raw, operation.output_shape)
        except botocore.parsers.ResponseParserError as error:
            return [f"boto3 cannot read the answer: {error}"]
        return []


def unknown_query(operation, call):
    known = {
        member.serialization.get("name", name)
        for name, member in (operation.input_shape.members.items() if operation.input_shape else ())
        if member.serialization.get("location") == "querystring"
    }
    fixed = operation.http.get("requestUri", "").partition("?")[2]
    known.update(parse_qs(fixed, keep_blank_values=True))
    return [
        f"{name} is no parameter" for name in call.parameters if name not in known and not FOREIGN_QUERY.match(name)
    ]


def wrong_error(operation, value, answer):
    code = answer.headers.get("x-amzn-errortype") or str(value.get("__type", "")).rpartition("#")[2]
    modelled = {shape.metadata.get("error", {}).get("code", shape.name) for shape in operation.error_shapes}
    modelled.update(shape.name for shape in operation.error_shapes)
    if code not in modelled | COMMON_ERRORS:
        return [f"{operation.name} does not answer the error {code!r}"]
    if operation.service_model.resolved_protocol != "rest-json":
        return []
    return [text for shape in operation.error_shapes if shape.name == code for text in wrong_rest(value, shape, answer)]


def wrong_rest(value, shape, answer):
    """What is wrong with an error in REST-JSON, where members may be in headers."""
    status = shape.metadata.get("error", {}).get("httpStatusCode")
    if status != answer.status:
        yield f"{shape.name} has status {answer.status}, not {status}"
    yield from misfits(value, shape, "error")


def misfits(value, shape, where):
    """Yields where a JSON value departs from a shape: unknown and missing members, types, lengths, enumerations."""
    if value is None:
        # AWS leaves out what is not there; its readers take null for the same.
        return
    kind = shape.type_name
    if kind == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
        yield from not_iso(value, where)
    elif not isinstance(value, JSON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{where} is {value!r}, not a {kind}"
    elif kind in INSIDE:
        yield from INSIDE[kind](value, shape, where)


def not_iso(value, where):
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        yield f"{where} is {value!r}, not a time of ISO 8601"


def in_structure(value, shape, where):
    for name in value:
        if name not in shape.members:
            yield f"{where}.{name} is no member of {shape.name}"
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{where}.{name} is missing"
    for name, member in shape.members.items():
        yield from misfits(value.get(name), member, f"{where}.{name}")


def in_list(value, shape, where):
    yield from outside(len(value), shape, where)
    for index, one in enumerate(value):
        yield from misfits(one, shape.member, f"{where}[{index}]")


def in_map(value, shape, where):
    for key, one in value.items():
        yield from misfits(key, shape.key, f"{where} key")
        yield from misfits(one, shape.value, f"{where}[{key!r}]")


def in_string(value, shape, where):
    yield from outside(len(value), shape, where)
    if shape.enum and value not in shape.enum:
        yield f"{where} is {value!r}, none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield f"{where} is {value!r}, which does not match {pattern}"


def outside(size, shape, where):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{where} has size {size}, not between {least} and {most}"


INSIDE = {
    "structure": in_structure,
    "list": in_list,
    "map": in_map,
    "string": in_string,
    "integer": outside,
    "long": outside,
}


def matches(pattern, value):
    """Whether a model's pattern allows a value. Java's patterns that Python cannot read allow everything."""
    try:
        return re.search(f"^(?:{pattern})$", value, re.DOTALL) is not None
    except re.error:
        return True
