"""Several accounts and Regions in one local cloud: events between their buses, alarms that are evaluated in all of them.

MiniStack keeps what accounts and Regions have apart, but its rules reach no bus of another, its CloudFormation knows no
policy of a bus, and its clock of alarms looks at the default account and Region only.

EventBridge User Guide, "Sending and receiving events between AWS accounts" and "between AWS Regions": the event keeps the
account and Region that sent it; a bus takes events of another account when its policy allows that, and only events whose
source and detail-type the policy's condition names; within an account the role of the rule's target is enough.
IAM User Guide, "aws:PrincipalArn": for a session of a role it is the ARN of the role, not of the session.
"""

from __future__ import annotations

import contextvars
import logging

logger = logging.getLogger("localcloud")


def install(events, alarms, provisioners, responses, evaluator) -> None:
    """Joins the places."""
    _buses(events, responses)
    _alarms(alarms, responses)
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = _policy_handlers(events)
    _principals(evaluator)


def within(responses, account: str, region: str, call, *arguments):
    """Calls with another account and Region as those of the request."""
    def there():
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        return call(*arguments)

    return contextvars.copy_context().run(there)


def _buses(events, responses) -> None:
    in_place = events._dispatch_to_event_bus

    def to_bus(spec, event, rule, event_path, target_input_payload=None):
        here = (responses.get_account_id(), responses.get_region())
        if (spec.account_id, spec.region) == here:
            in_place(spec, event, rule, event_path, target_input_payload)
            return
        bus = spec.resource.split("/", 1)[1]
        policy = events._event_bus_policies.get_scoped(spec.account_id, spec.region, bus)
        if spec.account_id != here[0] and not is_allowed(policy, here[0], event):
            logger.warning("the bus %s takes no such event of account %s", spec, here[0])
            return
        key = events._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
        forwarded = {**event, "EventBusName": bus, "Account": event.get("Account", here[0]),
                     "Region": event.get("Region", here[1]), "_DispatchPath": [*event_path, key]}
        within(responses, spec.account_id, spec.region, events._dispatch_event, forwarded)

    events._dispatch_to_event_bus = to_bus


def is_allowed(policy: dict | None, account: str, event: dict) -> bool:
    """True when a statement of the bus's policy names the account and the kind of event."""
    said = {"events:source": event.get("Source"), "events:detail-type": event.get("DetailType")}
    for statement in (policy or {}).get("Statement", []):
        principals = _list(statement["Principal"]["AWS"])
        names = {principal.split(":")[4] if principal.startswith("arn:") else principal for principal in principals}
        wanted = (statement.get("Condition") or {}).get("StringEquals") or {}
        if account in names and all(said.get(key) in _list(values) for key, values in wanted.items()):
            return True
    return False


def _list(value) -> list:
    return value if isinstance(value, list) else [value]


def _policy_handlers(events) -> dict:
    def put(_logical_id, properties, _stack):
        bus, name = properties.get("EventBusName", "default"), properties["StatementId"]
        remove(name, properties)
        policy = events._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
        policy["Statement"].append({"Sid": name, **properties["Statement"]})
        events._event_bus_policies[bus] = policy
        return name, {}

    def update(_physical_id, _old, properties, stack):
        return put("", properties, stack)

    def remove(physical_id, properties):
        policy = events._event_bus_policies.get(properties.get("EventBusName", "default"))
        if policy:
            policy["Statement"] = [row for row in policy["Statement"] if row.get("Sid") != physical_id]

    return {"create": put, "update": update, "delete": remove}


def _alarms(alarms, responses) -> None:
    in_place = alarms._evaluate_all_alarms

    def everywhere():
        for account, region in sorted({key[:2] for key in list(alarms._alarms._data)}):
            within(responses, account, region, in_place)

    alarms._evaluate_all_alarms = everywhere


def role_of(principal: str) -> str:
    """The role of a session's ARN; any other ARN as it is."""
    parts = principal.split(":")
    if len(parts) < 6 or parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return principal
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"


def _principals(evaluator) -> None:
    resolve = evaluator._resolve_condition_key

    def of_role(key, context):
        return role_of(context.principal_arn) if key.lower() == "aws:principalarn" else resolve(key, context)

    evaluator._resolve_condition_key = of_role
