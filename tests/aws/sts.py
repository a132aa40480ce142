"""STS: AssumeRole by moto, after the description has allowed it.

    "roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember", "external_id": "x"}]
A role that no entry matches (shell patterns) cannot be assumed, as AWS answers a role that does not exist and one that
does not trust the caller alike; one with an external id only with that.
"""

import re
import uuid
from fnmatch import fnmatchcase
from xml.sax.saxutils import escape

from . import motoed
from .answers import ServiceError
from .calls import Answer
from .world import Identity

ROLE = re.compile(r"^arn:aws[\w-]*:iam::(\d{12}):role/(?:.+/)?([^/]+)$")


def answer(world, call, request):
    """AssumeRole opens a session that later calls are known by; GetCallerIdentity says whose keys these are."""
    if call.operation == "GetCallerIdentity":
        return caller(call)
    if call.operation != "AssumeRole":
        return motoed.ask(request, call)
    arn = call.parameters.get("RoleArn", "")
    role = ROLE.match(arn)
    if not role or not may_assume(world, arn, call.parameters.get("ExternalId")):
        message = f"User: {call.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise ServiceError("AccessDenied", message, 403)
    answered = motoed.ask(request, call)
    key = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", answered.body)
    if key:
        account, name = role.groups()
        session = call.parameters.get("RoleSessionName", "")
        world.opened(key.group(1).decode(), Identity(account, f"arn:aws:sts::{account}:assumed-role/{name}/{session}"))
    return answered


def may_assume(world, arn, external_id):
    for role in world.part("roles") or []:
        if fnmatchcase(arn, role["arn"]) and role.get("external_id") in (None, external_id):
            return True
    return False


def caller(call):
    body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{escape(call.arn)}</Arn><UserId>AIDASTANDIN</UserId><Account>{call.account}</Account>"
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return Answer(200, {"content-type": "text/xml"}, body.encode())
