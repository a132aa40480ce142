"""REST-JSON: which operation a method and a path are, and its parameters, by the service's own model."""

import json
from functools import lru_cache

import botocore.loaders
import botocore.model

SERVICES = ("artifact",)
NUMBERS = ("integer", "long")


@lru_cache(None)
def model(service):
    loaded = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(loaded, service_name=service)


@lru_cache(None)
def operations(service):
    """Operations by method and path; those with parameters in the path are none of ours."""
    named = [model(service).operation_model(name) for name in model(service).operation_names]
    return {(one.http["method"], one.http["requestUri"]): one for one in named}


def read(request, service):
    """The operation's name, empty where there is none, and its parameters as its model types them."""
    operation = operations(service).get((request.method, request.path))
    if operation is None:
        return "", {}
    parameters = body(request)
    shape = operation.input_shape
    for name, value in request.query.items():
        member = next(
            (one for one in (shape.members if shape else {}).values() if one.serialization.get("name") == name), None
        )
        parameters[name] = number(value) if member is not None and member.type_name in NUMBERS else value
    return operation.name, parameters


def body(request):
    try:
        value = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def number(text):
    try:
        return int(text)
    except ValueError:
        return text
