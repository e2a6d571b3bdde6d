//! Metrics and alarms from CloudWatch. Reads only; what could not be read is `Missing`, never zero.
//!
//! A call that is refused as too much is repeated here, at the [`pace`] of all calls, and not by the SDK, whose pauses know
//! nothing of the other calls.

mod alarms;
mod answer;
mod grid;
mod pace;
mod repeats;

use crate::SystemClock;
use crate::chances::Chances;
use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::operation::get_metric_data::builders::GetMetricDataFluentBuilder;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode};
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::resource::Resource;
use domain::series::Series;
use domain::snapshot::Alarm;
use engine::ports::{Alarms as AlarmsPort, Clock, MetricQuery, PortError, PortResult, Telemetry as Port};
use futures::StreamExt;
use futures::future::BoxFuture;
use grid::Grid;
use jiff::Timestamp;
pub use pace::RECENT_S;
use pace::{Load, Pace};
use repeats::NotTheThrottled;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "tag:GetResources"];

/// Queries that one GetMetricData call takes.
const QUERIES_PER_CALL: usize = 500;
/// Calls under way at once.
const CALLS_AT_ONCE: usize = 10;
/// Pages of one call: 100,800 datapoints each, so more would be a loop.
const PAGES_MAX: u32 = 100;
/// Refused calls of one reading that are split: enough to find some bad queries, few enough when all are bad.
const SPLITS_MAX: u32 = 40;
/// Attempts of a page that is refused as too much, the first included.
const ATTEMPTS_MAX: u32 = 4;
/// What has not had its turn after this time is given up as throttled: the rest of the function's time-out is for what
/// comes after the reading.
pub const READING_MAX: Duration = Duration::from_secs(60);
const ACTION: &str = "cloudwatch:GetMetricData";

/// See [`engine::ports::Telemetry`].
#[derive(Debug)]
pub struct Telemetry {
    cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    tagging: Lazy<aws_sdk_resourcegroupstagging::Client>,
    clock: SystemClock,
    pace: Pace,
    chances: Chances,
    calls: AtomicU64,
}

/// What all calls of one reading have in common.
struct Plan {
    grid: Grid,
    /// Nothing is asked for after this.
    until: Instant,
    /// Refused calls that were split so far.
    splits: AtomicU32,
}

/// A query that is under way.
struct Reading {
    values: Vec<Option<f64>>,
    any: bool,
    status: Option<StatusCode>,
    why: Option<String>,
}

impl Telemetry {
    /// Reads the CloudWatch of the account and Region of these clients.
    pub fn new(clients: &Clients, clock: SystemClock) -> Self {
        Self {
            cloudwatch: clients.cloudwatch(),
            tagging: clients.tagging(),
            clock,
            pace: Pace::default(),
            chances: clients.chances(),
            calls: AtomicU64::new(0),
        }
    }

    /// Calls made to GetMetricData so far, every page counted, repetitions by the SDK not.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Reads up to 500 queries. A call that is refused as invalid is split, so that one bad query does not spoil the
    /// others. One that has failed in every attempt of the SDK gets another chance in two halves, as far as the pace affords it:
    /// what made it fail may be over, or meet a half only.
    fn read_some<'a>(&'a self, queries: &'a [MetricQuery], plan: &'a Plan) -> BoxFuture<'a, Vec<Observed<Series>>> {
        Box::pin(async move {
            match self.read_call(queries, plan).await {
                Ok(series) => series,
                Err(PortError::Rejected { .. })
                    if queries.len() > 1 && plan.splits.fetch_add(1, Ordering::Relaxed) < SPLITS_MAX =>
                {
                    self.read_halves(queries, plan).await
                }
                Err(PortError::Unknown { .. }) if self.pace.affords_another_chance().await => {
                    self.read_halves(queries, plan).await
                }
                Err(error) => queries.iter().map(|_| Observed::Missing(error.missing())).collect(),
            }
        })
    }

    /// The same queries in two calls, one after the other; a single one in one call.
    async fn read_halves(&self, queries: &[MetricQuery], plan: &Plan) -> Vec<Observed<Series>> {
        let (first, second) = queries.split_at(queries.len().div_ceil(2));
        let mut series = self.read_some(first, plan).await;
        if !second.is_empty() {
            series.extend(self.read_some(second, plan).await);
        }
        series
    }

    /// One call with all its pages.
    async fn read_call(&self, queries: &[MetricQuery], plan: &Plan) -> PortResult<Vec<Observed<Series>>> {
        let grid = &plan.grid;
        let request = || {
            let queries = queries.iter().enumerate().map(|(index, query)| data_query(index, query, grid)).collect();
            self.cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(queries))
                .start_time(DateTime::from_secs(grid.start_s))
                .end_time(DateTime::from_secs(grid.end_s()))
                .scan_by(ScanBy::TimestampAscending)
        };
        let mut readings: Vec<Reading> = queries
            .iter()
            .map(|_| Reading { values: vec![None; grid.slots], any: false, status: None, why: None })
            .collect();
        let mut token = None;
        for page in 0..PAGES_MAX {
            // The first page pays for all.
            let datapoints = (page == 0).then_some(queries.len() * grid.slots);
            let output = self.ask(|| request().set_next_token(token.clone()), datapoints, plan).await?;
            for result in output.metric_data_results.unwrap_or_default() {
                let index =
                    result.id.as_deref().and_then(|id| id.strip_prefix('q')).and_then(|id| id.parse::<usize>().ok());
                let Some((reading, query)) = index.and_then(|index| readings.get_mut(index).zip(queries.get(index)))
                else {
                    continue;
                };
                reading.take(result, query.scale, grid);
            }
            token = output.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(readings.into_iter().map(|reading| reading.finish(grid)).collect());
            }
        }
        // The rest never came: what is there so far is a part.
        Ok(queries.iter().map(|_| Observed::Missing(Missing::Partial)).collect())
    }

    /// One page, at its turn; again as long as it is refused as too much and the pace allows. Without `datapoints` it need
    /// not wait for its first turn.
    async fn ask(
        &self,
        request: impl Fn() -> GetMetricDataFluentBuilder,
        datapoints: Option<usize>,
        plan: &Plan,
    ) -> PortResult<GetMetricDataOutput> {
        let age_s = || self.clock.now().as_second() - plan.grid.start_s;
        for attempt in 0..ATTEMPTS_MAX {
            let turn = match datapoints {
                None if attempt == 0 => Some(self.pace.at_once()),
                _ => {
                    let load = || Load { datapoints: datapoints.unwrap_or(0), age_s: age_s() };
                    self.pace.turn(plan.until, load).await
                }
            };
            let Some(turn) = turn else { break };
            self.calls.fetch_add(1, Ordering::Relaxed);
            let settings = aws_sdk_cloudwatch::config::Builder::new().retry_classifier(NotTheThrottled);
            match request().customize().config_override(settings).interceptor(answer::Lean).send().await {
                Ok(output) => {
                    self.pace.answered();
                    return Ok(output);
                }
                Err(error) => match port_error(ACTION, "", &error) {
                    PortError::Throttled { .. } if self.pace.refused(&turn) => {}
                    error => return Err(error),
                },
            }
        }
        Err(PortError::Throttled { operation: ACTION.to_owned() })
    }
}

