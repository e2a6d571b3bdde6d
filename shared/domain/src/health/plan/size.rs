//! How large a fleet or service should be: arithmetic with bounds.
//!
//! `wanted = ⌈serving · level / target⌉`, by the utilization law: twice the servers, half the load on each. Example: 4
//! servers at 96 % with a target of 60 % become ⌈4 · 96 / 60⌉ = ⌈6.4⌉ = 7, expected at 96 · 4 / 7 = 55 %.

use crate::guard::{Limits, Refusal};
use crate::resource::{Live, Resource};
use crate::snapshot::Snapshot;

/// The size as it is and as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Members wanted now.
    pub(super) desired: u32,
    /// Members that serve.
    pub(super) serving: u32,
    /// Smallest size its owner allows.
    pub(super) min: u32,
    /// Largest size its owner allows.
    pub(super) max: u32,
}

/// The room of a fleet or service. `count_max` bounds a service whose owner set no bounds.
///
/// # Errors
/// One sentence when the owner's bounds are not known.
pub(super) fn room(live: &Live, count_max: u32) -> Result<Room, String> {
    match live {
        Live::AutoScalingGroup(fleet) => {
            Ok(Room { desired: fleet.desired, serving: fleet.healthy(), min: fleet.min, max: fleet.max })
        }
        Live::EcsService(service) => {
            if let Some(why) = &service.bounds_missing {
                return Err(Refusal::BoundsUnknown { why: why.to_string() }.to_string());
            }
            let (min, max) = service.bounds.unwrap_or((1, count_max.max(service.desired)));
            Ok(Room { desired: service.desired, serving: service.running, min, max })
        }
        other => Err(format!("a {} has no size", other.kind())),
    }
}

/// The reason of a resize, with a note where a target tracking policy watches over the same size: it may set it again.
/// Such a policy shows by its alarms, which Auto Scaling names after it.
pub(super) fn with_note_on_tracking(snapshot: &Snapshot, server: &Resource, reason: String) -> String {
    let prefix = match &server.live {
        Live::EcsService(service) => format!("TargetTracking-service/{}/{}-Alarm", service.cluster, server.name),
        _ => format!("TargetTracking-{}-Alarm", server.name),
    };
    let alarms = snapshot.alarms.known().map(Vec::as_slice).unwrap_or_default();
    if alarms.iter().any(|alarm| alarm.name.starts_with(&prefix)) {
        return format!("{reason}; a target tracking policy of {} may set it again", server.name);
    }
    reason
}

/// The size to set, or one sentence why the size stays.
///
/// # Errors
/// The sentence.
pub(super) fn grown(room: Room, wanted: f64, limits: &Limits) -> Result<u32, String> {
    if room.serving == 0 {
        return Err("no member serves, so there is nothing to compute a size from".to_owned());
    }
    if !wanted.is_finite() || wanted <= f64::from(room.desired) {
        return Err(format!("{} are wanted already and {wanted:.0} would do; {} serve", room.desired, room.serving));
    }
    if room.desired >= room.max {
        return Err(format!("{} is the owner's maximum; {wanted:.0} would be needed", room.max));
    }
    // One step of one member is always allowed, or a fleet of one could never grow.
    let step = floor(f64::from(room.desired) * limits.step_factor_max).max(room.desired.saturating_add(1));
    Ok(ceil(wanted).min(step).clamp(room.min, room.max))
}

/// Rounds up to a count; the guard on `wanted` makes the cast safe.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32 before")]
fn ceil(value: f64) -> u32 {
    // A hair under the next whole number is that number: 4 · 75 / 60 must not become 6 by rounding errors.
    (value - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32 before")]
fn floor(value: f64) -> u32 {
    value.floor().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(desired: u32, serving: u32) -> Room {
        Room { desired, serving, min: 1, max: 10 }
    }

    #[test]
    fn grows_to_the_size_that_carries_the_load_within_bounds_and_step() {
        let limits = Limits::default();
        for (room_now, wanted, size) in [
            (room(4, 4), 6.4, Ok(7)),
            (room(4, 4), 5.000_000_000_1, Ok(5)),
            (room(4, 4), 30.0, Ok(8)),
            (room(1, 1), 5.0, Ok(2)),
            (room(8, 8), 14.0, Ok(10)),
        ] {
            assert_eq!(grown(room_now, wanted, &limits), size, "{room_now:?} {wanted}");
        }
    }

    #[test]
    fn stays_when_enough_is_wanted_already_or_the_owner_allows_no_more() {
        let limits = Limits::default();
        assert!(grown(room(7, 4), 6.4, &limits).unwrap_err().contains("7 are wanted already"));
        assert!(grown(room(10, 10), 12.0, &limits).unwrap_err().contains("owner's maximum"));
        assert!(grown(room(4, 0), 6.0, &limits).is_err());
        assert!(grown(room(4, 4), f64::NAN, &limits).is_err());
    }
}
