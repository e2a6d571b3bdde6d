"""API destinations of EventBridge as resources of a stack, which MiniStack knows as operations only.

CloudFormation Template Reference, AWS::Events::Connection and AWS::Events::ApiDestination: `Ref` gives the name, `Arn` the ARN.
"""

from __future__ import annotations

import json


def install(events, provisioners) -> None:
    """Adds the two resource types; each is made, changed and deleted by the service's own operations."""
    for kind, arn in (("Connection", "ConnectionArn"), ("ApiDestination", "ApiDestinationArn")):
        snake = "connection" if kind == "Connection" else "api_destination"
        operations = {word: getattr(events, f"_{word}_{snake}") for word in ("create", "update", "delete")}
        provisioners._RESOURCE_HANDLERS[f"AWS::Events::{kind}"] = handlers(provisioners, operations, arn)


def handlers(provisioners, operations: dict, arn: str) -> dict:
    """What CloudFormation does with one of them."""

    def call(word: str, name: str, properties: dict) -> dict:
        status, _, body = operations[word]({**properties, "Name": name})
        if status != 200:
            raise ValueError(f"{word} {name}: {body!r}")
        return json.loads(body)

    def create(logical_id, properties, stack):
        name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
        return name, {"Arn": call("create", name, properties)[arn]}

    def update(physical_id, _old, properties, _stack):
        return physical_id, {"Arn": call("update", physical_id, properties)[arn]}

    def delete(physical_id, _properties):
        operations["delete"]({"Name": physical_id})

    return {"create": create, "update": update, "delete": delete}