#[async_trait]
impl Port for Telemetry {
    /// The grid starts at the full period at or before `from`, as CloudWatch's own does, and ends with the last period
    /// that is over at `to`: half a minute of a sum would look like half the traffic.
    async fn read(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
        period_s: u32,
    ) -> Vec<Observed<Series>> {
        let Some(grid) = Grid::new(from, to, period_s) else {
            return queries.iter().map(|_| Observed::Missing(Missing::NoData)).collect();
        };
        self.pace.begin();
        let plan = &Plan { grid, until: Instant::now() + READING_MAX, splits: AtomicU32::new(0) };
        let calls: Vec<_> = queries.chunks(QUERIES_PER_CALL).map(|some| self.read_some(some, plan)).collect();
        let answers: Vec<Vec<Observed<Series>>> = futures::stream::iter(calls).buffered(CALLS_AT_ONCE).collect().await;
        answers.into_iter().flatten().collect()
    }
}

#[async_trait]
impl AlarmsPort for Telemetry {
    async fn alarms(&self, app: &AppId, resources: &[Resource]) -> PortResult<Vec<Alarm>> {
        let (all, tagged) = futures::join!(
            self.chances.read(|| alarms::all(&self.cloudwatch)),
            self.chances.read(|| alarms::tagged(&self.tagging, app)),
        );
        Ok(alarms::of_app(all?, &tagged?, resources))
    }
}

impl Reading {
    fn take(&mut self, result: aws_sdk_cloudwatch::types::MetricDataResult, scale: f64, grid: &Grid) {
        let timestamps = result.timestamps.unwrap_or_default();
        let values = result.values.unwrap_or_default();
        // Mostly each is the next one, which needs no division.
        let (mut next, mut next_s) = (0, grid.start_s);
        for (at, value) in timestamps.iter().zip(values) {
            if at.secs() != next_s {
                let Some(slot) = grid.slot(at.secs()) else { continue };
                (next, next_s) = (slot, grid.at_s(slot));
            }
            if let Some(slot) = self.values.get_mut(next)
                && value.is_finite()
            {
                *slot = Some(value * scale);
                self.any = true;
            }
            (next, next_s) = (next + 1, next_s + i64::from(grid.period_s));
        }
        if let Some(message) = result.messages.unwrap_or_default().into_iter().next() {
            self.why = message.value.or(message.code);
        }
        // The last page decides: PartialData on an earlier one only says that more is to come.
        self.status = result.status_code.or(self.status.take());
    }

    fn finish(self, grid: &Grid) -> Observed<Series> {
        match self.status {
            Some(StatusCode::PartialData) => return Observed::Missing(Missing::Partial),
            Some(StatusCode::Forbidden) => return Observed::Missing(Missing::Denied(ACTION.to_owned())),
            Some(StatusCode::InternalError) => {
                let why = self.why.unwrap_or_else(|| "CloudWatch had an internal error".to_owned());
                return Observed::Missing(Missing::Failed(why));
            }
            // No result under this id at all.
            None => return Observed::Missing(Missing::Partial),
            Some(_) => {}
        }
        if self.any {
            Observed::Known(Series { start: grid.start, period_s: grid.period_s, values: self.values })
        } else {
            Observed::Missing(Missing::NoData)
        }
    }
}

fn data_query(index: usize, query: &MetricQuery, grid: &Grid) -> MetricDataQuery {
    let dimensions = query
        .target
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name.as_ref()).value(value).build());
    let metric = Metric::builder()
        .namespace(&query.namespace)
        .metric_name(&query.metric)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(grid.period_s).unwrap_or(i32::MAX))
        .stat(&query.stat)
        .build();
    MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).return_data(true).build()
}

#[cfg(test)]
mod tests;
