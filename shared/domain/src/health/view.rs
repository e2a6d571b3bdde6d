//! A snapshot indexed for reading: the series and the level of any signal of any resource, derived signals included.
//!
//! Looks things up and averages; judges nothing. What is missing stays missing with its reason. Values that are not
//! numbers are gaps.

use super::derived::{self, Derived};
use super::policy::Policy;
use crate::ids::ResourceId;
use crate::observed::{Missing, Observed};
use crate::resource::Resource;
use crate::series::{Series, mean};
use crate::signals;
use crate::snapshot::{Measurement, Snapshot};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An indexed snapshot.
pub struct View<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// Thresholds.
    pub policy: &'a Policy,
    index: BTreeMap<&'a str, BTreeMap<&'a str, Place<'a>>>,
}

/// The measurements of one signal of one resource, in the order of the snapshot and by member.
#[derive(Default)]
struct Place<'a> {
    all: Vec<&'a Measurement>,
    by_member: BTreeMap<Option<&'a str>, &'a Measurement>,
}

/// Times and values of a series without its gaps, oldest first.
pub type Points = Vec<(Timestamp, f64)>;

impl<'a> View<'a> {
    /// Indexes a snapshot.
    pub fn new(snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let mut index: BTreeMap<_, BTreeMap<_, Place<'a>>> = BTreeMap::new();
        for measurement in &snapshot.measurements {
            let of_resource = index.entry(measurement.resource.as_str()).or_default();
            let place = of_resource.entry(measurement.signal.as_str()).or_default();
            place.all.push(measurement);
            place.by_member.entry(measurement.member.as_deref()).or_insert(measurement);
        }
        Self { snapshot, policy, index }
    }

    /// All measurements of a signal on a resource, members included.
    pub fn measurements(&self, signal: &str, resource: &ResourceId) -> &[&'a Measurement] {
        self.place(signal, resource).map_or(&[], |place| place.all.as_slice())
    }

