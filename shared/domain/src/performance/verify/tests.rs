use super::*;
use crate::change::{Action, Better, ChangeKind, Expectation};
use crate::ids::{AppId, ResourceId, RuleId, SignalId};
use crate::performance::index::IndexSpec;
use crate::performance::profile::Used;
use crate::series::Series;
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_767_571_200, 0);

fn change() -> Change {
    let resource = ResourceId::from("index/orders/a");
    let index = Box::new(IndexSpec::btree("public", "orders", &["customer_id"]));
    Change {
        id: crate::change::id(&"run-1".into(), 1, ChangeKind::CreateIndex, &resource),
        action: Action::CreateIndex { database: "orders".to_owned(), index },
        because: RuleId::from("missing_index"),
        reason: String::new(),
        expected: Expectation {
            signal: SignalId::from("db_statement_mean_ms"),
            resource: resource.clone(),
            better: Better::Lower,
            before: 10.0,
            after: 1.0,
        },
        resource,
        cost_usd_cents_month: None,
        rollout: None,
    }
}

fn window(mean_ms: f64) -> Observed<Window> {
    let reader = Used { id: 1, text: String::new(), calls: 10_000.0, mean_ms, sd_ms: 1.0, rows: 1.0, blocks: 1.0 };
    Observed::Known(Window { seconds: 900.0, statements: vec![reader], unknown: 0 })
}

/// Users who wait so long, give or take two milliseconds.
fn users(p95_ms: f64) -> Snapshot {
    let values = (0..15).map(|minute| Some(p95_ms + f64::from(minute % 5) - 2.0)).collect();
    let start = NOW - SignedDuration::from_secs(900);
    let measurement = Measurement {
        signal: SignalId::from("latency_p95_ms"),
        resource: ResourceId::from("lb/shop"),
        member: None,
        series: Observed::Known(Series { start, period_s: 60, values }),
    };
    Snapshot {
        app: AppId::from("shop"),
        taken_at: NOW,
        window_s: 300,
        resources: Vec::new(),
        measurements: vec![measurement],
        alarms: Observed::Known(Vec::new()),
        undiscovered: Vec::new(),
        prices: Vec::new(),
        weeks: Vec::new(),
    }
}

/// The verdict where the queries went from 10 ms to this, and users from one response time to another.
fn judged(after_ms: f64, users_before: f64, users_after: f64) -> Outcome {
    let target = Target { change: change().id, database: "orders".to_owned(), readers: vec![1], writers: Vec::new() };
    let (users_before, users_after) = (users(users_before), users(users_after));
    let seen = Measured {
        target: &target,
        before: &window(10.0),
        after: &window(after_ms),
        users_before: &users_before,
        users_after: &users_after,
        state: Some(IndexState::Valid),
    };
    verify(&change(), &seen, &Policy::default())
}

#[test]
fn an_index_is_kept_for_a_fifth_less_or_for_a_target_that_users_reach() {
    let cases = [
        ("a fifth less", 8.0, 300.0, 300.0, Verdict::Verified),
        ("less than that", 8.1, 300.0, 300.0, Verdict::Inconclusive),
        ("less than that, and users are under the target now", 8.1, 520.0, 480.0, Verdict::Verified),
        ("users were under it anyway", 8.1, 490.0, 450.0, Verdict::Inconclusive),
        ("users wait less, and still too long", 8.1, 700.0, 520.0, Verdict::Inconclusive),
        ("users are under it by a hair, which may be chance", 8.1, 500.5, 499.5, Verdict::Inconclusive),
        ("the queries did not get faster: it was something else", 10.0, 520.0, 400.0, Verdict::Inconclusive),
        ("users suffer", 8.0, 300.0, 340.0, Verdict::Regressed),
    ];
    for (about, after_ms, users_before, users_after, verdict) in cases {
        let outcome = judged(after_ms, users_before, users_after);
        assert_eq!(
            (outcome.verdict, outcome.keep),
            (verdict, verdict == Verdict::Verified),
            "{about}: {}",
            outcome.why
        );
    }
    assert!(
        judged(8.1, 520.0, 480.0)
            .why
            .starts_with("the target of 500 ms is reached: latency_p95_ms of lb/shop went from 520 to 480 ms")
    );
}
