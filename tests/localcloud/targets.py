"""Load balancer target health that follows the instances of attached Auto Scaling groups.

Elastic Load Balancing API Reference, TargetHealth: a target is `initial` while it is being registered, `healthy`,
`unhealthy` with the reason Target.FailedHealthChecks, or `draining` while it is being deregistered.
"""

from __future__ import annotations

from .autoscaling import Fleet

REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
}
STATE_OF_LIFECYCLE = {"Pending": "initial", "InService": "healthy", "Terminating": "draining"}


class TargetHealth:
    """Answers DescribeTargetHealth. `failing` holds targets whose application does not answer its health check."""

    def __init__(self, service, fleet: Fleet, groups) -> None:
        self.service = service
        self.fleet = fleet
        self.groups = groups
        self.failing: set[str] = set()

    def describe(self, params):
        """DescribeTargetHealth over registered targets and the instances of attached groups."""
        arn = self.service._p(params, "TargetGroupArn")
        if arn not in self.service._tgs:
            return self.service._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
        port = self.service._tgs[arn].get("Port", 80)
        rows = {t["Id"]: (t.get("Port", port), "healthy") for t in self.service._targets.get(arn, [])}
        for group in self.groups.values():
            if arn in group.get("TargetGroupARNs", []):
                self.fleet.settle(group)
                rows.update({i["InstanceId"]: (port, STATE_OF_LIFECYCLE[i["LifecycleState"]]) for i in group["Instances"]})
        wanted = {t["Id"] for t in self.service._parse_targets_param(params)}
        members = "".join(self._member(name, *row) for name, row in rows.items() if not wanted or name in wanted)
        return self.service._xml(200, "DescribeTargetHealth",
                                 f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>")

    def _member(self, name: str, port: int, state: str) -> str:
        state = "unhealthy" if state == "healthy" and name in self.failing else state
        reason = ""
        if state in REASONS:
            code, text = REASONS[state]
            reason = f"<Reason>{code}</Reason><Description>{text}</Description>"
        return (f"<member><Target><Id>{name}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
                f"<TargetHealth><State>{state}</State>{reason}</TargetHealth></member>")


def install(service, fleet: Fleet, groups) -> TargetHealth:
    """Replaces MiniStack's answer that everything registered is healthy."""
    health = TargetHealth(service, fleet, groups)
    service._ACTION_MAP["DescribeTargetHealth"] = health.describe
    return health
