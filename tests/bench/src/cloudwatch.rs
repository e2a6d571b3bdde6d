//! A CloudWatch for measuring: answers GetMetricData in full and refuses, as the service does, what goes beyond its
//! limits. Amazon CloudWatch User Guide, "CloudWatch service quotas": 50 calls a second; 180,000 datapoints a second;
//! 500 queries a call; 100,800 datapoints an answer. For windows that start more than three hours ago the guide said
//! 90,000 until 2022 and 396,000 since; the worse is enforced here.
//!
//! Rates are kept with token buckets of one second's worth, as AWS throttles APIs.

use crate::http::{Answer, Request};
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Calls a second.
pub const CALLS_PER_S: f64 = 50.0;
/// Datapoints a second of windows that start within the last three hours.
pub const DATAPOINTS_PER_S: f64 = 180_000.0;
/// Datapoints a second of older windows, at their worst.
pub const DATAPOINTS_PER_S_OLD: f64 = 90_000.0;
/// The same since 2022. An answer may have more than 90,000, so where answers are that full the worse can't be enforced.
pub const DATAPOINTS_PER_S_TODAY: f64 = 396_000.0;
const RECENT_S: i64 = 10_800;
const QUERIES_MAX: usize = 500;
const DATAPOINTS_MAX: usize = 100_800;

/// What was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Calls of GetMetricData, refused ones included.
    pub calls: u64,
    /// Calls that were refused as too many.
    pub throttled: u64,
    /// Metrics that were answered.
    pub metrics: u64,
    /// Datapoints that were answered.
    pub datapoints: u64,
    /// Answered calls whose window starts more than three hours ago.
    pub old_windows: u64,
    /// Other calls, all answered with nothing found.
    pub others: u64,
}

/// Fills up by its rate, to one second's worth.
struct Bucket {
    left: f64,
    at: Option<Instant>,
}

impl Bucket {
    fn fill(&mut self, now: Instant, per_s: f64) {
        let since_s = self.at.map_or(1.0, |at| now.duration_since(at).as_secs_f64());
        self.left = (self.left + since_s * per_s).min(per_s);
        self.at = Some(now);
    }
}

struct State {
    calls: Bucket,
    datapoints: Bucket,
    asked: Asked,
}

/// The service. Clones share their state.
#[derive(Clone)]
pub struct CloudWatch {
    state: Arc<Mutex<State>>,
    share: f64,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    value: fn(&Query, usize) -> f64,
    old_per_s: f64,
}

/// A query of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    id: String,
    /// Name of the metric.
    pub metric: String,
    /// Value of its last dimension.
    pub of: String,
}

/// What a GetMetricData call wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its queries.
    pub queries: Vec<Query>,
    /// Queries that earlier pages have answered.
    answered: usize,
    start_s: i64,
    end_s: i64,
    period_s: i64,
}

impl CloudWatch {
    /// A service with full buckets and this clock, of whose limits others in the account leave this share.
    pub fn new(share: f64, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let bucket = || Bucket { left: 0.0, at: None };
        let state = State { calls: bucket(), datapoints: bucket(), asked: Asked::default() };
        let value = |query: &Query, slot| ((query.of.len() * 31 + slot * 7) % 97) as f64 + 0.25;
        Self { state: Arc::new(Mutex::new(state)), share, now: Arc::new(now), value, old_per_s: DATAPOINTS_PER_S_OLD }
    }

