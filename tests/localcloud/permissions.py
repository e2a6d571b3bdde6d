"""What the roles of functions and those of other accounts may do, and what was done under them: a golden run against the policies.

    python -m localcloud.permissions STATE_FILE

prints, by function or role, the actions that the policies of the templates allow it, how often each was called, what was refused, and
what no policy was asked about. Whether that is as it should be is not judged here (`tests/src/permissions.rs`). Policies of AWS (for
logs, traces and network interfaces) are left out: the platform uses them, not the function.

MiniStack knows the action of a request by its query, its header or its path, but not by Smithy's RPC v2 paths, by which CloudWatch is
called, and lets pass what it does not know. Here those have their actions, too.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import urllib.request
from collections import Counter
from pathlib import Path

from .places import role_of

# Roles that are named instead of a function: those that the maintainer takes on in other accounts.
MEMBERS = ("maintainer-member", "maintainer-member-changes")
OF_AWS = "arn:aws:iam::aws:"
RPC_V2 = re.compile(r"/service/[^/]+/operation/(\w+)")


class Calls:
    """What was called under which role, by its name."""

    def __init__(self) -> None:
        self.used: dict[str, Counter] = {}
        self.refused: dict[str, Counter] = {}
        self.unchecked: dict[str, Counter] = {}

    def note(self, principal: str, action: str, resource: str, is_allowed: bool) -> None:
        """One request that was checked against the policies of its caller."""
        role = role_of(principal).rsplit("/", 1)[-1]
        if is_allowed:
            self.used.setdefault(role, Counter())[action] += 1
        else:
            self.refused.setdefault(role, Counter())[f"{action} on {resource}"] += 1

    def note_unchecked(self, principal: str, request: str) -> None:
        """One request that no policy was asked about."""
        self.unchecked.setdefault(role_of(principal).rsplit("/", 1)[-1], Counter())[request] += 1

    def report(self) -> dict:
        """Allowed, used and refused, by function, and by role where another account has it."""
        from ministack.core import iam_evaluator
        from ministack.services import iam, lambda_svc

        function_of = {data["config"]["Role"].rsplit("/", 1)[-1]: name
                       for (_, _, name), data in lambda_svc._functions.all_items() if "config" in data}
        found: dict[str, dict] = {}
        for key in list(iam._roles._data):
            account, role = key[0], key[-1]
            name = function_of.get(role) or (role if role in MEMBERS else None)
            if name is None:
                continue
            record = iam._roles.get_scoped(account, None, role)
            documents = list((record.get("InlinePolicies") or {}).values())
            documents += [iam_evaluator._resolve_managed_policy_document(arn, account)
                          for arn in record.get("AttachedPolicies", []) if not arn.startswith(OF_AWS)]
            statements = [one for document in documents for one in iam_evaluator.parse_policy_document(document)]
            known = found.setdefault(name, {"allowed": set()})
            known["allowed"] |= {action for one in statements if one.effect == "Allow" for action in one.actions}
            for what, seen in (("used", self.used), ("refused", self.refused), ("unchecked", self.unchecked)):
                known[what] = seen.get(role, Counter())
        return {name: {**known, "allowed": sorted(known["allowed"])} for name, known in sorted(found.items())}


CALLS = Calls()


def install(evaluator, actions, router) -> None:
    """Notes every decision over a request, and asks for one where MiniStack does not."""
    _actions(evaluator, actions, router)
    in_place = evaluator.enforce

    def noted(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        refusal = in_place(access_key_id, iam_action, service, region, resource_arn, service_context)
        caller = evaluator.resolve_caller_identity(access_key_id)
        if caller is not None and (refusal is None or isinstance(refusal, evaluator.EvalResult)):
            CALLS.note(caller["userArn"], iam_action, resource_arn, refusal is None)
        return refusal

    evaluator.enforce = noted


def _actions(evaluator, actions, router) -> None:
    known = actions.extract_iam_action

    def of(service, method, path, headers, body, query_params):
        action = known(service, method, path, headers, body, query_params)
        named, namespace = RPC_V2.search(path), actions.SERVICE_TO_IAM_NAMESPACE.get(service)
        if action is None and named and namespace:
            action = f"{namespace}:{named[1]}"
        if action is None:
            caller = evaluator.resolve_caller_identity(router.extract_access_key_id(headers, query_params))
            if caller is not None:
                CALLS.note_unchecked(caller["userArn"], f"{service} {method} {path.split('?')[0]}")
        return action

    actions.extract_iam_action = of
    resource_of = actions.extract_resource_arn

    def resource(service, method, path, headers, body, params, region, account):
        if not RPC_V2.search(path):
            return resource_of(service, method, path, headers, body, params, region, account)
        asked = decoded(body, headers)
        name = asked.get("AlarmName")
        return asked.get("ResourceARN") or (f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}" if name else "*")

    actions.extract_resource_arn = resource


def decoded(body: bytes, headers: dict) -> dict:
    """What a request by RPC v2 asks for: CBOR, maybe compressed."""
    import cbor2

    plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    return cbor2.loads(plain) if plain else {}


def main() -> None:
    """Prints the report of a running cloud."""
    state = json.loads(Path(sys.argv[1]).read_text())
    with urllib.request.urlopen(f"{state['endpoint']}/_localcloud/permissions", timeout=30) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    main()
