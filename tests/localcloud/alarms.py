"""Metric alarms, evaluated as the Amazon CloudWatch User Guide documents it, at the virtual now.

"Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data": an alarm looks at the last N evaluation
periods, retrieves a few more in case some are missing, needs M breaching datapoints, and fills what is missing only
when fewer than N datapoints exist. The two tables of that page are this module's test.
"""

from __future__ import annotations

import contextvars
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from . import clock as clocks
from .metrics import Metrics

# The User Guide's examples retrieve five datapoints for three evaluation periods.
EXTRA_PERIODS = 2
# Alarms are evaluated every minute, also when no metric arrives.
TICK_VIRTUAL_S = 60.0
TICK_REAL_MIN_S = 0.25
OPERATORS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def state_of(points: list[bool | None], evaluation_periods: int, datapoints_to_alarm: int, missing: str) -> str | None:
    """The state that datapoints call for, or `None` to keep the state.

    `points` is the evaluation range, oldest first: True breaching, False not breaching, None missing.
    """
    real = [point for point in points if point is not None]
    if len(real) >= evaluation_periods:
        breaching = sum(real[-evaluation_periods:])
        return "ALARM" if breaching >= datapoints_to_alarm else "OK"
    filled = evaluation_periods - len(real)
    breaching = sum(real)
    if missing == "breaching":
        return "ALARM" if breaching + filled >= datapoints_to_alarm else "OK"
    if missing == "notBreaching":
        return "ALARM" if breaching >= datapoints_to_alarm else "OK"
    if not real:
        return None if missing == "ignore" else "INSUFFICIENT_DATA"
    if breaching >= datapoints_to_alarm:
        return "ALARM"
    if False in real:
        return "OK"
    # Only breaching datapoints, too few of them. "missing": ALARM once the oldest of them is at least M old and all
    # newer ones are breaching or missing ("avoiding premature transitions"); until then the state stays.
    oldest_age = len(points) - points.index(True)
    return "ALARM" if missing != "ignore" and oldest_age >= datapoints_to_alarm else None


class Alarms:
    """Evaluates MiniStack's metric alarms and performs their actions."""

    def __init__(self, service, metrics: Metrics, clock: clocks.VirtualClock) -> None:
        self.service = service
        self.metrics = metrics
        self.clock = clock
        # Requests run on the event loop, ticks in a thread of their own.
        self.lock = threading.RLock()
        # Actions call functions, and those call back: never from the event loop.
        self.actions = ThreadPoolExecutor(max_workers=4, thread_name_prefix="alarm-action")

    def evaluate(self, alarm: dict) -> None:
        """Moves one alarm to the state its metric calls for."""
        if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in OPERATORS:
            return
        with self.lock:
            points, values = self._range(alarm)
            wanted = int(alarm.get("EvaluationPeriods", 1))
            needed = int(alarm.get("DatapointsToAlarm") or wanted)
            missing = alarm.get("TreatMissingData") or "missing"
            if alarm.get("Namespace") == "AWS/DynamoDB":
                missing = "ignore"  # "Alarms in the AWS/DynamoDB namespace always ignore missing data."
            state = state_of(points, wanted, needed, missing)
            if state is None or state == alarm["StateValue"]:
                return
            self._transition(alarm, state, *reason_of(alarm, state, values[-wanted:], needed))

    def _range(self, alarm: dict) -> tuple[list[bool | None], list[tuple[float, float]]]:
        """Breaching, not breaching or missing per period, oldest first; and (start, value) of those that exist."""
        period = int(alarm.get("Period", 60))
        count = int(alarm.get("EvaluationPeriods", 1)) + EXTRA_PERIODS
        grid = min(period, 60)
        end_s = self.clock.now() // grid * grid
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        breaches = OPERATORS[alarm["ComparisonOperator"]]
        points, values = [], []
        for start_s in (end_s - period * n for n in range(count, 0, -1)):
            stored = self.metrics.points(alarm["Namespace"], alarm["MetricName"], alarm.get("Dimensions"), start_s,
                                         start_s + period)
            value = self.metrics.statistic(stored, stat)
            points.append(None if value is None else breaches(value, alarm["Threshold"]))
            if value is not None:
                values.append((start_s, value))
        return points, values

    def _transition(self, alarm: dict, state: str, reason: str, data: dict) -> None:
        old = {"value": alarm["StateValue"], "reason": alarm.get("StateReason", ""),
               "timestamp": stamp(alarm.get("StateUpdatedTimestamp", self.clock.now()))}
        now = self.clock.now()
        alarm.update(StateValue=state, StateReason=reason, StateReasonData=json.dumps(data),
                     StateUpdatedTimestamp=now, StateTransitionedTimestamp=now)
        self.service._record_history(alarm["AlarmName"], old["value"], state, reason, reason_data=data)
        self.act(alarm, old, state, reason)
        self.service._evaluate_parent_alarms(alarm)

    def act(self, alarm: dict, old: dict, state: str, reason: str) -> None:
        """Sends the event and performs the actions in the background, with the caller's account and Region."""
        snapshot = dict(alarm)
        self.actions.submit(contextvars.copy_context().run, self._act, snapshot, old, state, reason)

    def _act(self, alarm: dict, old: dict, state: str, reason: str) -> None:
        from . import alarm_actions
        alarm_actions.perform(self.service, alarm, old, state, reason, self.clock.now())

    def tick_forever(self) -> None:
        """Evaluates all alarms every virtual minute."""
        pause = threading.Event()
        while not pause.wait(max(TICK_REAL_MIN_S, TICK_VIRTUAL_S / self.clock.speed)):
            self.service._evaluate_all_alarms()


