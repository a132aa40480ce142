"""Control calls: what tests tell the stand-in and ask of it. The list of them is in serve.py."""

import json

from . import artifact, fixture
from .calls import Answer


def answer(world, request):
    """Does what a control call says. What it cannot do is answered with 400 and the reason."""
    try:
        value = act(world, request)
    except (KeyError, ValueError, OSError) as error:
        return reply(400, {"error": f"{type(error).__name__}: {error}"})
    return reply(200, value)


def reply(status, value):
    return Answer(status, {"content-type": "application/json"}, json.dumps(value, default=str).encode())


def act(world, request):
    name = request.path.removeprefix("/-/")
    if request.method == "GET":
        with world.lock:
            shown = {"log": world.log, "violations": world.violations, "faults": world.faults.waiting()}
            return list(shown[name])
    if name != "control":
        raise KeyError(name)
    order = json.loads(request.body)
    done = ORDERS[order["do"]](world, order)
    return done if done is not None else {"done": order["do"]}


def clear_log(world, _):
    with world.lock:
        world.log.clear()


def document(world, order):
    return {"hex": artifact.contents(world, order["name"]).hex()}


ORDERS = {
    "describe": lambda world, order: world.describe(order["description"]),
    "load": fixture.load,
    "document": document,
    "fault": lambda world, order: world.faults.order(order["fault"]),
    "clear_faults": lambda world, _: world.faults.clear(),
    "clear_log": clear_log,
    "expire_sessions": lambda world, _: world.expire_sessions(),
}
