"""One local endpoint beside AWS's: what the world does to an application and no AWS call can express.

    GET    /_localcloud/state                 the state file's content
    PUT    /_localcloud/failing-targets/<id>  the target's application stops answering its health check
    DELETE /_localcloud/failing-targets/<id>  it answers again
    GET    /_localcloud/faults                calls of the functions, and faults injected into them
    PUT    /_localcloud/lost-alarms/<prefix>  what alarms with such a name say reaches nobody
    DELETE /_localcloud/lost-alarms/<prefix>  it does again
    PUT    /_localcloud/due-schedules/<name>  it is the schedule's time now, enabled or not
"""

from __future__ import annotations

import json

from . import alarm_actions, schedules
from .faults import Faults
from .targets import TargetHealth

PREFIX = "/_localcloud/"


def wrap(application, health: TargetHealth, state: dict, faults: Faults | None):
    """The emulator's application with the endpoint in front of it."""

    async def with_admin(scope, receive, send):
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX):
            await application(scope, receive, send)
            return
        status, body = answer(scope["method"], path.removeprefix(PREFIX), health, state, faults)
        payload = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return with_admin


def answer(method: str, path: str, health: TargetHealth, state: dict, faults: Faults | None) -> tuple[int, dict]:
    """Status and body for one request."""
    if (method, path) == ("GET", "state"):
        return 200, state
    if (method, path) == ("GET", "faults") and faults is not None:
        return 200, faults.report()
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
