"""Puts the extension into MiniStack's modules, once, before the server starts."""

from __future__ import annotations

from . import (alarms, autoscaling_api, bill, buckets, calendars, callbacks, containers, deliveries, disks, loggroups, metrics, permissions, places, prices, records, scaling,
               scheduled_actions, schedules, stacks, tagging, targets, warehouses, webhooks)
from .clock import VirtualClock, VirtualTime


def install(clock: VirtualClock) -> targets.TargetHealth:
    """Installs every module; gives what the admin endpoint needs."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, responses, router
    from ministack.services import (alb, autoscaling, cloudwatch, cloudwatch_logs, dynamodb, ec2, ecs, elasticache, eventbridge, lambda_svc,
                                    opensearch, rds, s3, scheduler, sns, stepfunctions)
    from ministack.services import tagging as resource_tags
    from ministack.services.cloudformation import changesets, engine, handlers, provisioners
    from ministack.services.cloudformation import stacks as stack_runs

    # Items carry virtual expiry times; a clock in the past must not make TTL delete them at once.
    dynamodb.time = VirtualTime(clock)
    fleet = autoscaling_api.install(autoscaling, clock)
    scheduled_actions.install(autoscaling, fleet, clock)
    health = targets.install(alb, fleet, autoscaling._asgs)
    callbacks.install(stepfunctions, clock)
    containers.install(ecs, clock)
    scaling.install(app, router, iam_actions, clock)
    prices.install(app, router, iam_actions)
    disks.install(ec2, clock)
    loggroups.install(cloudwatch_logs)
    buckets.install(s3)
    bill.install(app, router, iam_actions, ec2, autoscaling, cloudwatch_logs, responses, clock)
    calendars.install(app, iam_actions, responses, clock)
    warehouses.install(app, router, iam_actions, responses, clock)
    records.install(elasticache)
    tagging.install(resource_tags, alb, rds, cloudwatch, autoscaling, ec2, cloudwatch_logs, opensearch)
    deliveries.install(lambda_svc, eventbridge, sns, clock)
    stacks.install(engine, handlers, changesets, stack_runs, responses)
    schedules.install(scheduler, eventbridge, clock)
    places.install(eventbridge, cloudwatch, provisioners, responses, iam_evaluator)
    webhooks.install(eventbridge, provisioners)
    permissions.install(iam_evaluator, iam_actions, router)
    alarms.install(cloudwatch, metrics.install(cloudwatch, clock), clock)
    return health
