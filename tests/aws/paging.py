"""Pages of a list, with tokens that say where the next begins and that only the same question accepts."""

import base64
import hashlib
import json
import uuid

from .answers import ServiceError


# Parameters that say where in the pages a call is.
PLACE = ("NextToken", "nextToken", "MaxResults", "maxResults", "Limit")


def page(call, entries, size, error="InvalidNextTokenException"):
    """A page of entries and the token for the next (none at the end).

    The `empty_page` fault gives a page without entries whose token begins where this one would have: AWS does so
    whenever a page's worth of candidates held nothing that was asked for.
    """
    question = fingerprint(call)
    start = 0
    token = call.parameters.get("NextToken") or call.parameters.get("nextToken")
    if token:
        start = position(token, question, error)
    if call.fault("empty_page"):
        return [], written(start, question)
    end = start + size
    return entries[start:end], written(end, question) if end < len(entries) else None


def fingerprint(call):
    """What makes a question the same one: all but its place in the pages."""
    rest = {name: value for name, value in call.parameters.items() if name not in PLACE}
    text = json.dumps([call.operation, call.account, call.region, rest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def written(start, question):
    # AWS never gives a token twice, and boto3 takes one that it has seen for a loop without end.
    return base64.urlsafe_b64encode(f"{question}:{start}:{uuid.uuid4().hex}".encode()).decode()


def position(token, question, error):
    try:
        asked, start, _ = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        if asked == question:
            return int(start)
    except (ValueError, UnicodeError):
        pass
    raise ServiceError(error, "The token is not valid for this request")


def answer(name, entries, token):
    """An operation's answer with one page of entries."""
    return {name: entries, **({"NextToken": token} if token else {})}