    /// The same with the limit of today, and with this value of a query in each of its periods; NaN is no datapoint.
    pub fn of_today(self, value: fn(&Query, usize) -> f64) -> Self {
        Self { value, old_per_s: DATAPOINTS_PER_S_TODAY, ..self }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Asked {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request) -> Answer {
        if request.path.ends_with("/operation/GetMetricData") {
            return Wanted::read(&request.body)
                .map_or_else(|| refusal("ValidationError"), |wanted| self.data(&wanted, Instant::now()));
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked.others += 1;
        match request.header("content-type") {
            Some("application/cbor") => cbor(200, Encoder::new(Vec::new()).begin_map().end()),
            _ => Answer { status: 200, headers: "content-type: application/x-amz-json-1.1\r\n", body: b"{}".to_vec() },
        }
    }

    fn data(&self, wanted: &Wanted, now: Instant) -> Answer {
        let slots = usize::try_from((wanted.end_s - wanted.start_s) / wanted.period_s.max(1)).unwrap_or(0);
        if wanted.queries.len() > QUERIES_MAX || slots > DATAPOINTS_MAX {
            return refusal("ValidationError");
        }
        // What does not fit into an answer comes with the next page.
        let left = wanted.queries.get(wanted.answered..).unwrap_or_default();
        let page = left.get(..DATAPOINTS_MAX / slots.max(1)).unwrap_or(left);
        let datapoints = slots * page.len();
        let old = wanted.start_s < (self.now)().as_second() - RECENT_S;
        if !self.admit(now, datapoints as f64, if old { self.old_per_s } else { DATAPOINTS_PER_S }) {
            return refusal("Throttling");
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.metrics += page.len() as u64;
        state.asked.datapoints += datapoints as u64;
        state.asked.old_windows += u64::from(old);
        drop(state);
        let next = (page.len() < left.len()).then(|| wanted.answered + page.len());
        cbor(200, &mut wanted.results(page, slots, next, self.value))
    }

    fn admit(&self, now: Instant, datapoints: f64, per_s: f64) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.calls += 1;
        state.calls.fill(now, self.share * CALLS_PER_S);
        state.datapoints.fill(now, self.share * per_s);
        let fits = state.calls.left >= 1.0 && state.datapoints.left >= datapoints;
        if fits {
            state.calls.left -= 1.0;
            state.datapoints.left -= datapoints;
        } else {
            state.asked.throttled += 1;
        }
        fits
    }
}

impl Query {
    fn metric(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        members(decoder, |decoder, key| match key {
            "MetricName" => decoder.string().ok().map(|name| self.metric = name),
            "Dimensions" => {
                for _ in 0..decoder.list().ok()?? {
                    members(decoder, |decoder, key| match key {
                        "Value" => decoder.string().ok().map(|value| self.of = value),
                        _ => decoder.skip().ok(),
                    })?;
                }
                Some(())
            }
            _ => decoder.skip().ok(),
        })
    }
}

impl Wanted {
    /// Reads the body of a GetMetricData call in CBOR.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut wanted = Self { period_s: 60, ..Self::default() };
        let mut decoder = Decoder::new(body);
        members(&mut decoder, |decoder, key| match key {
            "StartTime" => decoder.timestamp().ok().map(|at| wanted.start_s = at.secs()),
            "EndTime" => decoder.timestamp().ok().map(|at| wanted.end_s = at.secs()),
            "MetricDataQueries" => {
                for _ in 0..decoder.list().ok()?? {
                    let mut query = Query::default();
                    members(decoder, |decoder, key| match key {
                        "Id" => decoder.string().ok().map(|id| query.id = id),
                        "MetricStat" => members(decoder, |decoder, key| match key {
                            "Period" => decoder.integer().ok().map(|period_s| wanted.period_s = period_s.into()),
                            "Metric" => query.metric(decoder),
                            _ => decoder.skip().ok(),
                        }),
                        _ => decoder.skip().ok(),
                    })?;
                    wanted.queries.push(query);
                }
                Some(())
            }
            "NextToken" => {
                decoder.string().ok().and_then(|token| token.parse().ok()).map(|next| wanted.answered = next)
            }
            _ => decoder.skip().ok(),
        })?;
        Some(wanted)
    }

    fn results(&self, page: &[Query], slots: usize, next: Option<usize>, value: fn(&Query, usize) -> f64) -> Encoder {
        let mut encoder = Encoder::new(Vec::with_capacity(64 + page.len() * (96 + slots * 19)));
        encoder.begin_map();
        if let Some(next) = next {
            encoder.str("NextToken").str(&next.to_string());
        }
        encoder.str("MetricDataResults").array(page.len());
        for query in page {
            let id = &query.id;
            encoder.begin_map().str("Id").str(id).str("Label").str(id).str("StatusCode").str("Complete");
            let starts = (self.start_s..).step_by(usize::try_from(self.period_s).unwrap_or(60)).take(slots);
            let known = || {
                starts.clone().enumerate().map(|(slot, at_s)| (at_s, value(query, slot))).filter(|(_, v)| !v.is_nan())
            };
            let count = known().count();
            encoder.str("Timestamps").array(count);
            for (at_s, _) in known() {
                encoder.timestamp(&DateTime::from_secs(at_s));
            }
            encoder.str("Values").array(count);
            for (_, value) in known() {
                encoder.double(value);
            }
            encoder.end();
        }
        encoder.end();
        encoder
    }
}

/// Goes through the members of a map, of known length or not.
fn members<'b>(decoder: &mut Decoder<'b>, mut each: impl FnMut(&mut Decoder<'b>, &str) -> Option<()>) -> Option<()> {
    let length = decoder.map().ok()?;
    let mut seen = 0;
    loop {
        if length.is_some_and(|length| seen == length) {
            return Some(());
        }
        if length.is_none() && decoder.datatype().ok()? == aws_smithy_cbor::data::Type::Break {
            return decoder.skip().ok();
        }
        let key = decoder.string().ok()?;
        each(decoder, &key)?;
        seen += 1;
    }
}

fn cbor(status: u16, encoder: &mut Encoder) -> Answer {
    let body = std::mem::replace(encoder, Encoder::new(Vec::new())).into_writer();
    Answer { status, headers: "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n", body }
}

fn refusal(code: &str) -> Answer {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(2).str("__type").str(&format!("com.amazonaws.cloudwatch#{code}")).str("message").str("Rate exceeded");
    cbor(400, &mut encoder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(epoch_s: i64) -> Timestamp {
        Timestamp::from_second(epoch_s).unwrap()
    }

    fn wanted(queries: usize, start_s: i64, minutes: i64) -> Wanted {
        let queries = (0..queries).map(|query| Query { id: format!("q{query}"), ..Query::default() }).collect();
        Wanted { queries, answered: 0, start_s, end_s: start_s + 60 * minutes, period_s: 60 }
    }

    #[test]
    fn refuses_the_third_call_of_ninety_thousand_datapoints_in_a_second() {
        let service = CloudWatch::new(1.0, || at(100_000));
        let call = wanted(500, 100_000 - 10_800, 180);
        let now = Instant::now();
        let statuses = [(); 3].map(|()| service.data(&call, now).status);
        assert_eq!(statuses, [200, 200, 400]);
        let asked = service.asked();
        assert_eq!((asked.calls, asked.throttled, asked.metrics, asked.datapoints), (3, 1, 1_000, 180_000));
        assert_eq!(
            service.data(&call, now + Duration::from_millis(500)).status,
            200,
            "half a second later there is room"
        );
    }

    #[test]
    fn allows_half_when_the_window_starts_more_than_three_hours_ago() {
        let service = CloudWatch::new(1.0, || at(100_001));
        let call = wanted(500, 100_000 - 10_800, 180);
        let now = Instant::now();
        assert_eq!([(); 2].map(|()| service.data(&call, now).status), [200, 400]);
        assert_eq!(service.asked().old_windows, 1);
    }

    #[test]
    fn allows_what_others_leave() {
        let service = CloudWatch::new(0.5, || at(100_000));
        let call = wanted(500, 100_000 - 10_800, 180);
        let now = Instant::now();
        assert_eq!([(); 2].map(|()| service.data(&call, now).status), [200, 400]);
        assert_eq!(service.data(&call, now + Duration::from_millis(999)).status, 400);
        assert_eq!(service.data(&call, now + Duration::from_secs(1)).status, 200);
    }

    #[test]
    fn refuses_the_fifty_first_call_of_a_second() {
        let service = CloudWatch::new(1.0, || at(100_000));
        let call = wanted(1, 100_000 - 60, 1);
        let now = Instant::now();
        assert_eq!((0..60).filter(|_| service.data(&call, now).status == 400).count(), 10);
    }

    #[test]
    fn refuses_more_queries_than_a_call_may_have_and_answers_as_many_datapoints_as_an_answer_may() {
        let (service, now) = (CloudWatch::new(2.0, || at(100_000)), Instant::now());
        assert_eq!(service.data(&wanted(501, 100_000 - 60, 1), now).status, 400);
        let mut call = wanted(500, 100_000 - 86_400, 252);
        assert_eq!(service.data(&call, now).status, 200);
        assert_eq!(service.asked().metrics, 400, "of 252 datapoints each");
        call.answered = 400;
        assert_eq!(service.data(&call, now + Duration::from_secs(1)).status, 200);
        assert_eq!((service.asked().metrics, service.asked().datapoints), (500, 126_000));
    }
}
