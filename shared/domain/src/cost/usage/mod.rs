//! How much of a resource is used: up to 30 days of one quantity, by percentiles.
//!
//! Means hide peaks, so no claim of load rests on one. A quantity that was read and has no datapoint is known to have none; one that could
//! not be read is missing, and a rule that needs it makes no claim.

mod dimensions;
mod needed;
mod sources;
mod week;

pub use dimensions::dimensions;
pub use needed::{is_low, is_needed, waits_for_cpu};
pub use sources::{SOURCES, Source};
pub use week::Week;

use crate::ids::ResourceId;
use crate::observed::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Days of history that are read.
pub const HISTORY_DAYS: u32 = 30;
/// Length of a period in seconds: one hour, so 720 values at most.
pub const PERIOD_S: u32 = 3_600;
/// Hours of a week.
pub const WEEK_H: usize = 168;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// CPU in per cent, the hour's maximum.
    CpuPct,
    /// Memory in per cent, the hour's maximum, where the CloudWatch agent or the service publishes it.
    MemoryPct,
    /// Bytes in and out, the hour's sum.
    NetworkBytes,
    /// Read and write operations of a volume, the hour's sum.
    DiskOps,
    /// Read and write operations of a volume in a minute, the hour's maximum of each, where it is on a Nitro instance.
    BusiestOps,
    /// Whether a volume was asked for more operations than it has in some minute of the hour: 1 or 0.
    OpsExceeded,
    /// Bytes read from and written to a volume in a minute, the hour's maximum of each, where it is on a Nitro instance.
    BusiestBytes,
    /// Whether a volume was asked for more throughput than it has in some minute of the hour: 1 or 0.
    BytesExceeded,
    /// What a load balancer served, the hour's sum: requests, its own answers among them, or new flows.
    Requests,
    /// Bytes that a load balancer passed, the hour's sum.
    BalancerBytes,
    /// Bytes through a NAT gateway, the hour's sum.
    NatBytes,
    /// Bytes that came into a NAT gateway from both sides, the hour's sum: what its processing is paid by.
    NatProcessed,
    /// Bytes through an interface endpoint both ways, the hour's sum; an hour without any has no value.
    EndpointBytes,
    /// Bytes that came into a log group, the hour's sum.
    LogBytes,
    /// Connections of clients to a database, a cache or a warehouse, the hour's maximum.
    Connections,
    /// Queries of less than ten seconds that a warehouse completed in a second, the hour's maximum.
    Queries,
    /// Searches of a search domain in a minute, counted by shards, the hour's maximum.
    Searches,
    /// Index operations of a search domain in a minute, the hour's maximum.
    Indexings,
    /// Commands to a cache that read, write, run a script or publish, the hour's sum.
    Commands,
    /// Request units of reads that a table consumed, the hour's sum; an hour without any has no value.
    ReadUnits,
    /// Request units of writes that a table consumed, the hour's sum; an hour without any has no value.
    WriteUnits,
    /// Capacity units for reads that a table has provisioned, the hour's mean.
    ReadCapacity,
    /// Capacity units for writes that a table has provisioned, the hour's mean.
    WriteCapacity,
    /// Memory of a database that is free or could be freed, in bytes, the hour's minimum.
    FreeableBytes,
    /// Bytes of the objects of a bucket in the standard class, once a day.
    ObjectBytes,
    /// Objects of a bucket, once a day.
    Objects,
    /// Bytes that were read from a bucket, the hour's sum; an hour without any has no value.
    DownloadedBytes,
    /// Invocations of a function, the hour's sum; an hour without any has no value.
    Invocations,
    /// The longest invocation of a function, in milliseconds, the hour's maximum.
    LongestMs,
    /// What all invocations of a function lasted, in milliseconds, the hour's sum.
    BusyMs,
    /// Memory that a function used, in MB, the hour's maximum, where Lambda Insights measures it.
    UsedMb,
    /// Memory that a function was given, in MB, the hour's maximum, where Lambda Insights measures it.
    GivenMb,
    /// Processor time of a function, in milliseconds, the hour's sum, where Lambda Insights measures it.
    CpuMs,
}

/// One quantity of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Resource.
    pub resource: ResourceId,
    /// Quantity.
    pub quantity: Quantity,
    /// Its history, or why it could not be read.
    pub profile: Observed<Profile>,
}

