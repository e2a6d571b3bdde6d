//! What a service can answer to GetMetricData, and what becomes of each query.

use super::*;
use crate::scripted::{Answer, Service, failure};
use aws_smithy_cbor::Encoder;
use domain::signal::Target;

/// One result: id, status, and datapoints as (minute, value).
type Result<'a> = (usize, &'a str, &'a [(i64, f64)]);

fn answer(results: &[Result<'_>], next: Option<&str>) -> Answer {
    let mut body = Encoder::new(Vec::new());
    body.begin_map().str("MetricDataResults").array(results.len());
    for (id, status, points) in results {
        body.begin_map()
            .str("Id")
            .str(&format!("q{id}"))
            .str("StatusCode")
            .str(status)
            .str("Timestamps")
            .array(points.len());
        for (minute, _) in *points {
            body.timestamp(&DateTime::from_secs(minute * 60));
        }
        body.str("Values").array(points.len());
        for (_, value) in *points {
            body.double(*value);
        }
        body.end();
    }
    if let Some(next) = next {
        body.str("NextToken").str(next);
    }
    body.end();
    Answer(200, body.into_writer())
}

fn queries(count: usize) -> Vec<MetricQuery> {
    let query = |index: usize| MetricQuery {
        namespace: "AWS/SQS".to_owned(),
        metric: format!("Metric{index}-"),
        stat: "Average".to_owned(),
        scale: 1.0,
        target: Target::whole(vec![("QueueName", "jobs".to_owned())]).remove(0),
    };
    (0..count).map(query).collect()
}

/// A telemetry that pauses for a millisecond after a refusal.
fn telemetry(service: &Service) -> Telemetry {
    let clock = SystemClock::new(None, None).unwrap();
    Telemetry { pace: Pace::pausing(Duration::from_millis(1)), ..Telemetry::new(&service.clients(), clock) }
}

async fn read(service: &Service, count: usize) -> Vec<Observed<Series>> {
    let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    telemetry(service).read(&queries(count), at(10), at(13), 60).await
}

fn values(series: &Observed<Series>) -> &[Option<f64>] {
    series.known().map_or(&[], |series| &series.values)
}

fn asks(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn every_page_is_read_and_the_last_one_decides_whether_it_is_all() {
    let service = Service::new(|number, body| {
        assert_eq!(asks(body, "page-2"), number == 1, "the token of one page is sent for the next");
        match number {
            0 => answer(&[(0, "PartialData", &[(10, 1.0)]), (1, "PartialData", &[(10, 5.0)])], Some("page-2")),
            _ => answer(&[(0, "Complete", &[(12, 3.0)]), (1, "PartialData", &[])], None),
        }
    });
    let read = read(&service, 2).await;
    assert_eq!(values(&read[0]), [Some(1.0), None, Some(3.0)]);
    assert_eq!(read[1], Observed::Missing(Missing::Partial), "half an answer is no answer");
    assert_eq!(service.requests(), 2);
}

#[tokio::test]
async fn each_query_is_missing_for_its_own_reason() {
    let service = Service::new(|_, _| {
        answer(
            &[
                (0, "Complete", &[(11, 1.0)]),
                (1, "Complete", &[]),
                (2, "Forbidden", &[]),
                (3, "InternalError", &[]),
                (4, "Complete", &[(11, f64::NAN), (99, 1.0)]),
            ],
            None,
        )
    });
    let read = read(&service, 6).await;
    assert_eq!(values(&read[0]), [None, Some(1.0), None]);
    assert_eq!(read[1], Observed::Missing(Missing::NoData));
    assert!(matches!(&read[2], Observed::Missing(Missing::Denied(permission)) if permission == ACTION));
    assert!(matches!(&read[3], Observed::Missing(Missing::Failed(_))));
    assert_eq!(read[4], Observed::Missing(Missing::NoData), "not a number, or outside the window, is no datapoint");
    assert_eq!(read[5], Observed::Missing(Missing::Partial), "a query without an answer was not answered");
}

#[tokio::test]
async fn one_bad_query_does_not_spoil_the_others() {
    let service = Service::new(|_, body| {
        if asks(body, "Metric5-") {
            return failure(400, "InvalidParameterValueException");
        }
        let ids: Vec<usize> = (0..9).filter(|id| asks(body, &format!("q{id}"))).collect();
        let results: Vec<Result<'_>> = ids.iter().map(|id| (*id, "Complete", [(10, 1.0)].as_slice())).collect();
        answer(&results, None)
    });
    let read = read(&service, 9).await;
    let missing: Vec<usize> =
        read.iter().enumerate().filter(|(_, series)| series.is_missing()).map(|(index, _)| index).collect();
    assert_eq!(missing, [5]);
    assert!(matches!(&read[5], Observed::Missing(Missing::Failed(why)) if why.contains("said no")), "{:?}", read[5]);
}

#[tokio::test]
async fn fault_when_every_query_is_bad_the_search_for_bad_ones_ends() {
    let service = Service::new(|_, _| failure(400, "InvalidParameterValueException"));
    let read = read(&service, 500).await;
    assert!(read.iter().all(|series| matches!(series, Observed::Missing(Missing::Failed(_)))));
    assert!(service.requests() <= 81, "{} requests", service.requests());
}

#[tokio::test]
async fn only_the_queries_of_a_throttled_call_are_throttled() {
    let service = Service::new(|_, body| {
        if asks(body, "Metric600-") {
            failure(400, "ThrottlingException")
        } else {
            answer(&[(0, "Complete", &[(10, 1.0)])], None)
        }
    });
    let read = read(&service, 601).await;
    assert_eq!(values(&read[0]), [Some(1.0), None, None]);
    assert!(read[500..].iter().all(|series| *series == Observed::Missing(Missing::Throttled)));
    assert_eq!(service.requests(), 1 + 4, "the SDK adds no repetitions of its own");
}

#[tokio::test]
async fn regression_what_is_refused_among_others_is_asked_again_and_nothing_is_lost() {
    let service = Service::new(|number, _| match number {
        1 | 2 | 5 => failure(400, "ThrottlingException"),
        _ => answer(&[(0, "Complete", &[(10, 1.0)])], None),
    });
    let read = read(&service, 6 * 500).await;
    let known: Vec<usize> =
        read.iter().enumerate().filter(|(_, series)| !series.is_missing()).map(|(index, _)| index).collect();
    assert_eq!(known, [0, 500, 1_000, 1_500, 2_000, 2_500]);
    assert_eq!(service.requests(), 6 + 3);
}

#[tokio::test]
async fn a_refused_page_is_asked_again_without_those_before_it() {
    let service = Service::new(|number, body| {
        assert_eq!(asks(body, "page-2"), number > 0);
        match number {
            0 => answer(&[(0, "PartialData", &[(10, 1.0)])], Some("page-2")),
            1 => failure(400, "Throttling"),
            _ => answer(&[(0, "Complete", &[(12, 3.0)])], None),
        }
    });
    assert_eq!(values(&read(&service, 1).await[0]), [Some(1.0), None, Some(3.0)]);
    assert_eq!(service.requests(), 3);
}

#[tokio::test]
async fn fault_a_call_that_breaks_off_is_repeated_by_the_sdk() {
    let service = Service::new(|number, _| match number {
        0 => failure(503, "ServiceUnavailable"),
        _ => answer(&[(0, "Complete", &[(10, 1.0)])], None),
    });
    assert_eq!(values(&read(&service, 1).await[0]), [Some(1.0), None, None]);
    assert_eq!(service.requests(), 2);
}

/// The answer to exactly those of the first nine queries that a request asks for.
fn answer_to(body: &[u8]) -> Answer {
    let ids: Vec<usize> = (0..9).filter(|id| asks(body, &format!("q{id}"))).collect();
    let results: Vec<Result<'_>> = ids.iter().map(|id| (*id, "Complete", [(10, 1.0)].as_slice())).collect();
    answer(&results, None)
}

#[tokio::test]
async fn regression_a_call_that_fails_in_every_attempt_gets_another_chance_in_halves() {
    let service = Service::new(|number, body| match number {
        0..4 => failure(500, "InternalServiceFault"),
        _ => answer_to(body),
    });
    let read = read(&service, 9).await;
    assert!(read.iter().all(|series| values(series) == [Some(1.0), None, None]), "{read:?}");
    assert_eq!(service.requests(), 4 + 2);
}

#[tokio::test]
async fn fault_what_fails_again_and_again_is_lost_alone() {
    let service = Service::new(|_, body| match asks(body, "Metric5-") {
        true => failure(500, "InternalServiceFault"),
        false => answer_to(body),
    });
    let read = read(&service, 9).await;
    let missing: Vec<usize> =
        read.iter().enumerate().filter(|(_, series)| series.is_missing()).map(|(index, _)| index).collect();
    assert_eq!(missing, [5]);
}

#[tokio::test]
async fn fault_when_every_call_fails_few_get_another_chance() {
    let service = Service::new(|_, _| failure(500, "InternalServiceFault"));
    let read = read(&service, 9 * 500).await;
    assert!(read.iter().all(Observed::is_missing));
    assert!(service.requests() <= 9 + 2 * 10 + 25, "{} requests", service.requests());
}

#[tokio::test]
async fn fault_a_denied_call_names_the_permission() {
    let service = Service::new(|_, _| failure(403, "AccessDeniedException"));
    assert_eq!(read(&service, 1).await, [Observed::Missing(Missing::Denied(ACTION.to_owned()))]);
    assert_eq!(service.requests(), 1, "what is denied is not tried again");
}

#[tokio::test]
async fn fault_pages_without_end_are_given_up() {
    let service = Service::new(|_, _| answer(&[(0, "PartialData", &[])], Some("again")));
    assert_eq!(read(&service, 1).await, [Observed::Missing(Missing::Partial)]);
    assert_eq!(service.requests(), 100);
}

#[tokio::test]
async fn fault_when_everything_is_throttled_hardly_anything_is_repeated() {
    let service = Service::new(|_, _| failure(400, "ThrottlingException"));
    let telemetry = telemetry(&service);
    let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    for _ in 0..100 {
        let read = telemetry.read(&queries(1), at(10), at(13), 60).await;
        assert_eq!(read, [Observed::Missing(Missing::Throttled)]);
    }
    assert!(service.requests() <= 110, "{} requests for 100 calls", service.requests());
}

#[tokio::test]
async fn fault_a_reading_of_which_nothing_is_answered_is_given_up() {
    let service = Service::new(|_, _| failure(400, "ThrottlingException"));
    let read = read(&service, 20 * 500).await;
    assert!(read.iter().all(|series| *series == Observed::Missing(Missing::Throttled)));
    assert_eq!(service.requests(), 8, "fewer than the 20 calls that were wanted");
}

/// Alarms that can't be read cap the score like one that stands: one lost answer cost a run its 30 minutes of health.
#[tokio::test]
async fn regression_the_tags_of_alarms_get_another_chance() {
    let service = Service::new(|number, body| match (asks(body, "TagFilters"), number) {
        (true, 0..=4) => Answer(500, Vec::new()),
        (true, _) => Answer(200, b"{}".to_vec()),
        (false, _) => Answer(200, vec![0xa0]),
    });
    assert_eq!(telemetry(&service).alarms(&"shop".into(), &[]).await.unwrap(), []);
    assert_eq!(service.requests(), 1 + 4 + 1);
}
