"""Tags of more services: for Resource Groups Tagging, and for aws:ResourceTag conditions in IAM policies.

Resource Groups Tagging API Reference, GetResources: pages of ResourcesPerPage (at most 100) with a PaginationToken.
Load balancers, target groups, databases, alarms, log groups and search domains are listed, as on AWS; Auto Scaling groups are not, as on AWS
(their own DescribeTags and tag filters find them), but IAM conditions see their tags, and those of volumes, snapshots and addresses.
Service Authorization Reference, EC2: CreateTags and DeleteTags are authorized on the resource that they tag.
"""

from __future__ import annotations

import json

PAGE_DEFAULT, PAGE_MAX = 50, 100


def install(service, balancers, databases, alarms, scaling, ec2, logs, search) -> None:
    """Adds collectors to MiniStack's tables and pages to GetResources."""
    def of_balancers():
        yield from ((arn, tags or []) for arn, tags in list(balancers._tags.items()))

    def of_databases():
        yield from ((arn, tags or []) for arn, tags in list(databases._tags.items()))

    def of_alarms():
        for arn, tags in list(alarms._resource_tags.items()):
            yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

    def of_groups():
        for group in list(scaling._asgs.values()):
            yield group["AutoScalingGroupARN"], group.get("Tags", [])

    def of_log_groups():
        for name, group in list(logs._log_groups.items()):
            yield logs._make_group_arn_no_star(name), [{"Key": key, "Value": value} for key, value in group["tags"].items()]

    def of_domains():
        yield from ((arn, tags or []) for arn, tags in list(search._tags.items()))

    def of_ec2():
        for name, tags in list(ec2._tags.items()):
            kind = ec2._guess_resource_type(name)
            yield f"arn:aws:ec2:{ec2.get_region()}:{ec2.get_account_id()}:{kind}/{name}", tags

    service._COLLECTORS.update({"elasticloadbalancing": of_balancers, "rds": of_databases, "cloudwatch": of_alarms,
                                "logs": of_log_groups, "es": of_domains})
    _know_names_with_slashes(service)
    service._RESOURCE_TAG_COLLECTORS.update({
        "elasticloadbalancing": of_balancers, "rds": of_databases, "cloudwatch": of_alarms, "autoscaling": of_groups, "ec2": of_ec2, "logs": of_log_groups,
        "ecs": service._collect_ecs, "elasticache": service._collect_elasticache,
        "cloudfront": service._collect_cloudfront})
    _match_group_arns(service)
    _name_resources_of_requests()
    _page_resources(service)


def _know_names_with_slashes(service) -> None:
    """The type of `log-group:/shop/web` is what stands before the colon."""
    matches = service._matches_type_filters

    def matches_type(arn, wanted):
        if ":log-group:" in arn:
            return not wanted or any(kind in ("logs", "logs:log-group") for kind in wanted)
        return matches(arn, wanted)

    service._matches_type_filters = matches_type


def _match_group_arns(service) -> None:
    """IAM sees a request's group by name, with a star for the identifier inside its ARN: find the group's tags by name."""
    by_arn = service.resource_tags

    def resource_tags(arn: str):
        if ":autoScalingGroup:*:" not in arn:
            return by_arn(arn)
        suffix = arn.rsplit(":", 1)[1]
        for candidate, tags in service._RESOURCE_TAG_COLLECTORS["autoscaling"]():
            if candidate.endswith(f":{suffix}"):
                return {tag["Key"]: tag["Value"] for tag in tags}
        return None

    service.resource_tags = resource_tags


def _name_resources_of_requests() -> None:
    """Service Authorization Reference, ECS: UpdateService and DescribeServices are authorized on the service, not the cluster.

    StopTask is authorized on the task. TerminateInstanceInAutoScalingGroup names only an instance; it is authorized on the group that owns it. The tag
    operations of CloudWatch are authorized on the alarm that their ResourceARN names.
    """
    from ministack.core import iam_actions
    from ministack.services import autoscaling

    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, params, region, account_id):
        target = (headers.get("x-amz-target") or "").rsplit(".", 1)[-1]
        if service == "ecs" and target in ("UpdateService", "DeleteService", "DescribeServices"):
            data = json.loads(body or b"{}")
            name = data.get("service") or next(iter(data.get("services", [])), "")
            cluster = (data.get("cluster") or "default").rsplit("/", 1)[-1]
            return name if name.startswith("arn:") else f"arn:aws:ecs:{region}:{account_id}:service/{cluster}/{name}"
        if service == "ecs" and target == "StopTask":
            data = json.loads(body or b"{}")
            name, cluster = data.get("task") or "", (data.get("cluster") or "default").rsplit("/", 1)[-1]
            return name if name.startswith("arn:") else f"arn:aws:ecs:{region}:{account_id}:task/{cluster}/{name}"
        if service == "autoscaling":
            wanted = iam_actions._query_param(params, "InstanceId")
            for group in autoscaling._asgs.values() if wanted else ():
                if any(i["InstanceId"] == wanted for i in group["Instances"]):
                    return group["AutoScalingGroupARN"]
        if service == "ec2" and (name := iam_actions._query_param(params, "ResourceId.1")):
            from ministack.services import ec2
            return f"arn:aws:ec2:{region}:{account_id}:{ec2._guess_resource_type(name)}/{name}"
        if service == "monitoring" and (arn := _alarm_arn(headers, body, params)):
            return arn
        return original(service, method, path, headers, body, params, region, account_id)

    iam_actions.extract_resource_arn = extract


def _alarm_arn(headers, body, params) -> str | None:
    """ResourceARN of a CloudWatch request, in whichever of its protocols it came."""
    if "cbor" in headers.get("content-type", ""):
        import cbor2
        return (cbor2.loads(body) if body else {}).get("ResourceARN")
    if "json" in headers.get("content-type", ""):
        return json.loads(body or b"{}").get("ResourceARN")
    given = params.get("ResourceARN")
    return given[0] if isinstance(given, list) else given


def _page_resources(service) -> None:
    everything = service._get_resources

    def get_resources(data):
        status, headers, body = everything(data)
        if status != 200:
            return status, headers, body
        rows = json.loads(body)["ResourceTagMappingList"]
        token = data.get("PaginationToken") or "0"
        if not token.isdigit():
            return service._invalid_parameter("Invalid pagination token")
        size = min(int(data.get("ResourcesPerPage") or PAGE_DEFAULT), PAGE_MAX)
        rest = int(token) + size
        return service._json({"ResourceTagMappingList": rows[int(token):rest],
                              "PaginationToken": str(rest) if rest < len(rows) else ""})

    service._HANDLERS["GetResources"] = get_resources
