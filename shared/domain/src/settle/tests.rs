//! Each kind of change: happened, never happened, superseded, and where it can't be told.

use super::*;
use crate::resource::{Cache, Service, Task};
use jiff::{SignedDuration, Timestamp};

const EARLIER: Timestamp = Timestamp::constant(1_767_225_600, 0);

fn fleet(desired: u32) -> Fleet {
    let instance = |number| Instance {
        id: format!("i-{number}"),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: None,
    };
    Fleet {
        min: 1,
        max: 9,
        desired,
        instances: (1..=desired).map(instance).collect(),
        refresh_in_progress: false,
        last_refresh_at: Some(EARLIER),
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    }
}

fn group(desired: u32) -> Live {
    Live::AutoScalingGroup(fleet(desired))
}

fn task(number: u32) -> Task {
    Task { id: format!("t-{number}"), started_at: Some(EARLIER) }
}

fn tasks(desired: u32) -> Service {
    Service {
        cluster: "shop".into(),
        desired,
        running: desired,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: None,
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: Observed::Known((1..=desired).map(task).collect()),
    }
}

fn resize(desired: u32) -> Action {
    Action::SetFleetCapacity { group: "web".into(), desired }
}

#[test]
fn a_size_tells_all_four_ways() {
    assert_eq!(effect(&resize(4), &group(2), &group(4)), Effect::Happened);
    assert_eq!(effect(&resize(4), &group(2), &group(2)), Effect::NeverHappened);
    let Effect::Superseded(difference) = effect(&resize(4), &group(2), &group(7)) else { panic!() };
    assert_eq!(difference.to_string(), "it had set 4, now there is 7");
    let Effect::Superseded(difference) = effect(&resize(4), &group(2), &Live::Queue) else { panic!() };
    assert_eq!(difference.found, "a queue");
}

#[test]
fn a_task_count_is_compared_by_what_is_wanted_and_not_by_what_runs() {
    let action = Action::SetServiceCount { cluster: "shop".into(), service: "worker".into(), desired: 5 };
    let starting = Live::EcsService(Service { running: 3, ..tasks(5) });
    assert_eq!(effect(&action, &Live::EcsService(tasks(3)), &starting), Effect::Happened);
}

#[test]
fn an_instance_is_replaced_once_it_has_left_or_is_leaving() {
    let action = Action::ReplaceInstance { group: "web".into(), instance: "i-1".into() };
    let mut now = fleet(3);
    assert_eq!(effect(&action, &group(3), &group(3)), Effect::NeverHappened);
    now.instances[0].in_service = false;
    assert_eq!(effect(&action, &group(3), &Live::AutoScalingGroup(now.clone())), Effect::Happened);
    let prior = Live::AutoScalingGroup(now.clone());
    assert_eq!(effect(&action, &prior, &prior), Effect::CannotTell, "it was out of service before");
    now.instances.remove(0);
    assert_eq!(effect(&action, &group(3), &Live::AutoScalingGroup(now)), Effect::Happened);
}

#[test]
fn a_task_is_replaced_once_it_has_left_its_service() {
    let action = Action::ReplaceTask { cluster: "shop".into(), service: "worker".into(), task: "t-2".into() };
    let prior = Live::EcsService(tasks(3));
    assert_eq!(effect(&action, &prior, &prior), Effect::NeverHappened);
    let left = Service { tasks: Observed::Known(vec![task(1), task(3), task(4)]), ..tasks(3) };
    assert_eq!(effect(&action, &prior, &Live::EcsService(left)), Effect::Happened);
    let unread = Service { tasks: Observed::Missing(crate::observed::Missing::Throttled), ..tasks(3) };
    assert_eq!(effect(&action, &prior, &Live::EcsService(unread)), Effect::CannotTell);
    assert_eq!(standing(&action, &prior, &prior), Standing::NotUndoable);
    assert_eq!(before_in_words(&action, &prior), "t-2 running, 3 of 3 tasks running");
}

#[test]
fn a_refresh_shows_by_a_newer_start_than_the_captured_one() {
    let action = Action::RefreshFleet { group: "web".into() };
    assert_eq!(effect(&action, &group(3), &group(3)), Effect::NeverHappened);
    let newer = Fleet { last_refresh_at: Some(EARLIER + SignedDuration::from_secs(1)), ..fleet(3) };
    assert_eq!(effect(&action, &group(3), &Live::AutoScalingGroup(newer)), Effect::Happened);
    let running = Fleet { refresh_in_progress: true, ..fleet(3) };
    assert_eq!(effect(&action, &group(3), &Live::AutoScalingGroup(running)), Effect::Happened);
}

