//! Shapes of load over a history, by the clock of the place where it runs.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::place::Place;
use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Day of the week, Monday 0, and hour of the day, of each hour of a history.
pub(super) type Clock = Vec<(i8, i8)>;

/// The clock of the Region of a draft.
pub(super) fn clock(made: &Made, draft: &Draft) -> Clock {
    let place = Place::of_arn(draft.item.resource.id.as_str()).expect("an ARN");
    let zone = match place.region.as_str() {
        "eu-central-1" => "Europe/Berlin",
        "us-east-1" => "America/New_York",
        "ap-southeast-2" => "Australia/Sydney",
        "ap-south-1" => "Asia/Kolkata",
        "us-west-2" => "America/Los_Angeles",
        other => panic!("{other}"),
    };
    let zone = TimeZone::get(zone).expect("a zone");
    let start: Timestamp = made.now - SignedDuration::from_hours(HOURS);
    let at = |hour| zone.to_datetime(start + SignedDuration::from_hours(hour));
    (0..HOURS).map(at).map(|at| (at.weekday().to_monday_zero_offset(), at.hour())).collect()
}

/// A level that moves a little, up to a peak that it reaches.
pub(super) fn flat(rng: &mut Rng, peak: f64) -> impl FnMut(i64) -> Option<f64> + use<> {
    let mut rng = rng.fork();
    move |hour| Some(if hour == HOURS / 2 { peak } else { peak * (0.5 + 0.5 * rng.f64()) })
}

/// High while `is_busy` says so, else low; both move a little.
pub(super) fn shaped<F: Fn(i8, i8) -> bool>(
    rng: &mut Rng,
    clock: Clock,
    (high, low): (f64, f64),
    is_busy: F,
) -> impl FnMut(i64) -> Option<f64> + use<F> {
    let mut rng = rng.fork();
    move |hour| {
        let (day, hour) = clock[usize::try_from(hour).expect("an hour of the history")];
        let level = if is_busy(day, hour) { high } else { low };
        Some(level * (0.9 + 0.1 * rng.f64()))
    }
}

impl Draft {
    /// With a CPU and a memory that move a little below their peaks.
    pub(super) fn loaded(self, made: &mut Made, cpu: f64, memory: f64) -> Self {
        let (cpu, memory) = (flat(&mut made.rng, cpu), flat(&mut made.rng, memory));
        self.history(made, Quantity::CpuPct, cpu).history(made, Quantity::MemoryPct, memory)
    }

    /// With a CPU that is high while `is_busy` says so, else low.
    pub(super) fn busy(self, made: &mut Made, levels: (f64, f64), is_busy: impl Fn(i8, i8) -> bool) -> Self {
        let clock = clock(made, &self);
        let cpu = shaped(&mut made.rng, clock, levels, is_busy);
        self.history(made, Quantity::CpuPct, cpu)
    }

    /// With a memory that moves a little below this peak.
    pub(super) fn memory(self, made: &mut Made, peak: f64) -> Self {
        let memory = flat(&mut made.rng, peak);
        self.history(made, Quantity::MemoryPct, memory)
    }
}
