//! Off hours of a fleet: made by one change, carried out by the clock, taken back at night.

use crate::Cloud;
use crate::actuator::{apply, change, fleet, group_where, unread_group};
use domain::change::Action;
use domain::resource::{OffHours, Sizes};
use domain::settle::{self, Effect, Standing};
use engine::ports::Actuator as _;

/// It stops with the next minute, and starts next year.
fn from_now_on(on: Sizes) -> Box<OffHours> {
    let (stop, start) = ("* * * * *".to_owned(), "0 0 1 1 0".to_owned());
    Box::new(OffHours { time_zone: "Europe/Berlin".to_owned(), stop, start, on })
}

#[tokio::test]
async fn a_fleet_goes_off_by_the_clock_and_comes_back_when_its_schedule_is_taken_back() {
    let Some(cloud) = Cloud::connect("off hours").await else { return };
    let (shop, actuator) = (cloud.shop().await, cloud.cost_actuator());
    let before = actuator.live(&unread_group(&shop.group)).await.unwrap();
    assert_eq!(fleet(&before).scheduled.known().map(Vec::len), Some(0), "read with the state: {before:?}");
    let on = Sizes { min: fleet(&before).min, desired: fleet(&before).desired };
    let action = Action::SetFleetSchedule { group: shop.group.clone(), off_hours: from_now_on(on) };
    let switch_off = change(action.clone(), &before);
    apply(&cloud, &actuator, &switch_off, &before.live).await.unwrap();
    let off = group_where(&actuator, &before, |fleet| fleet.desired == 0).await;
    assert_eq!(fleet(&off).min, 0);
    assert_eq!(settle::effect(&action, &before.live, &off.live), Effect::Happened, "{off:?}");
    assert_eq!(settle::standing(&action, &before.live, &off.live), Standing::AsChanged, "its sizes are none of it");
    actuator.restore(&switch_off, &before.live).await.unwrap();
    let back = group_where(&actuator, &before, |fleet| fleet.desired == on.desired && fleet.min == on.min).await;
    assert_eq!(settle::standing(&action, &before.live, &back.live), Standing::AsPrior);
    // Twice is once: there is nothing left to delete.
    actuator.restore(&switch_off, &before.live).await.unwrap();
}

#[tokio::test]
async fn what_the_service_refuses_leaves_no_stop_without_a_start() {
    let Some(cloud) = Cloud::connect("off hours refused").await else { return };
    let (shop, actuator) = (cloud.shop().await, cloud.cost_actuator());
    let before = actuator.live(&unread_group(&shop.group)).await.unwrap();
    let on = Sizes { min: fleet(&before).min, desired: fleet(&before).desired };
    let broken = OffHours { start: "0 7 * * mondays".to_owned(), stop: "0 20 * * 1-5".to_owned(), ..*from_now_on(on) };
    let action = Action::SetFleetSchedule { group: shop.group.clone(), off_hours: Box::new(broken) };
    let refused = apply(&cloud, &actuator, &change(action, &before), &before.live).await.unwrap_err();
    assert!(refused.to_string().contains("maintainer-off-hours-start: Given recurrence string"), "{refused}");
    let after = actuator.live(&before).await.unwrap();
    assert_eq!(fleet(&after).scheduled.known().map(Vec::len), Some(0), "{after:?}");
}
