"""Auto Scaling groups whose instances take time to come and go.

State advances when somebody looks: each request first settles the group to the virtual now, so there is no thread
and the same sequence of calls gives the same fleet. Behaviour follows the Amazon EC2 Auto Scaling API Reference.
"""

from __future__ import annotations

from math import floor
from xml.sax.saxutils import escape

from . import clock as clocks

# A launched instance is Pending until it has booted (User Guide, "instance lifecycle"); a minute is usual.
LAUNCH_S = 60.0
# A terminating instance stays in the list as Terminating for a moment.
TERMINATE_S = 20.0
# Instance refresh: the status is Pending before the first replacement ("StartInstanceRefresh").
REFRESH_PENDING_S = 10.0
DEFAULT_MIN_HEALTHY_PCT = 90
PAGE_DEFAULT, PAGE_MAX = 50, 100
ACTIVITIES_KEPT = 200
ACTIVE_REFRESH = ("Pending", "InProgress")


class Fleet:
    """The groups of MiniStack, with launches, terminations and refreshes in virtual time."""

    def __init__(self, service, clock: clocks.VirtualClock) -> None:
        self.service = service
        self.clock = clock

    # -- the passing of time -------------------------------------------------------------------------------------

    def settle(self, group: dict) -> None:
        """Brings a group to the virtual now: refresh steps, launches that finished, terminations that finished."""
        now = self.clock.now()
        refresh = next((r for r in group.get("InstanceRefreshes", []) if r["Status"] in ACTIVE_REFRESH), None)
        while refresh and refresh["Status"] in ACTIVE_REFRESH and refresh["_next_at"] <= now:
            self._refresh_step(group, refresh)
        for instance in group["Instances"]:
            if instance["LifecycleState"] == "Pending" and instance["_launched_at"] + LAUNCH_S <= now:
                instance["LifecycleState"] = "InService"
        group["Instances"][:] = [i for i in group["Instances"]
                                 if i["LifecycleState"] != "Terminating" or i["_gone_at"] > now]

    def _refresh_step(self, group: dict, refresh: dict) -> None:
        """One step of a rolling replacement that keeps MinHealthyPercentage in service."""
        at = refresh["_next_at"]
        living = {i["InstanceId"]: i for i in alive(group)}
        cause = f"instance refresh {refresh['InstanceRefreshId']}"
        for name in refresh["_leaving"]:
            # Its successor serves by now.
            if name in living:
                self.terminate(group, living.pop(name), at, cause)
        refresh["_leaving"] = []
        queue = [name for name in refresh["_queue"] if name in living]
        if not queue:
            refresh.update(Status="Successful", PercentageComplete=100, InstancesToUpdate=0, _queue=[],
                           StatusReason="", EndTime=clocks.iso(at))
            return
        batch = queue[:refresh["_batch"]]
        if refresh["_launch_first"]:
            for _ in batch:
                self._launch_for(group, at, cause)
            refresh["_leaving"] = batch
        else:
            for name in batch:
                self.terminate(group, living[name], at, cause)
            self.fill(group, at, cause)
        left = queue[len(batch):]
        done = refresh["_total"] - len(left)
        refresh.update(Status="InProgress", _queue=left, InstancesToUpdate=len(left),
                       PercentageComplete=min(99, floor(100 * done / max(1, refresh["_total"]))),
                       _next_at=at + LAUNCH_S + refresh["_warmup"])

    # -- what happens to instances -------------------------------------------------------------------------------

    def terminate(self, group: dict, instance: dict, at: float, cause: str) -> dict:
        """Starts the termination of one instance; gives the scaling activity."""
        instance.update(LifecycleState="Terminating", _gone_at=at + TERMINATE_S)
        return self._activity(group, f"Terminating EC2 instance: {instance['InstanceId']}", cause, at, TERMINATE_S)

    def fill(self, group: dict, at: float, cause: str) -> None:
        """Launches or terminates until as many instances live as are desired."""
        living = alive(group)
        for _ in range(group["DesiredCapacity"] - len(living)):
            self._launch_for(group, at, cause)
        for _ in range(len(living) - group["DesiredCapacity"]):
            victim = scale_in_choice(alive(group), at)
            if victim is None:
                break
            self.terminate(group, victim, at, cause)

    def _launch_for(self, group: dict, at: float, cause: str) -> None:
        instance = self._launch(group, at)
        self._activity(group, f"Launching a new EC2 instance: {instance['InstanceId']}", cause, at, LAUNCH_S)

    def _launch(self, group: dict, at: float) -> dict:
        zones = group["AvailabilityZones"] or [f"{self.service.get_region()}a"]
        in_zone = {zone: 0 for zone in zones}
        for instance in alive(group):
            in_zone[instance["AvailabilityZone"]] = in_zone.get(instance["AvailabilityZone"], 0) + 1
        instance = {
            "InstanceId": "i-" + self.service.new_uuid().replace("-", "")[:17],
            "LifecycleState": "Pending",
            "HealthStatus": "Healthy",
            # "Amazon EC2 Auto Scaling attempts to distribute instances evenly" over the zones.
            "AvailabilityZone": min(zones, key=lambda zone: in_zone[zone]),
            "ProtectedFromScaleIn": group["NewInstancesProtectedFromScaleIn"],
            "LaunchTemplate": group.get("LaunchTemplate") or {},
            "LaunchConfigurationName": group.get("LaunchConfigurationName", ""),
            "_launched_at": at,
        }
        group["Instances"].append(instance)
        return instance

    def _activity(self, group: dict, description: str, cause: str, at: float, lasts_s: float) -> dict:
        activity = {"ActivityId": self.service.new_uuid(), "AutoScalingGroupName": group["AutoScalingGroupName"],
                    "Description": description, "Cause": f"At {clocks.iso(at)} {cause}.", "_at": at,
                    "_until": at + lasts_s}
        log = group.setdefault("_activities", [])
        log.insert(0, activity)
        del log[ACTIVITIES_KEPT:]
        return activity

    def activity_xml(self, activity: dict, tag: str) -> str:
        """A scaling activity as the API writes it."""
        finished = activity["_until"] <= self.clock.now()
        end = f"<EndTime>{clocks.iso(activity['_until'])}</EndTime>" if finished else ""
        return (f"<{tag}><ActivityId>{activity['ActivityId']}</ActivityId>"
                f"<AutoScalingGroupName>{escape(activity['AutoScalingGroupName'])}</AutoScalingGroupName>"
                f"<Description>{escape(activity['Description'])}</Description><Cause>{escape(activity['Cause'])}</Cause>"
                f"<StartTime>{clocks.iso(activity['_at'])}</StartTime>{end}"
                f"<StatusCode>{'Successful' if finished else 'InProgress'}</StatusCode>"
                f"<Progress>{100 if finished else 50}</Progress><Details>{{}}</Details></{tag}>")


def alive(group: dict) -> list[dict]:
    """Instances that are not on their way out."""
    return [i for i in group["Instances"] if i["LifecycleState"] != "Terminating"]


def scale_in_choice(living: list[dict], now: float) -> dict | None:
    """The default termination policy: the zone with most instances, then the one closest to its next billing hour."""
    free = [i for i in living if not i["ProtectedFromScaleIn"]]
    if not free:
        return None
    in_zone: dict[str, int] = {}
    for instance in living:
        in_zone[instance["AvailabilityZone"]] = in_zone.get(instance["AvailabilityZone"], 0) + 1
    return max(free, key=lambda i: (in_zone[i["AvailabilityZone"]], (now - i["_launched_at"]) % 3600.0))
