//! Builders: the smallest valid value of a type, with the parts that a test is about as arguments.

use domain::change::{Action, Better, Change, Expectation};
use domain::execution::{Cycle, Workflow};
use domain::guard::Limits;
use domain::ids::{AppId, ChangeId, ExecutionId, ResourceId, RuleId, SignalId};
use domain::observed::Observed;
use domain::outcome::{Outcome, Verdict};
use domain::performance::statistics::TableStatistics;
use domain::plan::Plan;
use domain::resource::{Address, Cache, Fleet, Instance, Live, LogGroup, Resource, Service, Tags, Task, Volume};
use domain::series::Series;
use domain::snapshot::{Measurement, Snapshot};
use engine::ports::Lease;
use engine::run::{Decision, Run};
use jiff::{SignedDuration, Timestamp};

/// The moment at which every test world begins.
pub const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Seconds after [`START`].
pub fn after_s(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

/// A resource without tags.
pub fn resource(id: &str, name: &str, live: Live) -> Resource {
    Resource { id: ResourceId::from(id), name: name.to_owned(), tags: Tags::default(), live }
}

/// A healthy instance in service.
pub fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: Some("t4g.small".to_owned()),
    }
}

/// A fleet `asg/<name>` of healthy instances `<name>-1`, `<name>-2` …, bounded by 1 and 12.
pub fn fleet(name: &str, desired: u32) -> Resource {
    let live = Fleet {
        min: 1,
        max: 12,
        desired,
        instances: (1..=desired).map(|number| instance(&format!("{name}-{number}"))).collect(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    };
    resource(&format!("asg/{name}"), name, Live::AutoScalingGroup(live))
}

/// A task that runs.
pub fn task(id: &str) -> Task {
    Task { id: id.to_owned(), started_at: Some(START) }
}

/// A service `ecs/<name>` in the cluster of the same name, all tasks running, bounded by 1 and 12.
pub fn service(name: &str, desired: u32) -> Resource {
    let live = Service {
        cluster: name.to_owned(),
        desired,
        running: desired,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: Some((1, 12)),
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: Observed::Known((1..=desired).map(|number| task(&format!("{name}-{number}"))).collect()),
    };
    resource(&format!("ecs/{name}"), name, Live::EcsService(live))
}

/// A Redis cache `cache/<name>` with one node.
pub fn cache(name: &str) -> Resource {
    let live = Cache {
        engine: "redis".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 6379,
        tls: false,
        nodes: vec![format!("{name}-001")],
    };
    resource(&format!("cache/{name}"), name, Live::Cache(live))
}

/// A CloudFront distribution `cdn/<id>`.
pub fn distribution(id: &str) -> Resource {
    resource(&format!("cdn/{id}"), id, Live::Distribution)
}

/// Sets the capacity of the fleet `asg/<name>`.
pub fn set_fleet(name: &str, desired: u32) -> Action {
    Action::SetFleetCapacity { group: name.to_owned(), desired }
}

/// Sets the task count of the service `ecs/<name>`.
pub fn set_service(name: &str, desired: u32) -> Action {
    Action::SetServiceCount { cluster: name.to_owned(), service: name.to_owned(), desired }
}

/// Replaces instance `<name>-<number>` of the fleet `asg/<name>`.
pub fn replace(name: &str, number: u32) -> Action {
    Action::ReplaceInstance { group: name.to_owned(), instance: format!("{name}-{number}") }
}

/// Replaces task `<name>-<number>` of the service `ecs/<name>`.
pub fn replace_task(name: &str, number: u32) -> Action {
    Action::ReplaceTask { cluster: name.to_owned(), service: name.to_owned(), task: format!("{name}-{number}") }
}

/// What the planner knows of the table `orders` of the database `shop`, half of which has changed since.
pub fn statistics() -> Resource {
    let of = TableStatistics {
        database: "shop".to_owned(),
        schema: "public".to_owned(),
        table: "orders".to_owned(),
        rows: 1e6,
        modified: 5e5,
        busy: None,
    };
    resource("statistics/shop/public.orders", "orders", Live::Statistics(of))
}

/// The id that the builders give to the resource of an action.
pub fn resource_of(action: &Action) -> ResourceId {
    ResourceId::new(match action {
        Action::SetFleetCapacity { group, .. }
        | Action::SetFleetSchedule { group, .. }
        | Action::ReplaceInstance { group, .. }
        | Action::RefreshFleet { group } => {
            format!("asg/{group}")
        }
        Action::SetServiceCount { service, .. }
        | Action::ReplaceTask { service, .. }
        | Action::RedeployService { service, .. } => format!("ecs/{service}"),
        Action::FlushCache { cache } => format!("cache/{cache}"),
        Action::InvalidateCdn { distribution } => format!("cdn/{distribution}"),
        Action::SetVolumeType { volume, .. } | Action::SnapshotVolume { volume } | Action::DeleteVolume { volume } => {
            format!("volume/{volume}")
        }
        Action::MarkForDeletion { arn, .. } => arn.clone(),
        Action::DeleteDiskSnapshot { snapshot } => format!("snapshot/{snapshot}"),
        Action::ReleaseAddress { allocation } => format!("address/{allocation}"),
        Action::SetLogRetention { group, .. } => format!("logs/{group}"),
        Action::CreateIndex { database, index } => format!("index/{database}/{}", index.name()),
        Action::AnalyzeTable { database, schema, table } => format!("statistics/{database}/{schema}.{table}"),
    })
}

/// A change of the resource that the builders would have made for this action.
pub fn change(id: &str, action: Action) -> Change {
    let resource = resource_of(&action);
    Change {
        id: ChangeId::from(id),
        resource: resource.clone(),
        because: RuleId::from("saturation"),
        reason: "CPU is at 91 %".to_owned(),
        expected: Expectation {
            signal: SignalId::from("fleet_cpu_pct"),
            resource,
            better: Better::Lower,
            before: 91.0,
            after: 60.0,
        },
        cost_usd_cents_month: None,
        rollout: None,
        action,
    }
}

/// A plan of these changes in this order.
pub fn plan(changes: Vec<Change>) -> Plan {
    Plan { changes, ..Plan::default() }
}

/// A series at one value per minute that ends at `end`.
pub fn series(values: &[f64], end: Timestamp) -> Series {
    let length_s = 60 * i64::try_from(values.len()).expect("a short series");
    Series {
        start: end - SignedDuration::from_secs(length_s),
        period_s: 60,
        values: values.iter().copied().map(Some).collect(),
    }
}

/// A measurement of a resource as a whole.
pub fn measurement(signal: &str, resource: &ResourceId, series: Observed<Series>) -> Measurement {
    Measurement { signal: SignalId::from(signal), resource: resource.clone(), member: None, series }
}

/// A complete snapshot of these resources: one known signal each.
pub fn snapshot(app: &str, resources: &[Resource], taken_at: Timestamp) -> Snapshot {
    let measured = |resource: &Resource| {
        measurement("fleet_cpu_pct", &resource.id, Observed::Known(series(&[90.0, 91.0, 92.0, 91.0, 90.0], taken_at)))
    };
    Snapshot {
        app: AppId::from(app),
        taken_at,
        window_s: 300,
        resources: resources.to_vec(),
        measurements: resources.iter().map(measured).collect(),
        alarms: Observed::Known(Vec::new()),
        undiscovered: Vec::new(),
        prices: Vec::new(),
        weeks: Vec::new(),
    }
}

/// Limits that leave room for a test; a test that is about one of them narrows it.
pub fn limits() -> Limits {
    Limits {
        changes_per_execution_max: 100,
        changes_per_hour_max: 100,
        changes_per_day_max: 100,
        changes_per_resource_per_hour_max: 100,
        changes_per_resource_per_day_max: 100,
        cooldown_s: 600,
        blast_radius: 0.34,
        step_factor_max: 2.0,
        spend_usd_cents_month_max: 100_000,
        app_spend_usd_cents_month_max: 1_000_000,
        snapshot_age_s_max: 900,
        completeness_min: 0.5,
        undos_per_day_max: 100,
        repeats_per_day_max: 100,
        reversal_bars_h: 24,
        transaction_s_max: 60,
        indexed_table_gib_max: 20,
    }
}

/// A run in its first iteration under a lease.
pub fn run(app: &str, execution: &str, lease: Lease) -> Run {
    Run {
        app: AppId::from(app),
        cycle: Cycle::Health,
        workflow: Workflow::Health,
        execution_id: ExecutionId::from(execution),
        execution_arn: format!("arn:aws:states:eu-central-1:111122223333:execution:health:{execution}"),
        place: None,
        endpoints: Vec::new(),
        iteration: 1,
        mode: None,
        trigger: "a test".to_owned(),
        episode: None,
        lease,
        decision: Decision::Act,
        wait_s: 0,
        asked_in: None,
        answer_within_s: None,
        preview: Vec::new(),
        score: None,
        conclusion: None,
        error: None,
    }
}

/// The outcome of a change.
pub fn outcome(change: &Change, verdict: Verdict, keep: bool, at: Timestamp) -> Outcome {
    Outcome {
        change: change.id.clone(),
        signal: change.expected.signal.clone(),
        resource: change.expected.resource.clone(),
        verdict,
        before: Some(change.expected.before),
        after: Some(change.expected.after),
        interval: None,
        improvement_pct: None,
        keep,
        why: format!("the change is {verdict}"),
        measured_at: at,
    }
}

/// A `gp2` volume `volume/<id>` of 500 GiB that is attached to nothing.
pub fn volume(id: &str) -> Resource {
    let live = Volume {
        volume_type: "gp2".to_owned(),
        size_gib: 500,
        iops: Some(1_500),
        throughput_mibps: None,
        attached_to: Vec::new(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    };
    resource(&format!("volume/{id}"), id, Live::Volume(live))
}

/// An address `address/<id>` that nothing uses.
pub fn address(id: &str) -> Resource {
    let live = Address { public_ip: "192.0.2.7".to_owned(), associated_with: None, delete_after: None };
    resource(&format!("address/{id}"), id, Live::Address(live))
}

/// A log group `logs/<name>` whose events are kept for ever.
pub fn log_group(name: &str) -> Resource {
    resource(&format!("logs/{name}"), name, Live::LogGroup(LogGroup { retention_days: None, stored_bytes: 1 << 40 }))
}
