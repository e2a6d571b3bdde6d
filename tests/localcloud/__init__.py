"""A local AWS for the tests and the demonstration: MiniStack in one process, plus what it lacks.

MiniStack (MIT) emulates the services. The modules here add, each by AWS's documented behaviour, the operations and
the passing of time that the maintainer observes and changes:

- `clock`        a virtual clock, so that ten minutes pass in five seconds
- `autoscaling`  launches, terminations, instance refreshes that take time
- `scheduled_actions`  scheduled scaling of those groups
- `targets`      load balancer target health that follows the instances
- `containers`   ECS rollouts that take time, without Docker
- `alarms`       alarm evaluation per metric, period and missing data; SNS, EventBridge and Lambda actions
- `disks`        EBS volumes, snapshots and addresses: modifications that take time, refusals, filters
- `loggroups`    log groups by name
- `prices`       the Price List
- `bill`         Cost Explorer, computed from what exists
- `calendars`    change calendars of Systems Manager
- `metrics`      reads of metrics that stay fast
- `permissions`  what functions may do and have done
- `tagging`      Resource Groups Tagging for load balancers, databases and alarms; tags in IAM conditions
- `records`      caches that point to a real Redis
- `deliveries`   Lambda's queue for asynchronous events, with retries and dead letters
- `schedules`    EventBridge Scheduler by the virtual clock
- `stacks`       parameter values for the SAM transform
- `webhooks`     API destinations in a template
- `admin`        one endpoint for what no AWS call can express: a target that fails its health check

It never talks to AWS, binds 127.0.0.1 only, and keeps everything in a directory of its own.
"""
