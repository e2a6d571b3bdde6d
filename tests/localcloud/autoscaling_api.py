"""The Auto Scaling operations that MiniStack lacks or answers too simply, on top of `autoscaling.Fleet`.

Error codes and messages follow the Amazon EC2 Auto Scaling API Reference ("Common Errors" and each operation).
"""

from __future__ import annotations

from math import floor

from . import clock as clocks
from .autoscaling import (ACTIVE_REFRESH, DEFAULT_MIN_HEALTHY_PCT, PAGE_DEFAULT, PAGE_MAX, REFRESH_PENDING_S, Fleet,
                          alive)


def install(service, clock: clocks.VirtualClock) -> Fleet:
    """Replaces operations in MiniStack's module; gives the fleet for other modules to look at."""
    fleet = Fleet(service, clock)
    service.now_iso = clock.now_iso
    service.time = clocks.VirtualTime(clock)
    # Every path of MiniStack that resizes a group (also CloudFormation's) goes through this.
    service._reconcile_instances = lambda group: fleet.fill(group, clock.now(), "a user request changed the capacity")
    member_xml = service._instance_member_xml

    def with_type(instance, *args, **kwargs):
        """An instance as the API writes it, with the type that its launch configuration says."""
        configuration = service._launch_configs.get(instance.get("LaunchConfigurationName", ""), {})
        kind = configuration.get("InstanceType")
        xml = member_xml(instance, *args, **kwargs)
        return xml.replace("</member>", f"<InstanceType>{kind}</InstanceType></member>") if kind else xml

    service._instance_member_xml = with_type
    api = Operations(service, fleet)
    service._ACTION_MAP.update({
        "CreateAutoScalingGroup": api.create,
        "DescribeAutoScalingGroups": api.describe,
        "UpdateAutoScalingGroup": api.update,
        "SetDesiredCapacity": api.set_desired,
        "TerminateInstanceInAutoScalingGroup": api.terminate,
        "DescribeAutoScalingInstances": api.instances,
        "DescribeScalingActivities": api.activities,
        "StartInstanceRefresh": api.start_refresh,
        "DescribeInstanceRefreshes": api.refreshes,
        "CancelInstanceRefresh": api.cancel_refresh,
        "AttachLoadBalancerTargetGroups": api.attach_target_groups,
        "DetachLoadBalancerTargetGroups": api.detach_target_groups,
        "DescribeTags": api.tags,
    })
    return fleet