def reason_of(alarm: dict, state: str, values: list[tuple[float, float]], needed: int) -> tuple[str, dict]:
    """StateReason and StateReasonData in CloudWatch's words."""
    data = {"version": "1.0", "queryDate": stamp(values[-1][0]) if values else None,
            "statistic": alarm.get("ExtendedStatistic") or alarm.get("Statistic"), "period": alarm.get("Period", 60),
            "recentDatapoints": [value for _, value in values], "threshold": alarm["Threshold"]}
    if values:
        data["startDate"] = stamp(values[0][0])
    if state == "INSUFFICIENT_DATA" or not values:
        unknown = f"{needed} missing datapoint{'s' if needed > 1 else ''}"
        verdict = {"INSUFFICIENT_DATA": "Insufficient Data", "ALARM": "Threshold Crossed"}.get(state, "Threshold Crossed")
        return f"{verdict}: {unknown}.", data
    breaches = OPERATORS[alarm["ComparisonOperator"]]
    shown = [(at, v) for at, v in values if breaches(v, alarm["Threshold"]) == (state == "ALARM")] or values
    listed = ", ".join(f"{v} ({datetime.fromtimestamp(at, tz=timezone.utc):%d/%m/%y %H:%M:%S})" for at, v in shown[::-1])
    relation = {"GreaterThanOrEqualToThreshold": "greater than or equal to", "GreaterThanThreshold": "greater than",
                "LessThanThreshold": "less than", "LessThanOrEqualToThreshold": "less than or equal to",
                }[alarm["ComparisonOperator"]]
    were = ("was" if len(shown) == 1 else "were") + ("" if state == "ALARM" else " not")
    periods = alarm.get("EvaluationPeriods", 1)
    return (f"Threshold Crossed: {len(shown)} out of the last {periods} datapoints [{listed}] {were} {relation} the "
            f"threshold ({alarm['Threshold']}) (minimum {needed} datapoint{'s' if needed > 1 else ''} for "
            f"{'OK -> ALARM' if state == 'ALARM' else 'ALARM -> OK'} transition).", data)


def stamp(epoch_s: float) -> str:
    """CloudWatch's way of writing an instant: `2026-01-01T00:00:00.000+0000`."""
    return clocks.iso(epoch_s).replace("Z", "+0000")


def install(service, metrics: Metrics, clock: clocks.VirtualClock) -> Alarms:
    """Replaces MiniStack's evaluation, which ignores dimensions and missing data, and starts the minute's tick."""
    alarms = Alarms(service, metrics, clock)
    service._evaluate_alarm = alarms.evaluate

    def dispatch(alarm, old_state, new_state, reason):
        # SetAlarmState and composite alarms arrive here with the alarm already changed.
        old = {"value": old_state, "reason": "", "timestamp": stamp(clock.now())}
        alarms.act(alarm, old, new_state, reason)

    service._dispatch_alarm_actions = dispatch
    original = service.handle_request

    async def guarded(method, path, headers, body, query_params):
        with alarms.lock:
            return await original(method, path, headers, body, query_params)

    service.handle_request = guarded
    threading.Thread(target=alarms.tick_forever, name="alarm-tick", daemon=True).start()
    return alarms
