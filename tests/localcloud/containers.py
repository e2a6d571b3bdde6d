"""ECS services whose tasks and deployments take time, without Docker.

MiniStack keeps the records of services and tasks and finishes every change at once. Here the answers of
CreateService, UpdateService and DescribeServices show the change under way, as the Amazon ECS API Reference documents
it (Service: runningCount, pendingCount; Deployment: rolloutState IN_PROGRESS until steady, then COMPLETED). A service
starts another task for one that was stopped (StopTask), DescribeTasks shows a task as PENDING until it has started, and
tasks carry the tags of a service that was created with propagateTags SERVICE.
"""

from __future__ import annotations

import copy
import json

from . import clock as clocks

# A task is PENDING until its image is pulled and its container has started.
START_S = 30.0
# A deployment is COMPLETED when the new tasks have reached a steady state.
STEADY_S = 90.0


class Services:
    """Wraps MiniStack's operations on services and tasks with a view in virtual time."""

    def __init__(self, service, clock: clocks.VirtualClock) -> None:
        self.service = service
        self.clock = clock
        self._create, self._update, self._describe = (
            service._create_service, service._update_service, service._describe_services)
        self._stop, self._describe_tasks = service._stop_task, service._describe_tasks

    def create(self, data):
        """CreateService: the tasks start, the first deployment is under way."""
        answer = self._create(data)
        record = self._record(answer)
        if record is not None:
            now = self.clock.now()
            record["_ramp"] = {"from": 0, "to": record["desiredCount"], "since": now}
            record["_rollout"] = {"since": now, "old": None}
            self._propagate_tags(record)
        return self._shown(answer)

    def update(self, data):
        """UpdateService: a new count starts or stops tasks, a new deployment replaces the old one when steady."""
        before = self._find(data)
        running = self._running(before) if before else 0
        old = copy.deepcopy(before["deployments"][0]) if before and before.get("deployments") else None
        answer = self._update(data)
        record = self._record(answer)
        if record is not None:
            now = self.clock.now()
            if running != record["desiredCount"]:
                record["_ramp"] = {"from": running, "to": record["desiredCount"], "since": now}
            if old and record["deployments"] and record["deployments"][0]["id"] != old["id"]:
                record["_rollout"] = {"since": now, "old": old}
            self._propagate_tags(record)
        return self._shown(answer)

    def stop_task(self, data):
        """StopTask: the task ends; its service, if it has one, starts another."""
        cluster = self.service._resolve_cluster_name(data.get("cluster", "default"))
        task = self.service._resolve_task(data.get("task", ""), cluster) if cluster else None
        was_running = bool(task) and task["lastStatus"] == "RUNNING"
        answer = self._stop(data)
        group = (task or {}).get("group", "")
        key = f"{cluster}/{group.removeprefix('service:')}"
        record = self.service._services.get(key) if group.startswith("service:") else None
        if answer[0] == 200 and was_running and record:
            running = self._running(record)
            record["_ramp"] = {"from": max(0, running - 1), "to": record["desiredCount"], "since": self.clock.now()}
            self.service._reconcile_service_tasks(cluster, key)
            self._propagate_tags(record)
        return answer

    def describe_tasks(self, data):
        """DescribeTasks: a task that has not started yet is PENDING and has no start."""
        status, headers, body = self._describe_tasks(data)
        if status != 200:
            return status, headers, body
        payload = json.loads(body)
        for task in payload.get("tasks", []):
            created = task.get("createdAt")
            if task["lastStatus"] != "RUNNING" or created is None:
                continue
            started = clocks.epoch(created) + START_S
            if self.clock.now() < started:
                task.update(lastStatus="PENDING", startedAt=None)
            else:
                task["startedAt"] = clocks.iso(started)
        return status, headers, json.dumps(payload).encode()

    def _propagate_tags(self, record: dict) -> None:
        if record.get("propagateTags") != "SERVICE":
            return
        tags = self.service._tags.get(record["serviceArn"], [])
        for arn, task in self.service._tasks.items():
            if task.get("group") == f"service:{record['serviceName']}" and task.get("clusterArn") == record["clusterArn"]:
                self.service._tags[arn] = list(tags)

    def describe(self, data):
        """DescribeServices at the virtual now."""
        return self._shown(self._describe(data))

    def _find(self, data) -> dict | None:
        cluster = self.service._resolve_cluster_name(data.get("cluster", "default"))
        name = self.service._resolve_service_ref(data.get("service", ""))
        return self.service._services.get(f"{cluster}/{name[0]}") if cluster and name else None

    def _record(self, answer) -> dict | None:
        if answer[0] != 200:
            return None
        return self._by_arn(json.loads(answer[2])["service"]["serviceArn"])

    def _by_arn(self, arn: str) -> dict | None:
        cluster, name = arn.split(":service/", 1)[1].split("/", 1)
        return self.service._services.get(f"{cluster}/{name}")

    def _running(self, record: dict) -> int:
        ramp = record.get("_ramp")
        if ramp is None:
            return record["desiredCount"]
        # Stopping is quick, starting takes a while.
        started = self.clock.now() >= ramp["since"] + START_S
        return ramp["to"] if started or ramp["to"] < ramp["from"] else ramp["from"]

    def _shown(self, answer):
        status, headers, body = answer
        if status != 200:
            return answer
        payload = json.loads(body)
        for shown in [payload["service"]] if "service" in payload else payload.get("services", []):
            record = self._by_arn(shown["serviceArn"])
            if record is not None and shown.get("status") == "ACTIVE":
                self._project(record, shown)
        return status, headers, json.dumps(payload).encode()

    def _project(self, record: dict, shown: dict) -> None:
        running = self._running(record)
        shown["runningCount"] = running
        shown["pendingCount"] = max(0, record["desiredCount"] - running)
        if not shown.get("deployments"):
            return
        primary = shown["deployments"][0]
        rollout = record.get("_rollout") or {"since": float("-inf"), "old": None}
        age_s = self.clock.now() - rollout["since"]
        replacing = rollout["old"] is not None and age_s < STEADY_S
        fresh = running if not replacing or age_s >= START_S else 0
        primary.update(runningCount=fresh, pendingCount=max(0, record["desiredCount"] - fresh),
                       rolloutState="IN_PROGRESS" if age_s < STEADY_S else "COMPLETED",
                       rolloutStateReason=f"ECS deployment {primary['id']} "
                                          + ("in progress." if age_s < STEADY_S else "completed."))
        shown["deployments"] = [primary]
        if replacing:
            # minimumHealthyPercent 100: the old tasks run until the new ones are steady.
            shown["deployments"].append({**self.service._sanitize(rollout["old"]), "status": "ACTIVE",
                                         "runningCount": running, "pendingCount": 0})


def install(service, clock: clocks.VirtualClock) -> Services:
    """Replaces the operations and gives MiniStack's records virtual timestamps."""
    service.now_iso = clock.now_iso
    services = Services(service, clock)
    service._ACTION_MAP.update({"CreateService": services.create, "UpdateService": services.update,
                                "DescribeServices": services.describe, "StopTask": services.stop_task,
                                "DescribeTasks": services.describe_tasks})
    return services
