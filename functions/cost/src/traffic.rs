//! Requests to an application, day by day: what a fleet's size follows.

use domain::cost::request_signals;
use domain::observed::{Missing, Observed};
use domain::reading::readings;
use domain::snapshot::Snapshot;
use engine::ports::Telemetry;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use steps::observe::queries;

const DAY_S: u32 = 86_400;

/// Requests of each day from `from` on to the day before `to`, by UTC; a day of which a part is not known is none, and without any
/// source of requests nothing is.
pub(crate) async fn by_day(snapshot: &Snapshot, from: Date, to: Date, telemetry: &dyn Telemetry) -> Vec<Option<f64>> {
    let mut sources = readings(&snapshot.resources);
    sources.retain(|reading| request_signals().any(|signal| signal == reading.spec.id));
    let start = |day: Date| Offset::UTC.to_timestamp(day.to_datetime(Time::midnight()));
    let (Ok(from), Ok(to)) = (start(from), start(to)) else { return Vec::new() };
    let days = usize::try_from(to.duration_since(from).as_secs() / i64::from(DAY_S)).unwrap_or_default();
    if sources.is_empty() || days == 0 {
        return Vec::new();
    }
    let mut sum: Vec<Option<f64>> = vec![Some(0.0); days];
    for series in telemetry.read(&queries(&sources), from, to, DAY_S).await {
        let values = match series {
            Observed::Known(series) => series.values,
            // A target group that was never asked anything has no datapoint.
            Observed::Missing(Missing::NoData) => continue,
            Observed::Missing(_) => return Vec::new(),
        };
        for (day, value) in sum.iter_mut().zip(values) {
            // AWS publishes no datapoint for a day without a request.
            *day = day.map(|day| day + value.unwrap_or_default());
        }
    }
    sum
}
