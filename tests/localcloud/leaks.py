"""Looks for secrets in everything that the maintainer has written in a local cloud.

    python -m localcloud.leaks STATE_FILE OUTPUTS_FILE DIRECTORY

The secrets are real ones of this cloud: the key that signs links, the task tokens of runs that have asked, the
credentials of running functions, and what was planted in the applications' tags, environments, user data and statements
(`tests/src/studio/planted.rs`). Read are the tables, the artifacts, the logs, every event of executions, what was parked, and
the files of DIRECTORY (messages to people, stories). Prints what was read; ends with 1 when a secret was found, with its place.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import boto3

# Shorter ones would be found by chance.
SECRET_LENGTH_MIN = 16
# The one place of ours where a task token has to be: whoever answers finds it there, and the table is encrypted.
TOKEN_ATTRIBUTE = "task_token"
TOKEN = "a task token"
# How every planted secret begins; in base64, too, as it stands in user data.
PLANTED = ("planted-canary-of-", "cGxhbnRlZC1jYW5hcnktb2Yt")


class Search:
    """Secrets, and what was read so far."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.secrets = {value: kind for value, kind in secrets.items() if len(value) >= SECRET_LENGTH_MIN}
        self.read: dict[str, int] = {}
        self.found: list[str] = []

    def look(self, kind: str, place: str, text: str, allowed: str = "") -> None:
        """Looks at one text; kinds of secrets in `allowed` may be in it."""
        self.read[kind] = self.read.get(kind, 0) + 1
        self.found += [f"{what} in {place}" for value, what in self.secrets.items()
                       if what != allowed and value in text]


def secrets_of(clients, outputs: dict[str, str], endpoint: str) -> dict[str, str]:
    """Every secret of this cloud, with its kind."""
    secrets = dict.fromkeys(PLANTED, "a planted secret")
    manager = clients("secretsmanager")
    for listed in manager.list_secrets()["SecretList"]:
        text = manager.get_secret_value(SecretId=listed["ARN"])["SecretString"]
        try:
            # The password of a user of a database; the user's name is no secret.
            secrets[json.loads(text)["password"]] = "the password of a database"
        except (ValueError, TypeError, KeyError):
            secrets[text] = "the signing key"
    for item in items(clients("dynamodb"), outputs["ApprovalsTable"]):
        secrets[next(iter(item.get(TOKEN_ATTRIBUTE, {"S": ""}).values()))] = TOKEN
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"AWS_ENDPOINT_URL={endpoint}" in variables:
            for variable in variables:
                name, _, value = variable.partition("=")
                if name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
                    secrets[value] = "credentials of a function"
    return secrets


def items(dynamodb, table: str):
    """All items of a table."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def search(clients, outputs: dict[str, str], directory: Path, search: Search) -> None:
    """Reads everything."""
    dynamodb, s3, logs, sfn = (clients(name) for name in ("dynamodb", "s3", "logs", "stepfunctions"))
    for output in ("ExecutionsTable", "ResultsTable", "ChangesTable", "ApprovalsTable", "LeasesTable"):
        for item in items(dynamodb, outputs[output]):
            item.pop(TOKEN_ATTRIBUTE, None)
            search.look("items", outputs[output], json.dumps(item))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=outputs["ArtifactBucket"]):
        for found in page.get("Contents", []):
            body = s3.get_object(Bucket=outputs["ArtifactBucket"], Key=found["Key"])["Body"].read()
            search.look("documents", found["Key"], body.decode(errors="replace"))
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    search.look("log lines", name, event["message"])
    for output in (name for name in outputs if name.endswith("StateMachineArn")):
        for page in sfn.get_paginator("list_executions").paginate(stateMachineArn=outputs[output]):
            for execution in page["executions"]:
                of_one(sfn, execution["executionArn"], search)
    parked = clients("sqs").receive_message(QueueUrl=outputs["DeadLettersUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0,
                                            MessageAttributeNames=["All"])
    for message in parked.get("Messages", []):
        search.look("parked messages", outputs["DeadLettersUrl"], json.dumps(message))
    for path in directory.rglob("*"):
        if path.is_file():
            search.look("files", str(path), path.read_text(errors="replace"))


def of_one(sfn, arn: str, search: Search) -> None:
    """One execution, with everything that Step Functions has kept of its states."""
    seen = sfn.describe_execution(executionArn=arn)
    search.look("executions", arn, seen.get("input", "") + seen.get("output", "") + seen.get("cause", ""))
    for page in sfn.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=True):
        for event in page["events"]:
            # Step Functions itself writes down what it hands to a task, the task's token among it.
            is_handed_over = event["type"].endswith("Scheduled") or event["type"].endswith("Entered")
            search.look("events of executions", arn, json.dumps(event, default=str), TOKEN if is_handed_over else "")


def main() -> int:
    """The command."""
    state, outputs, directory = (Path(argument) for argument in sys.argv[1:4])
    state, outputs = json.loads(state.read_text()), json.loads(outputs.read_text())

    def clients(name: str):
        return boto3.client(name, endpoint_url=state["endpoint"], region_name=state["region"],
                            aws_access_key_id="test", aws_secret_access_key="test")

    looking = Search(secrets_of(clients, outputs, state["functions_endpoint"]))
    search(clients, outputs, directory, looking)
    kinds = sorted(set(looking.secrets.values()))
    print(f"{len(looking.secrets)} secrets ({', '.join(kinds) or 'none'}) looked for in "
          + ", ".join(f"{count} {kind}" for kind, count in sorted(looking.read.items())))
    for found in sorted(set(looking.found))[:20]:
        print(f"LEAK: {found}")
    return 1 if looking.found or len(looking.secrets) <= len(PLANTED) else 0


if __name__ == "__main__":
    sys.exit(main())