    /// The measurement of a signal of one member of a resource, or of the resource as a whole.
    pub fn one(&self, signal: &str, resource: &ResourceId, member: Option<&str>) -> Option<&'a Measurement> {
        self.place(signal, resource)?.by_member.get(&member).copied()
    }

    fn place(&self, signal: &str, resource: &ResourceId) -> Option<&Place<'a>> {
        self.index.get(resource.as_str())?.get(signal)
    }

    /// The series of a signal of a resource as a whole. Where it is read per member only (the nodes of a cache), counts
    /// are added up and everything else is the worst member's.
    pub fn series(&self, signal: &str, resource: &Resource) -> Observed<Cow<'a, Series>> {
        if let Some(derived) = derived::spec(signal) {
            return derived.series(self, resource).map(Cow::Owned);
        }
        let all = self.measurements(signal, &resource.id);
        if let Some(whole) = self.one(signal, &resource.id, None) {
            return match &whole.series {
                Observed::Known(series) => Observed::Known(Cow::Borrowed(series)),
                Observed::Missing(reason) => Observed::Missing(reason.clone()),
            };
        }
        let known: Vec<&Series> = all.iter().filter_map(|m| m.series.known()).collect();
        let adds_up = signals::spec(signal).is_some_and(|spec| spec.stat == "Sum");
        match (merge(&known, adds_up), all.first().map(|m| &m.series)) {
            (Some(series), _) => Observed::Known(Cow::Owned(series)),
            (None, Some(Observed::Missing(reason))) => Observed::Missing(reason.clone()),
            (None, _) => Observed::Missing(Missing::NotPublished(format!("{signal} is not measured here"))),
        }
    }

    /// Known series of each member of a resource.
    pub fn members(&self, signal: &str, resource: &ResourceId) -> Vec<(&'a str, &'a Series)> {
        let all = self.measurements(signal, resource).iter();
        all.filter_map(|m| Some((m.member.as_deref()?, m.series.known()?))).collect()
    }

    /// The level of a signal over the observed window.
    pub fn level(&self, signal: &str, resource: &Resource) -> Observed<f64> {
        if let Some(derived) = derived::spec(signal) {
            return derived.level(self, resource);
        }
        match self.series(signal, resource) {
            Observed::Known(series) => self.level_of(signal, &series),
            Observed::Missing(reason) => Observed::Missing(reason),
        }
    }

    /// The level where it is known.
    pub fn known(&self, signal: &str, resource: &Resource) -> Option<f64> {
        self.level(signal, resource).known().copied()
    }

    /// The mean of a series over the observed window. A utilization whose newest value is a little older still counts,
    /// because AWS publishes some of them every five minutes; a symptom must have been seen in the window.
    pub fn level_of(&self, signal: &str, series: &Series) -> Observed<f64> {
        let window = self.window(series);
        let values: Vec<f64> = window.iter().map(|(_, value)| *value).collect();
        if let Some(level) = mean(&values) {
            return Observed::Known(level);
        }
        let now = self.snapshot.taken_at;
        let Some((at, value)) = series.between(Timestamp::MIN, now).filter(|(_, v)| v.is_finite()).last() else {
            return Observed::Missing(Missing::NoData);
        };
        let age_s = u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0);
        let utilization = signals::spec(signal).is_some_and(|spec| matches!(spec.unit, "%" | "bytes"));
        if utilization && age_s <= u64::from(self.policy.stale_after_s) {
            return Observed::Known(value);
        }
        Observed::Missing(Missing::Stale(age_s))
    }

    /// Known points of the observed window.
    pub fn window(&self, series: &Series) -> Points {
        self.since(series, i64::from(self.snapshot.window_s), 0)
    }

    /// Known points from `from_s` to `to_s` seconds before the snapshot.
    pub fn since(&self, series: &Series, from_s: i64, to_s: i64) -> Points {
        let now = self.snapshot.taken_at;
        between(series, earlier(now, from_s), earlier(now, to_s))
    }

    /// The median level before the last `ago_s` seconds: what is usual. `None` with less than 15 points.
    pub fn usual(&self, series: &Series, ago_s: i64) -> Option<f64> {
        let values: Vec<f64> = self.since(series, i64::from(u32::MAX), ago_s).into_iter().map(|(_, v)| v).collect();
        if values.len() < 15 { None } else { stats::robust::median(&values) }
    }

    /// The derived signals of a resource.
    pub fn derived_of(&self, resource: &Resource) -> impl Iterator<Item = &'static Derived> {
        let kind = resource.kind();
        derived::TABLE.iter().filter(move |derived| derived.kind == kind)
    }
}

/// Known points of a series in `[from, to)`, not-a-numbers left out.
pub fn between(series: &Series, from: Timestamp, to: Timestamp) -> Points {
    series.between(from, to).filter(|(_, value)| value.is_finite()).collect()
}

/// A time some seconds before another; saturates at the ends of time.
pub fn earlier(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(if seconds > 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Points where both series are known: time, first value, second value.
pub fn aligned(one: &Series, other: &Series) -> Vec<(Timestamp, f64, f64)> {
    if one.start == other.start && one.period_s == other.period_s {
        let pairs = one.values.iter().zip(&other.values).enumerate();
        return pairs
            .filter_map(|(index, (a, b))| Some((one.time_at(index), (*a)?, (*b)?)))
            .filter(|(_, a, b)| a.is_finite() && b.is_finite())
            .collect();
    }
    let second: BTreeMap<Timestamp, f64> = between(other, Timestamp::MIN, Timestamp::MAX).into_iter().collect();
    let first = between(one, Timestamp::MIN, Timestamp::MAX).into_iter();
    first.filter_map(|(at, a)| second.get(&at).map(|b| (at, a, *b))).collect()
}

/// One series of several on the grid of the first: the sum or the largest of what is known.
fn merge(all: &[&Series], adds_up: bool) -> Option<Series> {
    let first = *all.first()?;
    let mut merged: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for series in all {
        for (at, value) in between(series, Timestamp::MIN, Timestamp::MAX) {
            let entry = merged.entry(at).or_insert(if adds_up { 0.0 } else { f64::NEG_INFINITY });
            *entry = if adds_up { *entry + value } else { entry.max(value) };
        }
    }
    let values = (0..first.values.len()).map(|index| merged.get(&first.time_at(index)).copied()).collect();
    Some(Series { start: first.start, period_s: first.period_s, values })
}