#[test]
fn a_deployment_shows_by_a_newer_one_than_the_captured_one() {
    let action = Action::RedeployService { cluster: "shop".into(), service: "worker".into() };
    let prior = Live::EcsService(tasks(2));
    assert_eq!(effect(&action, &prior, &prior), Effect::NeverHappened);
    let newer = Live::EcsService(Service { last_deployment_at: Some(EARLIER), ..tasks(2) });
    assert_eq!(effect(&action, &prior, &newer), Effect::Happened);
}

#[test]
fn a_cleared_cache_leaves_no_trace() {
    let cache = Live::Cache(Cache { engine: "redis".into(), host: "h".into(), port: 1, tls: false, nodes: Vec::new() });
    let action = Action::FlushCache { cache: "pages".into() };
    assert_eq!(effect(&action, &cache, &cache), Effect::CannotTell);
    let action = Action::InvalidateCdn { distribution: "E1".into() };
    assert_eq!(effect(&action, &Live::Distribution, &Live::Distribution), Effect::CannotTell);
}

#[test]
fn only_a_size_can_be_put_back() {
    assert_eq!(standing(&resize(4), &group(2), &group(4)), Standing::AsChanged);
    assert_eq!(standing(&resize(4), &group(2), &group(2)), Standing::AsPrior);
    assert!(matches!(standing(&resize(4), &group(2), &group(3)), Standing::Other(_)));
    let action = Action::RefreshFleet { group: "web".into() };
    assert_eq!(standing(&action, &group(2), &group(2)), Standing::NotUndoable);
}

#[test]
fn every_kind_has_words_for_before_and_after() {
    let action = Action::ReplaceInstance { group: "web".into(), instance: "i-1".into() };
    assert_eq!(before_in_words(&action, &group(2)), "i-1 in service");
    assert_eq!(after_in_words(&action), "i-1 terminated, the group launches another");
    assert_eq!(before_in_words(&resize(4), &group(2)), "2");
    assert_eq!(after_in_words(&resize(4)), "4");
    assert_eq!(before_in_words(&Action::RefreshFleet { group: "web".into() }, &group(2)), "2 of 2 instances healthy");
}

fn disk(edit: impl FnOnce(&mut crate::resource::Volume)) -> Live {
    let mut volume = crate::resource::Volume {
        volume_type: "gp2".to_owned(),
        size_gib: 500,
        iops: Some(1_500),
        throughput_mibps: None,
        attached_to: Vec::new(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    };
    edit(&mut volume);
    Live::Volume(volume)
}

/// Values that are no numbers are compared like sizes: as set, as before, or somebody else's.
#[test]
fn values_of_disks_and_logs_are_compared_before_anything_is_undone() {
    let day = |days: i64| jiff::Timestamp::from_second(days * 86_400).unwrap();
    let (volume, volume_type) = ("v".to_owned(), "gp3".to_owned());
    let gp3 = Action::SetVolumeType { volume, volume_type, iops: 3_000, throughput_mibps: 125 };
    let as_gp3 = |iops| {
        disk(|disk| {
            disk.volume_type = "gp3".to_owned();
            (disk.iops, disk.throughput_mibps) = (Some(iops), Some(125));
        })
    };
    let mark = Action::MarkForDeletion { arn: "v".to_owned(), delete_after: day(20_000) };
    let marked = |days| disk(|disk| disk.delete_after = Some(day(days)));
    let copy = Action::SnapshotVolume { volume: "v".to_owned() };
    let snapshot = crate::resource::FinalSnapshot { id: "s".to_owned(), is_complete: false };
    let copied = disk(|disk| disk.final_snapshot = Some(snapshot));
    for (action, done, other) in [
        (&gp3, as_gp3(3_000), Some(as_gp3(4_000))),
        (&mark, marked(20_000), Some(marked(20_001))),
        (&copy, copied, None),
    ] {
        let prior = disk(|_| ());
        assert_eq!(
            (standing(action, &prior, &done), effect(action, &prior, &done)),
            (Standing::AsChanged, Effect::Happened)
        );
        assert_eq!(
            (standing(action, &prior, &prior), effect(action, &prior, &prior)),
            (Standing::AsPrior, Effect::NeverHappened)
        );
        if let Some(other) = other {
            assert!(matches!(standing(action, &prior, &other), Standing::Other(_)), "{action}");
        }
    }
    let delete = Action::DeleteVolume { volume: "v".to_owned() };
    let prior = disk(|_| ());
    assert_eq!(effect(&delete, &prior, &prior), Effect::NeverHappened, "it is still there");
    assert_eq!(standing(&delete, &prior, &prior), Standing::NotUndoable);
}
