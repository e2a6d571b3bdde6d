"""EventBridge Scheduler by the virtual clock, with its context attributes.

EventBridge Scheduler User Guide, "Adding context attributes": `<aws.scheduler.scheduled-time>` and others are replaced
in a target's input; "Schedule types": a rate runs from the schedule's creation on.
"""

from __future__ import annotations

from datetime import datetime, timezone

from . import clock as clocks

# Scheduler invokes targets with a precision of a minute.
TICK_VIRTUAL_S = 60.0
TICK_REAL_MIN_S = 0.25


def install(service, events, clock: clocks.VirtualClock) -> None:
    """Gives the scheduler virtual time and fills in what its targets' inputs ask for."""
    service.time = clocks.VirtualTime(clock)
    service._now = clock.now
    service._SCHEDULE_TICK_INTERVAL = max(TICK_REAL_MIN_S, TICK_VIRTUAL_S / clock.speed)
    invoke = events._invoke_target

    def invoke_target(target, event, rule, view=None):
        if event.get("Source") == "aws.scheduler" and "<aws.scheduler." in (target.get("Input") or ""):
            moment = datetime.fromtimestamp(clock.now(), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            text = target["Input"]
            for name, value in (("scheduled-time", moment), ("schedule-arn", rule.get("Arn", "")),
                                ("execution-id", event["EventId"]), ("attempt-number", "1")):
                text = text.replace(f"<aws.scheduler.{name}>", value)
            target = {**target, "Input": text}
        return invoke(target, event, rule, view)

    events._invoke_target = invoke_target


def invoke(name: str) -> bool:
    """Invokes a schedule's target as at its time; false when there is no such schedule."""
    from ministack.core.responses import set_request_account_id, set_request_region
    from ministack.services import eventbridge, scheduler

    for (account, region, _), schedule in list(scheduler._schedules._data.items()):
        if schedule.get("Name") == name:
            set_request_account_id(account)
            set_request_region(region)
            event = {"EventId": scheduler.new_uuid(), "Source": "aws.scheduler", "DetailType": "Scheduled Event",
                     "Detail": "{}", "Time": scheduler._now(), "Resources": [schedule["Arn"]], "Account": account,
                     "Region": region}
            eventbridge._invoke_target(schedule["Target"], event, schedule)
            return True
    return False
