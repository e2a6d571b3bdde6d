"""One local endpoint beside AWS's: what the world does to an application and no AWS call can express.

    GET    /_localcloud/state                 the state file's content
    PUT    /_localcloud/failing-targets/<id>  the target's application stops answering its health check
    DELETE /_localcloud/failing-targets/<id>  it answers again
    GET    /_localcloud/faults                calls of the functions, and faults injected into them
    PUT    /_localcloud/lost-alarms/<prefix>  what alarms with such a name say reaches nobody
    DELETE /_localcloud/lost-alarms/<prefix>  it does again
    PUT    /_localcloud/due-schedules/<name>  it is the schedule's time now, enabled or not
    POST   /_localcloud/webhook               stands for a chat's webhook: takes {"text": "…"} and nothing else, as Slack does
    GET    /_localcloud/webhook               what it has taken, and what it has refused
    GET    /_localcloud/permissions           what functions may do and have done (see permissions.py)
"""

from __future__ import annotations

import json

from . import alarm_actions, schedules
from .faults import Faults
from .permissions import CALLS
from .targets import TargetHealth

PREFIX = "/_localcloud/"
# What the webhook was sent.
POSTED: dict[str, list[str]] = {"taken": [], "refused": []}


def wrap(application, health: TargetHealth, state: dict, faults: Faults | None):
    """The emulator's application with the endpoint in front of it."""

    async def with_admin(scope, receive, send):
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX):
            await application(scope, receive, send)
            return
        if (scope["method"], path.removeprefix(PREFIX)) == ("POST", "webhook"):
            status, body = post(await body_of(receive))
        else:
            status, body = answer(scope["method"], path.removeprefix(PREFIX), health, state, faults)
        payload = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return with_admin


async def body_of(receive) -> str:
    """The body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body.decode("utf-8", "replace")


def post(body: str) -> tuple[int, dict]:
    """What a chat's webhook says to a post: anything but one text is refused."""
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if isinstance(message, dict) and set(message) == {"text"} and isinstance(message["text"], str) and message["text"]:
        POSTED["taken"].append(message["text"])
        return 200, {"ok": True}
    POSTED["refused"].append(body)
    return 400, {"error": "invalid_payload"}


def answer(method: str, path: str, health: TargetHealth, state: dict, faults: Faults | None) -> tuple[int, dict]:
    """Status and body for one request."""
    if (method, path) == ("GET", "state"):
        return 200, state
    if (method, path) == ("GET", "faults") and faults is not None:
        return 200, faults.report()
    if (method, path) == ("GET", "webhook"):
        return 200, POSTED
    if (method, path) == ("GET", "permissions"):
        return 200, CALLS.report()
    kind, _, name = path.partition("/")
    if kind == "failing-targets" and name and method in ("PUT", "DELETE"):
        (health.failing.add if method == "PUT" else health.failing.discard)(name)
        return 200, {"failing": sorted(health.failing)}
    if kind == "lost-alarms" and name and method in ("PUT", "DELETE"):
        (alarm_actions.LOST.add if method == "PUT" else alarm_actions.LOST.discard)(name)
        return 200, {"lost": sorted(alarm_actions.LOST)}
    if (method, kind) == ("PUT", "due-schedules") and schedules.invoke(name):
        return 200, {"invoked": name}
    return 404, {"error": f"no {method} {PREFIX}{path}"}
