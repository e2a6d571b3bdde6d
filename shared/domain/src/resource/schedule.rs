//! Scheduled actions of an Auto Scaling group, and the two of them that the maintainer makes: off when nobody works, on before
//! they begin.
//!
//! A scheduled action sets the sizes it names at every time of its recurrence, a Unix cron expression in its time zone. (EC2
//! Auto Scaling User Guide, "Scheduled scaling"; API reference, `ScheduledUpdateGroupAction`.) Pure values; decides nothing but
//! which sizes an undo puts back.

use super::Fleet;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The scheduled action of the maintainer that makes a group small.
pub const STOP: &str = "maintainer-off-hours-stop";
/// The scheduled action of the maintainer that gives it its sizes again.
pub const START: &str = "maintainer-off-hours-start";

/// Sizes of a group: what a scheduled action of the maintainer sets. The largest size stays its owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Smallest size.
    pub min: u32,
    /// Wanted size.
    pub desired: u32,
}

/// A scheduled action, as the service has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledAction {
    /// Its name, one of its kind in its group.
    pub name: String,
    /// Unix cron expression of five fields; `None` for an action that runs once.
    pub recurrence: Option<String>,
    /// Name of the time zone, from the IANA database; `None` is UTC.
    pub time_zone: Option<String>,
    /// Smallest size that it sets.
    pub min: Option<u32>,
    /// Largest size that it sets.
    pub max: Option<u32>,
    /// Wanted size that it sets.
    pub desired: Option<u32>,
}

impl ScheduledAction {
    /// One of the maintainer's two.
    pub fn is_ours(&self) -> bool {
        self.name == STOP || self.name == START
    }
}

impl fmt::Display for ScheduledAction {
    /// `0 at "0 20 * * 1-5" Europe/Berlin, at least 0`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |size: Option<u32>| size.map_or_else(|| "as it is".to_owned(), |size| size.to_string());
        let when = self.recurrence.as_deref().unwrap_or("once");
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        write!(f, "{} at \"{when}\" {zone}, at least {}", size(self.desired), size(self.min))?;
        self.max.map_or(Ok(()), |max| write!(f, ", at most {max}"))
    }
}

/// When a group may be off, and which sizes it has when it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffHours {
    /// Name of the time zone, from the IANA database.
    pub time_zone: String,
    /// Unix cron expression of the times at which it stops.
    pub stop: String,
    /// Unix cron expression of the times at which it starts.
    pub start: String,
    /// Its sizes while it is on.
    pub on: Sizes,
}

/// Sizes while it is off.
const OFF: Sizes = Sizes { min: 0, desired: 0 };

impl OffHours {
    /// The two scheduled actions, always made and deleted together: a stop without a start would be the end of the group.
    pub fn actions(&self) -> [ScheduledAction; 2] {
        let action = |name: &str, recurrence: &str, sizes: Sizes| ScheduledAction {
            name: name.to_owned(),
            recurrence: Some(recurrence.to_owned()),
            time_zone: Some(self.time_zone.clone()),
            min: Some(sizes.min),
            max: None,
            desired: Some(sizes.desired),
        };
        [action(STOP, &self.stop, OFF), action(START, &self.start, self.on)]
    }

    /// The sizes that a group gets back when its schedule ends: those from before the schedule where it is off, and what
    /// somebody has added to that meanwhile stays. `None` where it is on: whoever has resized it since has decided that.
    pub fn sizes_back(&self, before: &Fleet, now: &Fleet) -> Option<Sizes> {
        let is_off =
            now.min == OFF.min && now.desired < self.on.desired && (before.min > 0 || now.desired == OFF.desired);
        is_off.then(|| Sizes { min: before.min, desired: before.desired.max(now.desired).min(now.max) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(min: u32, desired: u32) -> Fleet {
        Fleet {
            min,
            max: 6,
            desired,
            instances: Vec::new(),
            refresh_in_progress: false,
            last_refresh_at: None,
            target_groups: Vec::new(),
            scheduled: Fleet::schedules_unread(),
        }
    }

    fn off_hours() -> OffHours {
        let (stop, start) = ("0 20 * * 1-5".to_owned(), "0 7 * * 1-5".to_owned());
        OffHours { time_zone: "Europe/Berlin".to_owned(), stop, start, on: Sizes { min: 2, desired: 3 } }
    }

    #[test]
    fn a_stop_always_comes_with_its_start() {
        let [stop, start] = off_hours().actions();
        assert_eq!(stop.to_string(), "0 at \"0 20 * * 1-5\" Europe/Berlin, at least 0");
        assert_eq!(start.to_string(), "3 at \"0 7 * * 1-5\" Europe/Berlin, at least 2");
        assert!(stop.is_ours() && start.is_ours() && stop.max.is_none());
    }

    #[test]
    fn what_is_off_gets_its_sizes_back_and_what_is_on_keeps_its_own() {
        let back = |before: Fleet, now: Fleet| off_hours().sizes_back(&before, &now);
        let sizes = |min, desired| Some(Sizes { min, desired });
        assert_eq!(back(fleet(2, 3), fleet(0, 0)), sizes(2, 3), "it is night");
        assert_eq!(back(fleet(2, 3), fleet(0, 1)), sizes(2, 3), "somebody needs one of them at night");
        assert_eq!(back(fleet(2, 3), fleet(0, 5)), None, "somebody has made it larger than by day");
        assert_eq!(back(fleet(2, 3), fleet(2, 3)), None, "it is day");
        assert_eq!(back(fleet(2, 3), fleet(2, 2)), None, "its owner has made it smaller by day");
        assert_eq!(back(fleet(0, 3), fleet(0, 1)), None, "its owner allows 0, and has made it smaller by day");
        assert_eq!(back(fleet(0, 3), fleet(0, 0)), sizes(0, 3));
        assert_eq!(back(fleet(2, 3), Fleet { max: 2, ..fleet(0, 0) }), sizes(2, 2), "never over its owner's bound");
    }
}
