"""Application Auto Scaling, as far as the owner of an ECS service bounds its task count there: RegisterScalableTarget and
DescribeScalableTargets. Nothing scales by itself.

Error codes and messages follow the Application Auto Scaling API Reference.
"""

from __future__ import annotations

import json

SERVICE = "application-autoscaling"
TARGET = "AnyScaleFrontendService"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
PAGE_MAX = 50


class Targets:
    """Scalable targets by namespace, resource and dimension."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.targets: dict[tuple[str, str, str], dict] = {}

    async def handle(self, _method, _path, headers, body, _query):
        """One request of the JSON protocol."""
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        data = json.loads(body or b"{}")
        answers = {"RegisterScalableTarget": self.register, "DescribeScalableTargets": self.describe}
        if operation not in answers:
            return refused("UnknownOperationException", f"{operation} is not here")
        return answers[operation](data)

    def register(self, data):
        """Makes a target, or changes the bounds of one."""
        key = tuple(data.get(part, "") for part in ("ServiceNamespace", "ResourceId", "ScalableDimension"))
        if not all(key):
            return refused("ValidationException", "ServiceNamespace, ResourceId and ScalableDimension are needed")
        target = self.targets.get(key) or {
            "ServiceNamespace": key[0], "ResourceId": key[1], "ScalableDimension": key[2],
            "RoleARN": "arn:aws:iam::000000000000:role/scaling", "CreationTime": self.clock.now()}
        bounds = {part: data.get(part, target.get(part)) for part in ("MinCapacity", "MaxCapacity")}
        if None in bounds.values() or not 0 <= bounds["MinCapacity"] <= bounds["MaxCapacity"]:
            return refused("ValidationException", "Minimum capacity cannot be greater than maximum capacity")
        self.targets[key] = {**target, **bounds}
        return 200, dict(JSON), b"{}"

    def describe(self, data):
        """Pages of targets of one namespace, by resource and dimension where they are given."""
        if data.get("ScalableDimension") and not data.get("ResourceIds"):
            return refused("ValidationException", "If you specify a scalable dimension, you must also specify a resource ID")
        wanted = data.get("ResourceIds")
        chosen = [target for (namespace, resource, dimension), target in sorted(self.targets.items())
                  if namespace == data.get("ServiceNamespace") and (wanted is None or resource in wanted)
                  and data.get("ScalableDimension") in (None, dimension)]
        start = int(data.get("NextToken") or 0)
        end = start + min(int(data.get("MaxResults") or PAGE_MAX), PAGE_MAX)
        answer = {"ScalableTargets": chosen[start:end]}
        if end < len(chosen):
            answer["NextToken"] = str(end)
        return 200, dict(JSON), json.dumps(answer).encode()


def refused(code: str, message: str):
    """An error of the JSON protocol."""
    return 400, {**JSON, "x-amzn-errortype": code}, json.dumps({"__type": code, "message": message}).encode()


def install(app, router, iam_actions, clock) -> Targets:
    """Adds the service to MiniStack's tables of routes, handlers and IAM namespaces."""
    targets = Targets(clock)
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET]}
    app.SERVICE_HANDLERS[SERVICE] = targets.handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    return targets
