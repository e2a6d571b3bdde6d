//! Which minutes of which weeks are read for a verdict, of which signals: few, because each costs.

use super::super::{harm, load, peers};
use crate::change::Change;
use crate::health::derived;
use crate::health::policy::Policy;
use crate::health::view::{View, earlier};
use crate::ids::ResourceId;
use crate::observed::Observed;
use crate::reading::{Reading, measured, readings};
use crate::resource::Resource;
use crate::series::Series;
use crate::snapshot::{HISTORY_S, Snapshot, Week};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeSet;

/// The weeks that are looked at, in days ago. CloudWatch keeps values by the minute for 15 days, so a third one, 21 days ago, is
/// there by five minutes only.
pub const DAYS_AGO: [u32; 2] = [7, 14];
/// Metrics that are read of a week at most: those of one call.
const METRICS_MAX: usize = 500;
/// Seconds before the minutes of a week in which a change of the maintainer makes them unlike others: it was settling.
const DISTURBED_S: i64 = 3_600;

/// What to read of the earlier weeks.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    from: Timestamp,
    to: Timestamp,
    signals: BTreeSet<(String, ResourceId)>,
}

/// The minutes of an earlier week that belong to those of today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minutes {
    /// How many days ago.
    pub days_ago: u32,
    /// How many seconds ago.
    pub shift_s: i64,
    /// Their start.
    pub from: Timestamp,
    /// Their end.
    pub to: Timestamp,
}

impl Ask {
    /// What verdicts on these changes need, each with the time at which it was made, against a snapshot. A plan rests on a
    /// snapshot that is at most so many seconds older. What was made too long ago to be seen in one snapshot is left out;
    /// `None` when nothing is left.
    pub fn of(
        made: &[(&Change, Timestamp)],
        after: &Snapshot,
        policy: &Policy,
        snapshot_age_s_max: u32,
    ) -> Option<Self> {
        let from = |at: Timestamp| earlier(at, i64::from(snapshot_age_s_max) + i64::from(policy.verify_before_s));
        let reaches = |at: Timestamp| after.taken_at.duration_since(from(at)).as_secs() <= i64::from(HISTORY_S);
        let seen: Vec<_> = made.iter().filter(|(_, at)| reaches(*at)).collect();
        let view = View::new(after, policy);
        let signals = seen.iter().flat_map(|(change, _)| signals(change, &view)).collect();
        let from = seen.iter().map(|(_, at)| from(*at)).min()?;
        Some(Self { from, to: after.taken_at, signals })
    }

    /// The metrics to read, in the order of [`readings`].
    pub fn readings<'a>(&self, resources: &'a [Resource]) -> Vec<Reading<'a>> {
        let wanted = |reading: &Reading<'_>| {
            self.signals.iter().any(|(id, resource)| *id == reading.spec.id && *resource == reading.resource.id)
        };
        readings(resources).into_iter().filter(wanted).take(METRICS_MAX).collect()
    }

    /// The same minutes in each earlier week, by the clock on the wall in this time zone.
    pub fn minutes(&self, zone: &TimeZone) -> Vec<Minutes> {
        let of = |days_ago: u32| {
            let then = zone.to_datetime(self.to).checked_sub(i64::from(days_ago).days()).ok()?;
            let then = zone.to_timestamp(then).ok()?;
            let shift_s = self.to.duration_since(then).as_secs();
            Some(Minutes { days_ago, shift_s, from: earlier(self.from, shift_s), to: then })
        };
        DAYS_AGO.into_iter().filter_map(of).collect()
    }
}

impl Minutes {
    /// The week, from the answers to [`Ask::readings`] in their order, and from when the maintainer itself changed or undid
    /// something, and what.
    pub fn week(
        &self,
        readings: &[Reading<'_>],
        answers: Vec<Observed<Series>>,
        changed: &[(Timestamp, String)],
    ) -> Week {
        let from = self.from.checked_sub(SignedDuration::from_secs(DISTURBED_S)).unwrap_or(Timestamp::MIN);
        let disturbed = changed.iter().find(|(at, _)| (from..self.to).contains(at)).map(|(_, what)| what.clone());
        Week { days_ago: self.days_ago, shift_s: self.shift_s, disturbed, measurements: measured(readings, answers) }
    }
}

/// The verifying signal, what users feel, the load that moves them, and the size of what was changed.
fn signals(change: &Change, after: &View<'_>) -> BTreeSet<(String, ResourceId)> {
    let snapshot = after.snapshot;
    let mut wanted: Vec<(&str, &Resource)> = Vec::new();
    if let Some(on) = snapshot.resource(&change.expected.resource).filter(|_| !peers::are_compared(after, change)) {
        wanted.push((change.expected.signal.as_str(), on));
        if load::moves(change.expected.signal.as_str()) {
            wanted.extend(load::sources(snapshot, on).into_iter().map(|(source, signal)| (signal, source)));
        }
    }
    for door in harm::doors(snapshot, change) {
        wanted.extend(harm::signals(door).map(|signal| (signal, door)));
        wanted.extend(load::sources(snapshot, door).into_iter().map(|(source, signal)| (signal, source)));
    }
    if let Some(on) = snapshot.resource(&change.resource) {
        wanted.extend(["fleet_desired", "service_desired"].map(|signal| (signal, on)));
    }
    let made_of = |(signal, on): (&str, &Resource)| -> Vec<(String, ResourceId)> {
        let of = |id: &str| (id.to_owned(), on.id.clone());
        derived::spec(signal)
            .map_or_else(|| vec![of(signal)], |derived| derived.made_of().into_iter().map(of).collect())
    };
    wanted.into_iter().flat_map(made_of).collect()
}
