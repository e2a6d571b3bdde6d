"""Tasks that wait for a task token, as Step Functions has them.

MiniStack waits in real time whatever the scale, does not know `TimeoutSecondsPath`, and goes on waiting when the function
that was to hand the token over has failed, where Step Functions fails the task at once.
"""

from __future__ import annotations

import json
import threading

from . import clock as clocks

INVOKE = "arn:aws:states:::lambda:invoke.waitForTaskToken"
# Step Functions' own limit of a task without a time-out.
FOREVER_S = 99_999_999


def install(machines, clock: clocks.VirtualClock) -> None:
    """Puts it into MiniStack's Step Functions."""
    execute_task = machines._execute_task
    invoke = machines._invoke_with_callback

    def timed(state_def, raw_input, execution, ctx):
        if state_def.get("Resource") == INVOKE:
            path = state_def.get("TimeoutSecondsPath")
            seconds = machines._resolve_path(path, raw_input) if path else state_def.get("TimeoutSeconds", FOREVER_S)
            state_def = {**state_def, "TimeoutSeconds": float(seconds) / clock.speed}
        return execute_task(state_def, raw_input, execution, ctx)

    def waiting(resource, input_data, token, state_def):
        if resource != INVOKE:
            return invoke(resource, input_data, token, state_def)
        answered = threading.Event()
        machines._task_tokens[token] = {"event": answered, "result": None, "error": None, "heartbeat": None}
        try:
            function = machines._resolve_lambda_function_ref(input_data["FunctionName"], optimized=True)
            machines._call_lambda(function, input_data["Payload"])
            if not answered.wait(timeout=min(state_def["TimeoutSeconds"], threading.TIMEOUT_MAX)):
                raise machines._ExecutionError("States.Timeout", "")
        finally:
            task = machines._task_tokens.pop(token)
        if task["error"]:
            raise machines._ExecutionError(task["error"].get("Error", "TaskFailed"), task["error"].get("Cause", ""))
        return json.loads(task["result"])

    machines._execute_task = timed
    machines._invoke_with_callback = waiting
