"""CloudWatch Logs as far as MiniStack leaves it out: DescribeLogGroups by logGroupIdentifiers.

CloudWatch Logs API Reference, DescribeLogGroups: `logGroupIdentifiers` takes up to 50 names or ARNs, and with it neither
logGroupNamePrefix nor logGroupNamePattern; a group that does not exist is not in the answer.
"""

from __future__ import annotations

import json


def install(logs) -> None:
    """MiniStack builds its table of operations from the module's names at each request."""
    describe = logs._describe_log_groups

    def by_name(data):
        wanted = data.get("logGroupIdentifiers")
        if not wanted:
            return describe(data)
        if data.get("logGroupNamePrefix") or data.get("logGroupNamePattern"):
            return logs.error_response_json("InvalidParameterException", "logGroupIdentifiers goes with no name.", 400)
        names, found = [text.removesuffix(":*").rsplit("log-group:", 1)[-1] for text in wanted], []
        for name in names:
            _, _, body = describe({"logGroupNamePrefix": name})
            found += [group for group in json.loads(body)["logGroups"] if group["logGroupName"] == name]
        return logs.json_response({"logGroups": found})

    logs._describe_log_groups = by_name
