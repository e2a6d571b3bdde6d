"""What CloudWatch does when an alarm changes state: an event for EventBridge, SNS messages, function calls.

Shapes: "Alarm events and EventBridge", "Invoke a Lambda function from an alarm" (CloudWatch User Guide) and the
message of an alarm's SNS notification. The event is sent for every change, also when actions are disabled.
"""

from __future__ import annotations

import json
import logging

from .alarms import stamp

logger = logging.getLogger("localcloud")
# Beginnings of the names of alarms of which no event, message or call arrives.
LOST: set[str] = set()
FIELD_OF_STATE = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
REGION_NAMES = {"us-east-1": "US East (N. Virginia)", "eu-west-1": "EU (Ireland)", "eu-central-1": "EU (Frankfurt)",
                "us-west-2": "US West (Oregon)"}


def perform(service, alarm: dict, old: dict, state: str, reason: str, now_s: float) -> None:
    """Sends the event, then performs the actions of the new state."""
    if any(alarm["AlarmName"].startswith(prefix) for prefix in LOST):
        return
    detail = alarm_detail(alarm, old, state, reason, now_s)
    _send_event(alarm, detail)
    if not alarm.get("ActionsEnabled", True):
        return
    for arn in alarm.get(FIELD_OF_STATE.get(state, ""), None) or []:
        try:
            if ":sns:" in arn:
                from ministack.services import sns
                subject = f'{state}: "{alarm["AlarmName"]}" in {REGION_NAMES.get(service.get_region(), service.get_region())}'
                sns._fanout(arn, service.new_uuid(), json.dumps(sns_message(service, alarm, old, state, reason, now_s)),
                            subject[:100])
            elif ":lambda:" in arn:
                from ministack.services import eventbridge
                eventbridge._dispatch_to_lambda(arn, json.dumps(lambda_event(service, alarm, detail, now_s)))
        except Exception:
            logger.exception("the action %s of alarm %s failed", arn, alarm["AlarmName"])


def alarm_detail(alarm: dict, old: dict, state: str, reason: str, now_s: float) -> dict:
    """The `detail` of the event "CloudWatch Alarm State Change"."""
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    metrics = [] if "AlarmRule" in alarm else [{
        "id": "metric", "returnData": True,
        "metricStat": {"metric": {"namespace": alarm.get("Namespace"), "name": alarm.get("MetricName"),
                                  "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or []}},
                       "period": alarm.get("Period", 60), "stat": stat}}]
    new = {"value": state, "reason": reason, "timestamp": stamp(alarm.get("StateUpdatedTimestamp", now_s))}
    if alarm.get("StateReasonData"):
        new["reasonData"] = alarm["StateReasonData"]
    return {"alarmName": alarm["AlarmName"], "state": new, "previousState": old,
            "configuration": {"description": alarm.get("AlarmDescription", ""), "metrics": metrics}}


def sns_message(service, alarm: dict, old: dict, state: str, reason: str, now_s: float) -> dict:
    """The message that CloudWatch publishes to an alarm's topic."""
    percentile = alarm.get("ExtendedStatistic")
    return {
        "AlarmName": alarm["AlarmName"], "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": service.get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.get("AlarmConfigurationUpdatedTimestamp", now_s)),
        "NewStateValue": state, "NewStateReason": reason,
        "StateChangeTime": stamp(alarm.get("StateUpdatedTimestamp", now_s)),
        "Region": REGION_NAMES.get(service.get_region(), service.get_region()), "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old["value"], "OKActions": alarm.get("OKActions", []),
        "AlarmActions": alarm.get("AlarmActions", []),
        "InsufficientDataActions": alarm.get("InsufficientDataActions", []),
        "Trigger": {
            "MetricName": alarm.get("MetricName"), "Namespace": alarm.get("Namespace"),
            "StatisticType": "ExtendedStatistic" if percentile else "Statistic",
            **({"ExtendedStatistic": percentile} if percentile else {"Statistic": str(alarm.get("Statistic", "")).upper()}),
            "Unit": alarm.get("Unit"),
            "Dimensions": [{"value": d["Value"], "name": d["Name"]} for d in alarm.get("Dimensions") or []],
            "Period": alarm.get("Period", 60), "EvaluationPeriods": alarm.get("EvaluationPeriods", 1),
            "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm.get("EvaluationPeriods", 1)),
            "ComparisonOperator": alarm.get("ComparisonOperator"), "Threshold": alarm.get("Threshold"),
            "TreatMissingData": alarm.get("TreatMissingData", "missing"), "EvaluateLowSampleCountPercentile": "",
        },
    }


def lambda_event(service, alarm: dict, detail: dict, now_s: float) -> dict:
    """The event of a direct Lambda action."""
    return {"source": "aws.cloudwatch", "alarmArn": alarm["AlarmArn"], "accountId": service.get_account_id(),
            "time": stamp(now_s), "region": service.get_region(), "alarmData": detail}


def _send_event(alarm: dict, detail: dict) -> None:
    try:
        from ministack.services import eventbridge
        eventbridge._put_events({"Entries": [{
            "Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change", "Detail": json.dumps(detail),
            "Resources": [alarm["AlarmArn"]]}]}, allow_aws_source=True)
    except Exception:
        logger.exception("the event of alarm %s failed", alarm["AlarmName"])