class Operations:
    """One method per operation; each takes the request's parameters and gives status, headers and body."""

    def __init__(self, service, fleet: Fleet) -> None:
        self.service = service
        self.fleet = fleet
        self._base = dict(service._ACTION_MAP)

    def _group(self, p):
        name = self.service._p(p, "AutoScalingGroupName")
        group = self.service._asgs.get(name)
        if group is None:
            return None, self.service._error(
                "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        self.fleet.settle(group)
        return group, None

    def create(self, p):
        """CreateAutoScalingGroup; the first instances are as old as the group."""
        desired = self.service._p(p, "DesiredCapacity")
        low, high = (int(self.service._p(p, key) or 0) for key in ("MinSize", "MaxSize"))
        if desired and not low <= int(desired) <= high:
            return self.service._error(
                "ValidationError",
                f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}")
        answer = self._base["CreateAutoScalingGroup"](p)
        if answer[0] == 200:
            group = self.service._asgs[self.service._p(p, "AutoScalingGroupName")]
            group["TargetGroupARNs"] = self.service._parse_member_list(p, "TargetGroupARNs")
        return answer

    def describe(self, p):
        """DescribeAutoScalingGroups with Filters (tag-key, tag-value, tag:<key>) and pages."""
        names = set(self.service._parse_member_list(p, "AutoScalingGroupNames"))
        filters = request_filters(self.service, p)
        chosen = [(name, group) for name, group in self.service._asgs.items()
                  if (not names or name in names) and all(has_tag(group, *f) for f in filters)]
        page, token = page_of(chosen, self.service._p(p, "NextToken"), self.service._p(p, "MaxRecords"))
        members = []
        for name, group in page:
            self.fleet.settle(group)
            _, _, body = self._base["DescribeAutoScalingGroups"]({"AutoScalingGroupNames.member.1": name})
            text = body.decode()
            member = text[text.index("<AutoScalingGroups>") + 19:text.index("</AutoScalingGroups>")]
            arns = "".join(f"<member>{arn}</member>" for arn in group.get("TargetGroupARNs", []))
            members.append(member.removesuffix("</member>") + f"<TargetGroupARNs>{arns}</TargetGroupARNs></member>")
        return self.service._xml(
            200, "DescribeAutoScalingGroupsResponse",
            f"<DescribeAutoScalingGroupsResult><AutoScalingGroups>{''.join(members)}</AutoScalingGroups>"
            f"{token}</DescribeAutoScalingGroupsResult>")

    def update(self, p):
        """UpdateAutoScalingGroup: a new bound moves the desired capacity; a desired capacity outside is refused."""
        group, error = self._group(p)
        if error:
            return error
        low = int(self.service._p(p, "MinSize") or group["MinSize"])
        high = int(self.service._p(p, "MaxSize") or group["MaxSize"])
        asked = self.service._p(p, "DesiredCapacity")
        if low > high:
            return self.service._error("ValidationError", f"Max bound, {high}, must be greater than or equal to min bound, {low}")
        if asked and not low <= int(asked) <= high:
            return self.service._error(
                "ValidationError",
                f"Desired capacity:{asked} must be between the specified min size:{low} and max size:{high}")
        desired = int(asked) if asked else min(max(group["DesiredCapacity"], low), high)
        return self._base["UpdateAutoScalingGroup"]({**p, "DesiredCapacity": str(desired)})

    def set_desired(self, p):
        """SetDesiredCapacity within the group's bounds only."""
        group, error = self._group(p)
        if error:
            return error
        asked = self.service._p(p, "DesiredCapacity")
        if asked.isdigit():
            if int(asked) > group["MaxSize"]:
                return self.service._error(
                    "ValidationError",
                    f"New SetDesiredCapacity value {asked} is above max value {group['MaxSize']} for the AutoScalingGroup.")
            if int(asked) < group["MinSize"]:
                return self.service._error(
                    "ValidationError",
                    f"New SetDesiredCapacity value {asked} is below min value {group['MinSize']} for the AutoScalingGroup.")
        return self._base["SetDesiredCapacity"](p)

    def terminate(self, p):
        """TerminateInstanceInAutoScalingGroup: ends an instance; the group replaces it unless told to shrink."""
        wanted = self.service._p(p, "InstanceId")
        shrink = self.service._p(p, "ShouldDecrementDesiredCapacity").lower() == "true"
        for group in self.service._asgs.values():
            self.fleet.settle(group)
            instance = next((i for i in alive(group) if i["InstanceId"] == wanted), None)
            if instance is None:
                continue
            if shrink and group["DesiredCapacity"] <= group["MinSize"]:
                return self.service._error(
                    "ValidationError",
                    f"Currently, desiredSize equals minSize ({group['MinSize']}). Terminating instance without replacement "
                    "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false "
                    "or lower group's min size.")
            now = self.fleet.clock.now()
            cause = f"instance {wanted} was taken out of service in response to a user request"
            activity = self.fleet.terminate(group, instance, now, cause)
            if shrink:
                group["DesiredCapacity"] -= 1
            self.fleet.fill(group, now, f"an instance was started in response to the termination of {wanted}")
            return self.service._xml(
                200, "TerminateInstanceInAutoScalingGroupResponse",
                "<TerminateInstanceInAutoScalingGroupResult>" + self.fleet.activity_xml(activity, "Activity")
                + "</TerminateInstanceInAutoScalingGroupResult>")
        return self.service._error(
            "ValidationError", f"Instance Id not found - No managed instance found for instance ID: {wanted}")

    def instances(self, p):
        """DescribeAutoScalingInstances at the virtual now."""
        for group in self.service._asgs.values():
            self.fleet.settle(group)
        return self._base["DescribeAutoScalingInstances"](p)

    def activities(self, p):
        """DescribeScalingActivities, newest first; where a launch time can be read."""
        name = self.service._p(p, "AutoScalingGroupName")
        chosen = [activity for group_name, group in self.service._asgs.items() if not name or group_name == name
                  for activity in group.get("_activities", [])]
        chosen.sort(key=lambda activity: activity["_at"], reverse=True)
        page, token = page_of(chosen, self.service._p(p, "NextToken"), self.service._p(p, "MaxRecords"))
        members = "".join(self.fleet.activity_xml(activity, "member") for activity in page)
        return self.service._xml(
            200, "DescribeScalingActivitiesResponse",
            f"<DescribeScalingActivitiesResult><Activities>{members}</Activities>{token}</DescribeScalingActivitiesResult>")

    def start_refresh(self, p):
        """StartInstanceRefresh: replaces all instances in batches; one refresh at a time."""
        group, error = self._group(p)
        if error:
            return error
        if any(r["Status"] in ACTIVE_REFRESH for r in group.get("InstanceRefreshes", [])):
            return self.service._error(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.")
        now = self.fleet.clock.now()
        healthy_pct = int(self.service._p(p, "Preferences.MinHealthyPercentage") or DEFAULT_MIN_HEALTHY_PCT)
        warmup_s = float(self.service._p(p, "Preferences.InstanceWarmup") or 0)
        # "Launch before terminating": both bounds are given and the lower one lets nothing go first.
        launch_first = healthy_pct == 100 and bool(self.service._p(p, "Preferences.MaxHealthyPercentage"))
        queue = [i["InstanceId"] for i in alive(group)]
        refresh_id = self.service.new_uuid()
        group.setdefault("InstanceRefreshes", []).insert(0, {
            "InstanceRefreshId": refresh_id, "AutoScalingGroupName": group["AutoScalingGroupName"], "Status": "Pending",
            "StatusReason": "", "StartTime": clocks.iso(now), "EndTime": None, "PercentageComplete": 0,
            "InstancesToUpdate": len(queue), "_queue": queue, "_total": len(queue), "_warmup": warmup_s,
            "_launch_first": launch_first, "_leaving": [],
            "_batch": max(1, floor(len(queue) * (100 - healthy_pct) / 100)), "_next_at": now + REFRESH_PENDING_S})
        return self.service._xml(
            200, "StartInstanceRefreshResponse",
            f"<StartInstanceRefreshResult><InstanceRefreshId>{refresh_id}</InstanceRefreshId></StartInstanceRefreshResult>")

    def refreshes(self, p):
        """DescribeInstanceRefreshes, newest first."""
        group, error = self._group(p)
        if error:
            return error
        wanted = set(self.service._parse_member_list(p, "InstanceRefreshIds"))
        chosen = [r for r in group.get("InstanceRefreshes", []) if not wanted or r["InstanceRefreshId"] in wanted]
        page, token = page_of(chosen, self.service._p(p, "NextToken"), self.service._p(p, "MaxRecords"))
        members = ""
        for refresh in page:
            end = f"<EndTime>{refresh['EndTime']}</EndTime>" if refresh["EndTime"] else ""
            fields = ("InstanceRefreshId", "AutoScalingGroupName", "Status", "StartTime", "PercentageComplete",
                      "InstancesToUpdate")
            members += "<member>" + "".join(f"<{f}>{refresh[f]}</{f}>" for f in fields) + end + "</member>"
        return self.service._xml(
            200, "DescribeInstanceRefreshesResponse",
            f"<DescribeInstanceRefreshesResult><InstanceRefreshes>{members}</InstanceRefreshes>{token}"
            "</DescribeInstanceRefreshesResult>")

    def cancel_refresh(self, p):
        """CancelInstanceRefresh; what was replaced stays replaced."""
        group, error = self._group(p)
        if error:
            return error
        answer = self._base["CancelInstanceRefresh"](p)
        self.fleet.fill(group, self.fleet.clock.now(), "an instance refresh was cancelled")
        return answer

    def attach_target_groups(self, p):
        """AttachLoadBalancerTargetGroups; attaching twice is attaching once."""
        group, error = self._group(p)
        if error:
            return error
        attached = group.setdefault("TargetGroupARNs", [])
        attached += [arn for arn in self.service._parse_member_list(p, "TargetGroupARNs") if arn not in attached]
        return self.service._xml(200, "AttachLoadBalancerTargetGroupsResponse", "<AttachLoadBalancerTargetGroupsResult/>")

    def detach_target_groups(self, p):
        """DetachLoadBalancerTargetGroups."""
        group, error = self._group(p)
        if error:
            return error
        gone = set(self.service._parse_member_list(p, "TargetGroupARNs"))
        group["TargetGroupARNs"] = [arn for arn in group.get("TargetGroupARNs", []) if arn not in gone]
        return self.service._xml(200, "DetachLoadBalancerTargetGroupsResponse", "<DetachLoadBalancerTargetGroupsResult/>")

    def tags(self, p):
        """DescribeTags with its filters auto-scaling-group, key, value, propagate-at-launch."""
        filters = request_filters(self.service, p)

        def matches(tag):
            fields = {"auto-scaling-group": tag["ResourceId"], "key": tag["Key"], "value": tag["Value"],
                      "propagate-at-launch": "true" if tag.get("PropagateAtLaunch") else "false"}
            return all(fields.get(name) in values for name, values in filters)

        chosen = [tag for tags in self.service._tags.values() for tag in tags if matches(tag)]
        page, token = page_of(chosen, self.service._p(p, "NextToken"), self.service._p(p, "MaxRecords"))
        members = "".join(
            "<member>" + self.service._member_xml({
                "Key": tag["Key"], "Value": tag["Value"], "ResourceId": tag["ResourceId"],
                "ResourceType": tag["ResourceType"], "PropagateAtLaunch": bool(tag.get("PropagateAtLaunch"))}) + "</member>"
            for tag in page)
        return self.service._xml(200, "DescribeTagsResponse",
                                 f"<DescribeTagsResult><Tags>{members}</Tags>{token}</DescribeTagsResult>")


def request_filters(service, p) -> list[tuple[str, list[str]]]:
    """The request's Filters as (name, values)."""
    filters, i = [], 1
    while name := service._p(p, f"Filters.member.{i}.Name"):
        filters.append((name, service._parse_member_list(p, f"Filters.member.{i}.Values")))
        i += 1
    return filters


def has_tag(group: dict, name: str, values: list[str]) -> bool:
    """True when a tag of the group answers one filter of DescribeAutoScalingGroups."""
    tags = group.get("Tags", [])
    if name == "tag-key":
        return any(tag["Key"] in values for tag in tags)
    if name == "tag-value":
        return any(tag["Value"] in values for tag in tags)
    key = name.removeprefix("tag:")
    return any(tag["Key"] == key and tag["Value"] in values for tag in tags)


def page_of(rows: list, token: str, size: str) -> tuple[list, str]:
    """One page and the NextToken element for the rest (MaxRecords: 50 if not given, at most 100)."""
    start = int(token) if token.isdigit() else 0
    length = min(int(size), PAGE_MAX) if size.isdigit() and int(size) > 0 else PAGE_DEFAULT
    rest = start + length
    return rows[start:rest], f"<NextToken>{rest}</NextToken>" if rest < len(rows) else ""
