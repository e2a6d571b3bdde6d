//! Guards on a schedule for when a fleet is off: nobody else has one, and its sizes are those that the schedule brings back.

use super::Refusal;
use super::scope::busy;
use crate::observed::Observed;
use crate::resource::{Fleet, OffHours, Sizes};

/// What speaks against giving a fleet these off hours.
pub(super) fn scope(fleet: &Fleet, wanted: &OffHours) -> Result<(), Refusal> {
    busy(fleet.refresh_in_progress, "an instance refresh")?;
    // Its owner lets no member be taken for being too many.
    if fleet.instances.iter().any(|member| member.protected) {
        return Err(Refusal::Protected);
    }
    let scheduled = match &fleet.scheduled {
        Observed::Known(scheduled) => scheduled,
        Observed::Missing(why) => return Err(Refusal::BoundsUnknown { why: format!("its scheduled actions: {why}") }),
    };
    if let Some(other) = scheduled.iter().find(|action| !action.is_ours()) {
        return Err(Refusal::OtherSchedule { name: other.name.clone() });
    }
    if !scheduled.is_empty() {
        return Err(Refusal::NothingToDo { why: "it has off hours already".to_owned() });
    }
    let now = Sizes { min: fleet.min, desired: fleet.desired };
    if now != wanted.on {
        let why = format!(
            "its size is {} and at least {}, the schedule would bring {} and at least {} back",
            now.desired, now.min, wanted.on.desired, wanted.on.min
        );
        return Err(Refusal::NothingToDo { why });
    }
    if now.desired == 0 {
        return Err(Refusal::NothingToDo { why: "its size is 0, so there is nothing to switch off".to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Missing;
    use crate::resource::{Instance, ScheduledAction};

    fn wanted() -> OffHours {
        let (stop, start) = ("0 20 * * 1-5".to_owned(), "0 7 * * 1-5".to_owned());
        OffHours { time_zone: "Europe/Berlin".to_owned(), stop, start, on: Sizes { min: 1, desired: 2 } }
    }

    fn fleet(scheduled: &[ScheduledAction]) -> Fleet {
        Fleet {
            min: 1,
            max: 4,
            desired: 2,
            instances: Vec::new(),
            refresh_in_progress: false,
            last_refresh_at: None,
            target_groups: Vec::new(),
            scheduled: Observed::Known(scheduled.to_vec()),
        }
    }

    #[test]
    fn a_fleet_gets_off_hours_when_nobody_else_sets_its_size_by_the_clock() {
        let of = |fleet: Fleet| scope(&fleet, &wanted());
        assert_eq!(of(fleet(&[])), Ok(()));
        let [stop, start] = wanted().actions();
        let other = ScheduledAction { name: "monday".to_owned(), ..stop.clone() };
        assert_eq!(of(fleet(&[stop.clone(), other])), Err(Refusal::OtherSchedule { name: "monday".to_owned() }));
        assert!(matches!(of(fleet(&[stop, start])), Err(Refusal::NothingToDo { .. })));
        let unread = Fleet { scheduled: Observed::Missing(Missing::Throttled), ..fleet(&[]) };
        let refused = of(unread).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the owner's bounds could not be read (its scheduled actions: throttled by the service), so the size stays"
        );
    }

    #[test]
    fn the_sizes_that_come_back_are_those_of_now_and_no_member_is_protected() {
        let of = |fleet: Fleet| scope(&fleet, &wanted());
        assert!(matches!(of(Fleet { desired: 3, ..fleet(&[]) }), Err(Refusal::NothingToDo { .. })));
        assert!(matches!(of(Fleet { min: 2, ..fleet(&[]) }), Err(Refusal::NothingToDo { .. })));
        assert!(matches!(of(Fleet { refresh_in_progress: true, ..fleet(&[]) }), Err(Refusal::Busy { .. })));
        let member =
            Instance { id: "i-1".to_owned(), in_service: true, healthy: true, protected: true, instance_type: None };
        assert_eq!(of(Fleet { instances: vec![member], ..fleet(&[]) }), Err(Refusal::Protected));
        let off = OffHours { on: Sizes { min: 0, desired: 0 }, ..wanted() };
        assert!(scope(&Fleet { min: 0, desired: 0, ..fleet(&[]) }, &off).is_err(), "it is off");
    }
}
