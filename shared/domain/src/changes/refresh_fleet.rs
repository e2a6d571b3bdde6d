//! Restarts a fleet: an instance refresh replaces its instances in turn and keeps the rest serving.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;
use crate::resource::Fleet;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::RefreshFleet,
    name: "refresh_fleet",
    risk: Risk::Medium,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:StartInstanceRefresh",
    ],
    settle_s: 600,
    when_inconclusive: WhenInconclusive::Keep,
};

/// Most that a refresh adds to a fleet, in per cent: a fleet of fewer than twenty goes one by one.
const EXTRA_MAX_PCT: u64 = 10;

/// How a refresh goes about it, in per cent of the wanted capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Share that stays in service.
    pub min_healthy_pct: u32,
    /// Share that may be there at a time.
    pub max_healthy_pct: u32,
}

impl Pace {
    /// The pace for a fleet: a successor serves before its predecessor goes, as far as the owner's maximum has room for one
    /// more; at the maximum one instance leaves first.
    ///
    /// AWS launches first whenever both bounds leave no other way, also beyond the maximum, so a fleet at its maximum needs
    /// a lower bound that lets one go.
    pub fn of(fleet: &Fleet) -> Self {
        let desired = u64::from(fleet.desired.max(1));
        let room = u64::from(fleet.max.saturating_sub(fleet.desired));
        // Both are at most 200.
        let pct = |value: u64| u32::try_from(value).unwrap_or(100);
        if room == 0 {
            return Self { min_healthy_pct: pct(100 * (desired - 1) / desired), max_healthy_pct: 100 };
        }
        Self { min_healthy_pct: 100, max_healthy_pct: pct(100 + (100 * room / desired).min(EXTRA_MAX_PCT)) }
    }

    /// Instances of this many that are out of service at a time: what stays is rounded up, as AWS does.
    pub fn out(self, desired: u32) -> u32 {
        let stay = (u64::from(desired) * u64::from(self.min_healthy_pct)).div_ceil(100);
        desired.saturating_sub(u32::try_from(stay).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(desired: u32, max: u32) -> (u32, u32, u32) {
        let fleet = Fleet {
            min: 0,
            max,
            desired,
            instances: Vec::new(),
            refresh_in_progress: false,
            last_refresh_at: None,
            scheduled: Fleet::schedules_unread(),
            target_groups: Vec::new(),
        };
        let pace = Pace::of(&fleet);
        (pace.min_healthy_pct, pace.max_healthy_pct, pace.out(desired))
    }

    #[test]
    fn a_successor_comes_first_where_the_owner_allows_one_more() {
        assert_eq!(pace(4, 10), (100, 110, 0));
        assert_eq!(pace(1, 2), (100, 110, 0));
        assert_eq!(pace(50, 51), (100, 102, 0), "no further than the maximum");
        assert_eq!(pace(500, 501), (100, 100, 0), "AWS launches one first, since nothing may go before it");
    }

    #[test]
    fn at_the_maximum_one_goes_first() {
        for desired in 1..=100 {
            assert_eq!(pace(desired, desired).2, 1, "of {desired}");
        }
        assert_eq!(pace(4, 4), (75, 100, 1));
        assert_eq!(pace(3, 2), (66, 100, 1), "a fleet above its maximum does not grow further");
        assert_eq!(pace(0, 0), (0, 100, 0));
    }
}