/// A history of hourly values, in the unit of its quantity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Hours that were asked for.
    pub asked_h: u32,
    /// Hours with a value.
    pub known_h: u32,
    /// The first hour with a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// The last hour with a value.
    pub last_at: Option<Timestamp>,
    /// Median; 0 where nothing is known, which [`Profile::known_h`] tells.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
    /// Smallest value.
    #[serde(default)]
    pub min: f64,
    /// Sum of all values: what is paid by use costs by this.
    #[serde(default)]
    pub sum: f64,
    /// Largest value of each hour of the week.
    pub week: Week,
}

impl Profile {
    /// Days that the known hours make up.
    pub fn known_days(&self) -> f64 {
        f64::from(self.known_h) / 24.0
    }

    /// From hourly values that begin at `start`. Gaps are none; percentiles are those of the values that are there, by nearest rank.
    pub fn of(start: Timestamp, hourly: &[Option<f64>]) -> Self {
        let mut known: Vec<f64> = hourly.iter().flatten().copied().filter(|value| value.is_finite()).collect();
        let sum = known.iter().sum();
        let (mut week, mut hour_of_week) = (Week::default(), hour_of_week(start));
        for value in hourly {
            if let Some(value) = value {
                week.take(hour_of_week, *value);
            }
            hour_of_week = (hour_of_week + 1) % WEEK_H;
        }
        let at = |hour: Option<usize>| {
            let hours = i64::try_from(hour?).ok()?;
            start.checked_add(jiff::SignedDuration::from_hours(hours)).ok()
        };
        let [max, p99, p95, p50, min] = ranks(&mut known, [100, 99, 95, 50, 0]);
        Self {
            asked_h: count(hourly.len()),
            known_h: count(known.len()),
            first_at: at(hourly.iter().position(Option::is_some)),
            last_at: at(hourly.iter().rposition(Option::is_some)),
            p50,
            p95,
            p99,
            max,
            min,
            sum,
            week,
        }
    }
}

/// Hours since Monday 00:00 UTC.
fn hour_of_week(at: Timestamp) -> usize {
    // 1970-01-01 was a Thursday.
    let hours = at.as_second().div_euclid(3_600) + 3 * 24;
    usize::try_from(hours.rem_euclid(168)).unwrap_or(0)
}

/// The values at these ranks, in per cent, by nearest rank; 0 without any. Takes the ranks from the highest down: each is looked for only
/// among what lies below the one before, which is a quarter of the work of sorting all.
fn ranks<const N: usize>(values: &mut [f64], falling: [usize; N]) -> [f64; N] {
    let all = values.len();
    let mut below = all;
    falling.map(|pct| {
        let place = (all * pct).div_ceil(100).saturating_sub(1);
        if place < below {
            values[..below].select_nth_unstable_by(place, f64::total_cmp);
            below = place;
        }
        values.get(place).copied().unwrap_or(0.0)
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday, 00:00 UTC.
    const MONDAY: Timestamp = Timestamp::constant(1_767_571_200, 0);

    #[test]
    fn percentiles_are_by_nearest_rank_and_gaps_are_no_values() {
        let hourly: Vec<Option<f64>> = (1..=100).map(|value| Some(f64::from(value))).chain([None, None]).collect();
        let profile = Profile::of(MONDAY, &hourly);
        assert_eq!((profile.asked_h, profile.known_h), (102, 100));
        assert_eq!((profile.p50, profile.p95, profile.p99, profile.max), (50.0, 95.0, 99.0, 100.0));
        assert_eq!(profile.last_at, Some(MONDAY + jiff::SignedDuration::from_hours(99)));
        let mut mixed = hourly.clone();
        mixed.rotate_left(37);
        mixed.swap(3, 90);
        let mixed = Profile::of(MONDAY, &mixed);
        assert_eq!((mixed.min, mixed.p50, mixed.p95, mixed.p99, mixed.max), (1.0, 50.0, 95.0, 99.0, 100.0));
        let one = Profile::of(MONDAY, &[Some(7.0)]);
        assert_eq!((one.min, one.p50, one.p99, one.max), (7.0, 7.0, 7.0, 7.0));
        let none = Profile::of(MONDAY, &[None, None]);
        assert_eq!((none.asked_h, none.known_h, none.last_at, none.max), (2, 0, None, 0.0));
    }

    #[test]
    fn each_hour_of_the_week_keeps_its_largest_value() {
        let mut hourly = vec![None; 2 * WEEK_H];
        (hourly[3], hourly[WEEK_H + 3], hourly[167]) = (Some(2.0), Some(7.0), Some(1.0));
        let profile = Profile::of(MONDAY, &hourly);
        let week: Vec<Option<f64>> = profile.week.hours().collect();
        assert_eq!((week[3], week[167], week[4]), (Some(7.0), Some(1.0), None));
    }
}
