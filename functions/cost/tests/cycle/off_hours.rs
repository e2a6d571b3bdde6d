//! A test environment that nobody uses at night: it gets off hours, keeps them, and gets its sizes back when a person says so.

use crate::machine::Machine;
use crate::shop::Shop;
use domain::change::ChangeKind;
use domain::execution::Status;
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::resource::{APP_TAG, Fleet, Live};
use engine::ports::EntryState;
use maintainer_cost::identify::Decided;
use serde_json::json;
use testkit::build;

const FLEET: &str = "asg/qa-web";

/// A shop with a fleet of two, busy on weekdays from eight to six, idle else.
fn shop() -> Shop {
    let shop = Shop::auto();
    let mut qa = build::fleet("qa-web", 2);
    qa.tags.extend([(APP_TAG.to_owned(), "shop".to_owned()), ("env".to_owned(), "test".to_owned())]);
    if let Live::AutoScalingGroup(fleet) = &mut qa.live {
        fleet.scheduled = Observed::Known(Vec::new());
    }
    shop.world.add(qa);
    shop.world.publish("AWS/EC2", "CPUUtilization", &[("AutoScalingGroupName", "qa-web")], |at, _| {
        let hours = at.as_second().div_euclid(3_600);
        // The epoch was a Thursday.
        let (day, hour) = ((hours.div_euclid(24) + 3).rem_euclid(7), hours.rem_euclid(24));
        Some(if day < 5 && (8..18).contains(&hour) { 60.0 } else { 3.0 })
    });
    shop
}

fn fleet(shop: &Shop) -> Fleet {
    match shop.world.resource(&ResourceId::from(FLEET)).unwrap().live {
        Live::AutoScalingGroup(fleet) => fleet,
        other => panic!("{other:?}"),
    }
}

fn scheduled(shop: &Shop) -> Vec<String> {
    fleet(shop).scheduled.known().unwrap().iter().map(ToString::to_string).collect()
}

/// The clock of the service comes to the stop.
fn night_falls(shop: &Shop) {
    shop.world.edit(&ResourceId::from(FLEET), |resource| {
        if let Live::AutoScalingGroup(fleet) = &mut resource.live {
            (fleet.min, fleet.desired) = (0, 0);
            fleet.instances.clear();
        }
    });
}

fn run(shop: &Shop, name: &'static str) {
    let ended = Machine::cost(shop, name).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Saved", "{:?}", ended.path);
}

#[test]
fn a_test_environment_gets_off_hours_in_a_later_phase_and_keeps_them() {
    let shop = shop();
    run(&shop, "cost-1");
    assert_eq!(
        scheduled(&shop),
        ["0 at \"0 19 * * 1-5\" Etc/UTC, at least 0", "2 at \"0 7 * * 1-5\" Etc/UTC, at least 1"]
    );
    let record = shop.record("cost-1");
    let kinds: Vec<_> = shop.world.journal().iter().map(|entry| entry.change.action.kind()).collect();
    assert_eq!(
        (record.status, kinds),
        (Status::Completed, vec![ChangeKind::SetVolumeType, ChangeKind::SetFleetSchedule])
    );
    let entry = shop.world.journal().pop().unwrap();
    assert_eq!(entry.state, EntryState::Kept, "{:?}", entry.outcome);
    shop.assert_sound("off hours");
    shop.pass_days(7);
    run(&shop, "cost-2");
    assert_eq!(shop.world.journal().len(), 2, "it has them");
}

#[test]
fn a_rollback_by_night_brings_the_sizes_back_before_the_schedule_goes() {
    let shop = shop();
    run(&shop, "cost-1");
    night_falls(&shop);
    let ended = Machine::rollback(&shop, "back-1").run(json!({"execution_id": "cost-1"}));
    assert_eq!(ended.state, "RolledBack", "{:?}", ended.path);
    let back = fleet(&shop);
    assert_eq!((back.min, back.desired, back.instances.len(), scheduled(&shop).len()), (1, 2, 2, 0));
    shop.assert_sound("rolled back");
}

#[test]
fn off_hours_that_somebody_has_deleted_are_not_made_again() {
    let shop = shop();
    run(&shop, "cost-1");
    shop.world.edit(&ResourceId::from(FLEET), |resource| {
        if let Live::AutoScalingGroup(fleet) = &mut resource.live {
            fleet.scheduled = Observed::Known(Vec::new());
        }
    });
    shop.pass_days(14);
    run(&shop, "cost-2");
    assert_eq!(scheduled(&shop).len(), 0);
    let decided: Decided = shop.document("cost-2", 1, "analysis");
    let line = decided.plan.passed_over.iter().find(|line| line.resource.as_str() == FLEET).unwrap();
    assert!(line.reason.contains("somebody has deleted them"), "{}", line.reason);
}
