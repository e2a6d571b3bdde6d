#!/usr/bin/env python3
"""What a measurement does to the functions of a local cloud, with AWS's own calls.

    functions.py STATE_FILE point FUNCTION=URL ...   each function calls AWS at its URL from now on
    functions.py STATE_FILE logs                     bytes they logged, and the metrics in their lines, as JSON

FUNCTION is the end of its name in the cloud: the name of its binary.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3

# The local cloud sets AWS_ENDPOINT_URL for all functions; a variable of the service's own goes before it in every SDK. Every service
# that the functions have a client for is here (a contract compares them).
SERVICES = ("APPLICATION_AUTO_SCALING", "AUTO_SCALING", "CLOUDFRONT", "CLOUDWATCH", "CLOUDWATCH_LOGS", "COST_EXPLORER", "DYNAMODB", "EC2", "ECR",
            "ECS", "ELASTICACHE", "ELASTIC_LOAD_BALANCING", "ELASTIC_LOAD_BALANCING_V2", "EVENTBRIDGE", "LAMBDA", "OPENSEARCH", "PRICING",
            "RDS", "REDSHIFT", "RESOURCE_GROUPS_TAGGING_API", "S3", "SECRETS_MANAGER", "SFN", "SNS", "SQS", "SSM", "STS")


def deployed(functions) -> list[dict]:
    """All functions of the cloud."""
    return [function for page in functions.get_paginator("list_functions").paginate() for function in page["Functions"]]


def point(functions, urls: dict[str, str]) -> None:
    """Publishes a version with another endpoint and moves the alias to it."""
    for function in deployed(functions):
        name = function["FunctionName"]
        url = next((url for resource, url in urls.items() if name.endswith(resource)), None)
        if url is None:
            sys.exit(f"functions: nothing is known of {name}")
        endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service in SERVICES}
        variables = {**function.get("Environment", {}).get("Variables", {}), **endpoints}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def logged(logs, names: list[str]) -> dict:
    """Bytes, and how often and over which seconds each metric was written."""
    size, metrics = 0, {}
    for group in (f"/aws/lambda/{name}" for name in names):
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            continue
        for message in (event["message"] for page in pages for event in page["events"]):
            # CloudWatch Logs adds 26 bytes to each event.
            size += len(message.encode()) + 26
            count(message, metrics)
    return {"bytes": size, "metrics": [{"name": list(key), **value} for key, value in metrics.items()]}


def count(message: str, metrics: dict) -> None:
    """Counts what a line in embedded metric format carries."""
    for line in message.splitlines():
        start = line.find('{"')
        try:
            fields = json.loads(line[start:]) if start >= 0 else {}
        except ValueError:
            continue
        if not isinstance(fields, dict) or "_aws" not in fields:
            continue
        at = fields["_aws"]["Timestamp"] / 1000
        for directive in fields["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                for keys in directive["Dimensions"]:
                    key = (metric["Name"], *(f"{key}={fields[key]}" for key in keys))
                    seen = metrics.setdefault(key, {"times": 0, "first_s": at, "last_s": at})
                    seen["times"] += 1
                    seen["first_s"], seen["last_s"] = min(seen["first_s"], at), max(seen["last_s"], at)


def main() -> None:
    """Does what the words say."""
    state = json.loads(Path(sys.argv[1]).read_text())
    session = boto3.Session("test", "test", region_name=state["region"])
    functions = session.client("lambda", endpoint_url=state["endpoint"])
    if sys.argv[2] == "point":
        point(functions, dict(text.split("=", 1) for text in sys.argv[3:]))
    else:
        names = [function["FunctionName"] for function in deployed(functions)]
        print(json.dumps(logged(session.client("logs", endpoint_url=state["endpoint"]), names)))


if __name__ == "__main__":
    main()
