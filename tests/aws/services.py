"""Sends a call to whoever answers it."""

from . import artifact, config_aggregate, motoed, organizations, sts
from .answers import ServiceError, json_answer
from .athena import service as athena

OURS = {
    "organizations": organizations.OPERATIONS,
    "config": config_aggregate.OPERATIONS,
    "athena": athena.OPERATIONS,
}


def answer(world, call, request):
    """The service's answer; ServiceError where it is an error."""
    if call.service == "artifact-documents":
        return artifact.document(world, request)
    refuse_keys(world, call)
    if call.service == "artifact":
        return artifact.answer(world, call, request)
    if call.service == "sts":
        return sts.answer(world, call, request)
    if call.service in ("s3", "secretsmanager"):
        return motoed.ask(request, call)
    operation = OURS.get(call.service, {}).get(call.operation)
    if operation is None:
        raise motoed.Unanswered(f"nobody here answers {call.service} {call.operation}")
    return json_answer(operation(world, call))


def refuse_keys(world, call):
    """Refuses requests that nobody signed, and sessions that a test has let expire."""
    if not call.access_key:
        code = "AccessDenied" if call.service == "s3" else "MissingAuthenticationTokenException"
        raise ServiceError(code, "Missing Authentication Token", 403)
    with world.lock:
        expired = call.access_key in world.expired
    if expired:
        code = "ExpiredToken" if call.service in ("s3", "sts") else "ExpiredTokenException"
        raise ServiceError(code, "The security token included in the request is expired")
