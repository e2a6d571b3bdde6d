//! Changes, read back from the services.

use crate::Cloud;
use aws::Actuator;
use domain::approval::{Approval, Consent, Via};
use domain::change::{Action, Better, Change, Expectation, Reversal};
use domain::guard::{Facts, KillSwitch, Limits, clear};
use domain::ids::{ChangeId, RequestId, ResourceId, RuleId, SignalId};
use domain::mode::Mode;
use domain::resource::{Fleet, Live, Resource, Tags};
use domain::settle::{self, Effect};
use engine::ports::{Actuator as _, PortError, PortResult};
use jiff::Timestamp;
use std::time::Duration;

/// Polls of a condition before it is taken for false.
const POLLS_MAX: u32 = 100;

fn limits() -> Limits {
    Limits {
        changes_per_execution_max: 10,
        changes_per_hour_max: 10,
        changes_per_day_max: 10,
        changes_per_resource_per_hour_max: 10,
        changes_per_resource_per_day_max: 10,
        cooldown_s: 0,
        blast_radius: 1.0,
        step_factor_max: 10.0,
        spend_usd_cents_month_max: 0,
        app_spend_usd_cents_month_max: 0,
        snapshot_age_s_max: 600,
        completeness_min: 0.0,
        undos_per_day_max: 10,
        repeats_per_day_max: 10,
        reversal_bars_h: 24,
        transaction_s_max: 60,
        indexed_table_gib_max: 20,
    }
}

