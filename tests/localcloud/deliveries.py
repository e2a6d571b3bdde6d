"""Asynchronous invocations: a queue in front of each function, two more attempts, then the dead-letter queue.

AWS Lambda Developer Guide, "Asynchronous invocation": SNS and EventBridge hand events to Lambda's own queue; a failed
event is tried twice more, a minute and two minutes later, and then goes to the failure destination or dead-letter
queue. MiniStack does so for Invoke with type Event, but calls a function once, and forgets the failure, for SNS and
EventBridge.
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from . import clock as clocks

logger = logging.getLogger("localcloud")
ATTEMPTS = 3
RETRY_DELAYS_VIRTUAL_S = (60.0, 120.0)
# A storm of events waits in the queue instead of starting hundreds of processes on a small machine.
CONCURRENCY = 4


class Deliveries:
    """Lambda's queue for asynchronous events."""

    def __init__(self, functions, clock: clocks.VirtualClock) -> None:
        self.functions = functions
        self.clock = clock
        self.pool = ThreadPoolExecutor(max_workers=CONCURRENCY, thread_name_prefix="lambda-event")

    def accept(self, function: dict, event: dict, attempt: int = 0) -> None:
        """Takes an event; returns at once."""
        self.pool.submit(contextvars.copy_context().run, self._attempt, function, event, attempt)

    def to_arn(self, arn: str, event: dict) -> None:
        """Takes an event for the function, version or alias that an ARN names."""
        function, config, name = self.functions._get_func_record_for_ref(arn)
        if not function or not config:
            logger.warning("no function %s for an asynchronous event", name)
            return
        record = dict(self.functions._execution_record_for_config(function, config))
        qualifier = arn.split(":")[7] if arn.count(":") >= 7 else "$LATEST"
        # The configuration of asynchronous invocations belongs to the version or alias that was invoked.
        base = self.functions._get_base_func_record_for_ref(arn)[0] or function
        record["event_invoke_config"] = (base.get("event_invoke_configs") or {}).get(
            qualifier, base.get("event_invoke_config") if qualifier == "$LATEST" else None)
        self.accept(record, event)

    def _attempt(self, function: dict, event: dict, attempt: int) -> None:
        try:
            result = self.functions._execute_function_with_config_scope(function, event)
        except Exception as error:
            logger.exception("an asynchronous invocation failed")
            result = {"error": True, "body": {"errorType": type(error).__name__, "errorMessage": str(error)}}
        if not result.get("error"):
            return
        if attempt + 1 < ATTEMPTS:
            delay_s = RETRY_DELAYS_VIRTUAL_S[attempt] / self.clock.speed
            context = contextvars.copy_context()
            timer = threading.Timer(delay_s, context.run, (self.accept, function, event, attempt + 1))
            timer.daemon = True
            timer.start()
            return
        config = function.get("config") or function
        target = self._failure_target(function, config)
        if target:
            self.functions._route_async_failure(target, config.get("FunctionName", ""), event, result)

    @staticmethod
    def _failure_target(function: dict, config: dict) -> str:
        invoke = function.get("event_invoke_config") or {}
        destination = (invoke.get("DestinationConfig") or {}).get("OnFailure") or {}
        return destination.get("Destination") or (config.get("DeadLetterConfig") or {}).get("TargetArn") or ""


def install(functions, events, topics, clock: clocks.VirtualClock) -> Deliveries:
    """Sends the asynchronous events of Lambda, EventBridge and SNS through the queue."""
    deliveries = Deliveries(functions, clock)
    functions.invoke_async_with_retry = deliveries.accept

    def from_events(arn, payload):
        deliveries.to_arn(arn, json.loads(payload))

    def from_topic(endpoint, envelope, _topic_arn, sub_arn, _msg_id, _message, _attributes):
        record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns",
                  "Sns": json.loads(envelope)}
        deliveries.to_arn(endpoint, {"Records": [record]})

    events._dispatch_to_lambda = from_events
    topics._deliver_to_lambda = from_topic
    return deliveries
