"""Scheduled actions of Auto Scaling groups: written and deleted in batches, and carried out by the virtual clock.

Amazon EC2 Auto Scaling API Reference, "BatchPutScheduledUpdateGroupAction", "BatchDeleteScheduledAction"; User Guide,
"Scheduled scaling": a recurrence is a Unix cron expression in its time zone, UTC where none is named. Minutes, hours and days
of the week may be numbers, lists and ranges; days of the month and months must be `*`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from . import clock as clocks
from .autoscaling import Fleet

# A recurrence by days of the week comes again within these days; what is older has been overtaken since.
LOOK_BACK_DAYS = 8
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def install(service, fleet: Fleet, clock: clocks.VirtualClock) -> None:
    """Adds the operations, and lets each look at a group carry out what has come due since the look before."""
    actions = ScheduledActions(service, fleet, clock)
    service._ACTION_MAP.update({
        "BatchPutScheduledUpdateGroupAction": actions.put,
        "BatchDeleteScheduledAction": actions.delete,
    })
    settle = fleet.settle

    def settled(group: dict) -> None:
        actions.carry_out(group)
        settle(group)

    fleet.settle = settled


class ScheduledActions:
    """The batch operations, and the passing of time."""

    def __init__(self, service, fleet: Fleet, clock: clocks.VirtualClock) -> None:
        self.service = service
        self.fleet = fleet
        self.clock = clock

    def put(self, p):
        """BatchPutScheduledUpdateGroupAction: each is made, or named with the reason why not."""
        name = self.service._p(p, "AutoScalingGroupName")
        if name not in self.service._asgs:
            return self.service._error("ValidationError", f"AutoScalingGroup name not found - {name}")
        failed = ""
        for fields in members(self.service, p, "ScheduledUpdateGroupActions"):
            try:
                checked(fields)
            except ValueError as error:
                failed += failure(fields.get("ScheduledActionName", ""), str(error))
                continue
            self.service._put_scheduled_action({**fields, "AutoScalingGroupName": name})
        return self._answer("BatchPutScheduledUpdateGroupAction", "FailedScheduledUpdateGroupActions", failed)

    def delete(self, p):
        """BatchDeleteScheduledAction: what is not there is named."""
        name, failed = self.service._p(p, "AutoScalingGroupName"), ""
        for action in self.service._parse_member_list(p, "ScheduledActionNames"):
            if self.service._scheduled_actions.pop(f"{name}/{action}", None) is None:
                failed += failure(action, f"Scheduled action name not found - {action}")
        return self._answer("BatchDeleteScheduledAction", "FailedScheduledActions", failed)

    def _answer(self, operation: str, list_name: str, failed: str):
        return self.service._xml(200, f"{operation}Response",
                                 f"<{operation}Result><{list_name}>{failed}</{list_name}></{operation}Result>")

    def carry_out(self, group: dict) -> None:
        """Sets the sizes of every recurrence that has come since the last look, in the order of time."""
        now = self.clock.now()
        since = max(group.get("_scheduled_at", now), now - LOOK_BACK_DAYS * 86_400)
        group["_scheduled_at"] = now
        of_group = [action for action in self.service._scheduled_actions.values()
                    if action["AutoScalingGroupName"] == group["AutoScalingGroupName"] and action.get("Recurrence")]
        due = [(at, action) for action in of_group
               for at in occurrences(action["Recurrence"], action.get("TimeZone") or "UTC", since, now)]
        for at, action in sorted(due, key=lambda pair: pair[0]):
            for member in ("MinSize", "MaxSize"):
                if int(action.get(member, -1)) >= 0:
                    group[member] = int(action[member])
            asked = int(action.get("DesiredCapacity", -1))
            desired = asked if asked >= 0 else group["DesiredCapacity"]
            group["DesiredCapacity"] = min(max(desired, group["MinSize"]), group["MaxSize"])
            self.fleet.fill(group, at, f"scheduled action {action['ScheduledActionName']}")


def members(service, p, name: str) -> list[dict]:
    """The structures of a list in a request of the query protocol."""
    found = []
    keys = ("ScheduledActionName", "Recurrence", "TimeZone", "StartTime", "EndTime", "MinSize", "MaxSize", "DesiredCapacity")
    while service._p(p, f"{name}.member.{len(found) + 1}.ScheduledActionName"):
        prefix = f"{name}.member.{len(found) + 1}."
        found.append({key: service._p(p, prefix + key) for key in keys if service._p(p, prefix + key) != ""})
    return found


def failure(name: str, why: str) -> str:
    return (f"<member><ScheduledActionName>{escape(name)}</ScheduledActionName><ErrorCode>ValidationError</ErrorCode>"
            f"<ErrorMessage>{escape(why)}</ErrorMessage></member>")


def checked(fields: dict) -> None:
    """Refuses what the service would refuse."""
    if not any(fields.get(key) for key in ("MinSize", "MaxSize", "DesiredCapacity")):
        raise ValueError("At least one of MinSize, MaxSize and DesiredCapacity must be specified")
    if fields.get("Recurrence"):
        parse(fields["Recurrence"])
    try:
        ZoneInfo(fields.get("TimeZone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"Invalid time zone {fields['TimeZone']}") from error


def parse(recurrence: str) -> list[set[int]]:
    """The numbers that each of the five fields allows."""
    parts = recurrence.split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"Given recurrence string: {recurrence} is invalid")
    allowed = []
    for part, (low, high) in zip(parts, FIELDS):
        numbers: set[int] = set()
        for one in part.split(","):
            first, _, last = (f"{low}-{high}" if one == "*" else one).partition("-")
            if not first.isdigit() or not (last or first).isdigit():
                raise ValueError(f"Given recurrence string: {recurrence} is invalid")
            numbers.update(range(int(first), int(last or first) + 1))
        if not numbers <= set(range(low, high + 1)):
            raise ValueError(f"Given recurrence string: {recurrence} is invalid")
        allowed.append(numbers)
    return allowed


def occurrences(recurrence: str, zone: str, since: float, until: float) -> list[float]:
    """The instants of a recurrence after `since`, up to `until`."""
    minutes, hours, _, _, days = parse(recurrence)
    place = ZoneInfo(zone)
    day = datetime.fromtimestamp(since, tz=timezone.utc).astimezone(place).date()
    last = datetime.fromtimestamp(until, tz=timezone.utc).astimezone(place).date()
    found = []
    while day <= last:
        # Unix cron: Sunday is 0 and 7.
        if {day.isoweekday() % 7, day.isoweekday()} & days:
            moments = (datetime(day.year, day.month, day.day, hour, minute, tzinfo=place).timestamp()
                       for hour in hours for minute in minutes)
            found.extend(at for at in moments if since < at <= until)
        day += timedelta(days=1)
    return found