pub(crate) fn change(action: Action, resource: &Resource) -> Change {
    Change {
        id: ChangeId::new(format!("{}-1", action.spec().name)),
        action,
        resource: resource.id.clone(),
        because: RuleId::from("test"),
        reason: String::new(),
        expected: Expectation {
            signal: SignalId::from("requests"),
            resource: resource.id.clone(),
            better: Better::Higher,
            before: 0.0,
            after: 1.0,
        },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

/// What cannot be undone needs somebody's consent.
fn consent(change: &Change, at: Timestamp) -> Consent {
    match change.action.spec().reversal {
        Reversal::Irreversible => Consent::Given(Approval::Given {
            request: RequestId::new("request-1"),
            by: "somebody".to_owned(),
            remark: String::new(),
            via: Via::Link,
            at,
        }),
        _ => Consent::NotAsked,
    }
}

/// Clears and applies, as the engine does after all its reading.
pub(crate) async fn apply(
    cloud: &Cloud,
    actuator: &impl engine::ports::Actuator,
    change: &Change,
    live: &Live,
) -> PortResult<()> {
    let facts = Facts {
        calendar_closed: None,
        now: cloud.now(),
        mode: Mode::Auto,
        consent: consent(change, cloud.now()),
        kill_switch: KillSwitch::Off,
        freeze: None,
        other_owner: None,
        protected: false,
        live: live.clone(),
        snapshot_at: cloud.now(),
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
        restraints: domain::arbitration::Restraints::default(),
        takes_back: None,
        rolled_back: None,
    };
    let limits = limits();
    let cleared = clear(change, &facts, &limits).unwrap();
    actuator.apply(&cleared).await
}

pub(crate) fn unread(id: &str, name: &str, live: Live) -> Resource {
    Resource { id: ResourceId::from(id), name: name.to_owned(), tags: Tags::default(), live }
}

pub(crate) fn unread_group(name: &str) -> Resource {
    let fleet = Fleet {
        min: 0,
        max: 0,
        desired: 0,
        instances: Vec::new(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    };
    unread(&format!("auto_scaling_group/{name}"), name, Live::AutoScalingGroup(fleet))
}

pub(crate) fn fleet(resource: &Resource) -> &Fleet {
    let Live::AutoScalingGroup(fleet) = &resource.live else { panic!("{:?}", resource.live) };
    fleet
}

/// Reads the group until the condition holds.
pub(crate) async fn group_where(
    actuator: &impl engine::ports::Actuator,
    group: &Resource,
    holds: impl Fn(&Fleet) -> bool,
) -> Resource {
    let mut last = None;
    for _ in 0..POLLS_MAX {
        let read = actuator.live(group).await.unwrap();
        if holds(fleet(&read)) {
            return read;
        }
        last = Some(read);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the condition never held: {last:?}");
}

#[tokio::test]
async fn a_fleet_is_resized_and_set_back() {
    let Some(cloud) = Cloud::connect("fleet capacity").await else { return };
    let shop = cloud.shop().await;
    let actuator = Actuator::new(&cloud.clients);
    let before = actuator.live(&unread_group(&shop.group)).await.unwrap();
    assert_eq!(before.tags.get("maintainer:app"), Some(&cloud.name), "tags are read with the state");
    let grow = change(Action::SetFleetCapacity { group: shop.group.clone(), desired: 3 }, &before);
    apply(&cloud, &actuator, &grow, &before.live).await.unwrap();
    let after = actuator.live(&before).await.unwrap();
    assert_eq!(fleet(&after).desired, 3);
    actuator.restore(&grow, &before.live).await.unwrap();
    assert_eq!(fleet(&actuator.live(&before).await.unwrap()).desired, 2);
}

#[tokio::test]
async fn an_instance_is_replaced_and_the_group_keeps_its_size() {
    let Some(cloud) = Cloud::connect("instance replacement").await else { return };
    let shop = cloud.shop().await;
    let actuator = Actuator::new(&cloud.clients);
    let before = group_where(&actuator, &unread_group(&shop.group), |fleet| fleet.healthy() == 2).await;
    let sick = fleet(&before).instances[0].id.clone();
    let replace = change(Action::ReplaceInstance { group: shop.group.clone(), instance: sick.clone() }, &before);
    apply(&cloud, &actuator, &replace, &before.live).await.unwrap();
    let after = group_where(&actuator, &before, |fleet| {
        fleet.healthy() == 2 && fleet.instances.iter().all(|instance| instance.id != sick)
    })
    .await;
    assert_eq!(fleet(&after).desired, 2);
    let again = apply(&cloud, &actuator, &replace, &before.live).await;
    assert!(matches!(again, Err(PortError::Gone { .. })), "{again:?}");
    let undo = actuator.restore(&replace, &before.live).await;
    assert!(matches!(undo, Err(PortError::Rejected { .. })), "{undo:?}");
}

#[tokio::test]
async fn a_fleet_is_refreshed_and_a_second_refresh_conflicts() {
    let Some(cloud) = Cloud::connect("instance refresh").await else { return };
    let shop = cloud.shop().await;
    let actuator = Actuator::new(&cloud.clients);
    let before = group_where(&actuator, &unread_group(&shop.group), |fleet| fleet.healthy() == 2).await;
    let refresh = change(Action::RefreshFleet { group: shop.group.clone() }, &before);
    apply(&cloud, &actuator, &refresh, &before.live).await.unwrap();
    let during = actuator.live(&before).await.unwrap();
    assert!(fleet(&during).last_refresh_at.is_some());
    if fleet(&during).refresh_in_progress {
        let again = apply(&cloud, &actuator, &refresh, &before.live).await;
        assert!(matches!(again, Err(PortError::Conflict { .. })), "{again:?}");
    }
}

#[tokio::test]
async fn a_service_is_resized_restarted_and_set_back() {
    let Some(cloud) = Cloud::connect("service").await else { return };
    let shop = cloud.shop().await;
    let actuator = Actuator::new(&cloud.clients);
    let (cluster, service) = (shop.cluster, shop.service);
    let id = format!("arn:aws:ecs:us-east-1:000000000000:service/{cluster}/{service}");
    let nothing = domain::resource::Service {
        cluster: cluster.clone(),
        desired: 0,
        running: 0,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: None,
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: domain::observed::Observed::Known(Vec::new()),
    };
    let resource = unread(&id, &service, Live::EcsService(nothing));
    let read = || async {
        let read = actuator.live(&resource).await.unwrap();
        let Live::EcsService(service) = read.live.clone() else { panic!() };
        (read, service)
    };
    // The first deployment, that of the creation, ends by itself.
    let mut before = read().await;
    for _ in 0..POLLS_MAX {
        if !before.1.deployment_in_progress {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        before = read().await;
    }
    assert_eq!((before.0.tags.get("maintainer:app"), before.1.desired), (Some(&cloud.name), 1));
    assert_eq!(before.1.bounds, Some((1, 4)), "the owner's bounds are read with the state");
    let grow =
        change(Action::SetServiceCount { cluster: cluster.clone(), service: service.clone(), desired: 3 }, &resource);
    apply(&cloud, &actuator, &grow, &before.0.live).await.unwrap();
    assert_eq!(read().await.1.desired, 3);
    replace_one_task(&cloud, &actuator, &resource).await;
    actuator.restore(&grow, &before.0.live).await.unwrap();
    assert_eq!(read().await.1.desired, 1);

    let redeploy = change(Action::RedeployService { cluster, service }, &resource);
    apply(&cloud, &actuator, &redeploy, &before.0.live).await.unwrap();
    assert!(read().await.1.last_deployment_at > before.1.last_deployment_at);
}

/// Waits until three tasks run, stops one of them, and sees that it has left while the others stay.
async fn replace_one_task(cloud: &Cloud, actuator: &Actuator, resource: &Resource) {
    let mut before = actuator.live(resource).await.unwrap();
    let running = |live: &Live| match live {
        Live::EcsService(service) => service.tasks.known().unwrap().iter().filter(|task| task.is_running()).count(),
        other => panic!("not a service: {other:?}"),
    };
    // The count of the service may come later than its tasks.
    let all_run = |live: &Live| matches!(live, Live::EcsService(service) if service.running == 3) && running(live) == 3;
    for _ in 0..POLLS_MAX {
        if all_run(&before.live) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        before = actuator.live(resource).await.unwrap();
    }
    assert!(all_run(&before.live), "three tasks never ran: {:?}", before.live);
    let Live::EcsService(service) = &before.live else { panic!("a service") };
    let ids = |live: &Live| match live {
        Live::EcsService(service) => service.tasks.known().unwrap().iter().map(|task| task.id.clone()).collect(),
        _ => Vec::new(),
    };
    let all = ids(&before.live);
    let action =
        Action::ReplaceTask { cluster: service.cluster.clone(), service: resource.name.clone(), task: all[0].clone() };
    let replace = change(action.clone(), resource);
    apply(cloud, actuator, &replace, &before.live).await.unwrap();
    let after = actuator.live(resource).await.unwrap();
    assert_eq!(settle::effect(&action, &before.live, &after.live), Effect::Happened);
    let left = ids(&after.live);
    assert!(!left.contains(&all[0]) && all[1..].iter().all(|id| left.contains(id)), "{all:?} became {left:?}");
    assert_eq!((left.len(), running(&after.live)), (3, 2), "another one starts");
}

#[tokio::test]
async fn a_resource_that_is_gone_is_said_to_be_gone() {
    let Some(cloud) = Cloud::connect("gone").await else { return };
    let actuator = Actuator::new(&cloud.clients);
    let group = unread_group("nobody");
    assert!(matches!(actuator.live(&group).await, Err(PortError::Gone { .. })));
    let queue = unread("q", "q", Live::Queue);
    assert!(matches!(actuator.live(&queue).await, Err(PortError::Rejected { .. })), "nothing is changed on a queue");
}
