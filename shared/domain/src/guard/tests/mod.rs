//! Every guard on both sides of its bound, and properties that hold for all of them.

mod between;
mod bounds;
mod properties;
mod sides;
mod things;

use super::{Facts, KillSwitch, Limits};
use crate::approval::Consent;
use crate::arbitration::Restraints;
use crate::change::{Action, Better, Change, Expectation};
use crate::ids::{ChangeId, ResourceId, RuleId, SignalId};
use crate::mode::Mode;
use crate::observed::Observed;
use crate::resource::{Fleet, Instance, Live, Service, Task};
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

fn ago_s(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn instance(number: u32, is_serving: bool) -> Instance {
    Instance { id: format!("i-{number}"), in_service: true, healthy: is_serving, protected: false, instance_type: None }
}

/// A group of `serving` healthy instances, then `sick` ones, bounded by 1 and 20.
fn fleet(serving: u32, sick: u32) -> Fleet {
    Fleet {
        min: 1,
        max: 20,
        desired: serving + sick,
        instances: (1..=serving + sick).map(|number| instance(number, number <= serving)).collect(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    }
}

fn task(number: u32) -> Task {
    Task { id: format!("t-{number}"), started_at: Some(ago_s(3_600)) }
}

fn service(desired: u32) -> Service {
    Service {
        cluster: "shop".into(),
        desired,
        running: desired,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: Some((1, 20)),
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: Observed::Known((1..=desired).map(task).collect()),
    }
}

fn change(action: Action) -> Change {
    Change {
        id: ChangeId::from("c1"),
        action,
        resource: ResourceId::from("asg/web"),
        because: RuleId::from("saturation"),
        reason: "CPU is at 91 %".into(),
        expected: Expectation {
            signal: SignalId::from("fleet_cpu_pct"),
            resource: ResourceId::from("asg/web"),
            better: Better::Lower,
            before: 91.0,
            after: 60.0,
        },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

fn resize(desired: u32) -> Change {
    change(Action::SetFleetCapacity { group: "web".into(), desired })
}

fn recount(desired: u32) -> Change {
    change(Action::SetServiceCount { cluster: "shop".into(), service: "worker".into(), desired })
}

fn replace(number: u32) -> Change {
    change(Action::ReplaceInstance { group: "web".into(), instance: format!("i-{number}") })
}

fn replace_task(number: u32) -> Change {
    let task = format!("t-{number}");
    change(Action::ReplaceTask { cluster: "shop".into(), service: "worker".into(), task })
}

fn refresh() -> Change {
    change(Action::RefreshFleet { group: "web".into() })
}

fn redeploy() -> Change {
    change(Action::RedeployService { cluster: "shop".into(), service: "worker".into() })
}

fn limits() -> Limits {
    Limits {
        changes_per_execution_max: 3,
        changes_per_hour_max: 6,
        changes_per_day_max: 20,
        changes_per_resource_per_hour_max: 4,
        changes_per_resource_per_day_max: 8,
        cooldown_s: 600,
        blast_radius: 0.25,
        step_factor_max: 2.0,
        spend_usd_cents_month_max: 10_000,
        app_spend_usd_cents_month_max: 30_000,
        snapshot_age_s_max: 900,
        completeness_min: 0.8,
        undos_per_day_max: 3,
        repeats_per_day_max: 3,
        reversal_bars_h: 24,
        transaction_s_max: 60,
        indexed_table_gib_max: 20,
    }
}

/// Facts under which every guard lets a change pass.
fn facts(live: Live) -> Facts {
    Facts {
        now: NOW,
        mode: Mode::Auto,
        consent: Consent::NotAsked,
        kill_switch: KillSwitch::Off,
        freeze: None,
        calendar_closed: None,
        other_owner: None,
        protected: false,
        live,
        snapshot_at: ago_s(60),
        completeness: 1.0,
        changes_in_execution: 0,
        changes_last_hour: 0,
        changes_last_day: 0,
        resource_changes_last_hour: 0,
        resource_changes_last_day: 0,
        undos_last_day: 0,
        resource_changed_at: None,
        open_change: None,
        repeats_last_day: 0,
        spent_usd_cents_month: 0,
        app_spent_usd_cents_month: 0,
        restraints: Restraints::default(),
        takes_back: None,
        rolled_back: None,
    }
}

fn on_fleet(serving: u32, sick: u32) -> Facts {
    facts(Live::AutoScalingGroup(fleet(serving, sick)))
}

fn on_service(desired: u32) -> Facts {
    facts(Live::EcsService(service(desired)))
}
