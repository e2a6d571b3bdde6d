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

const CONTROLS: [i64; 4] = [11, 12, 13, 14];

fn used(id: i64, mean_ms: f64, blocks: f64) -> Used {
    Used { id, text: String::new(), calls: 10_000.0, mean_ms, sd_ms: 0.1 * mean_ms, rows: 1.0, blocks }
}

/// A window in which the queries take so long, others on the table (2) so long, and those on other tables this multiple of what they did.
fn window(mean_ms: f64, neighbour_ms: f64, rest: [f64; 4]) -> Observed<Window> {
    let mut statements = vec![used(1, mean_ms, 100.0), used(2, neighbour_ms, 4.0)];
    statements.extend(CONTROLS.iter().zip(rest).map(|(id, rest)| used(*id, 5.0 * rest, 10.0)));
    Observed::Known(Window { seconds: 900.0, statements, unknown: 0 })
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

/// What happened in a case; `CALM` is an index that does nothing in a database in which nothing happens.
#[derive(Clone, Copy)]
struct Case {
    after_ms: f64,
    neighbour_ms: f64,
    rest: f64,
    /// By how much each of those on other tables moved beside that.
    apart: [f64; 4],
    users: (f64, f64),
    controls: usize,
    blocks: f64,
    scans: Option<f64>,
}

const CALM: Case = Case {
    after_ms: 10.0,
    neighbour_ms: 1.0,
    rest: 1.0,
    // They never move all alike.
    apart: [0.99, 1.01, 1.0, 1.0],
    users: (300.0, 300.0),
    controls: 4,
    blocks: 100.0,
    scans: Some(10_000.0),
};

fn verdict(case: Case) -> Outcome {
    let untouched = CONTROLS[..case.controls].to_vec();
    let target = Target {
        change: change().id,
        database: "orders".to_owned(),
        readers: vec![1],
        neighbours: vec![1, 2],
        untouched,
    };
    let (users_before, users_after) = (users(case.users.0), users(case.users.1));
    let mut after = window(case.after_ms, case.neighbour_ms, case.apart.map(|apart| case.rest * apart));
    if let Observed::Known(window) = &mut after {
        window.statements[0].blocks = case.blocks;
    }
    let seen = Measured {
        target: &target,
        before: &window(10.0, 1.0, [1.0; 4]),
        after: &after,
        users_before: &users_before,
        users_after: &users_after,
        stands: Ok(()),
        scans: case.scans,
    };
    verify(&change(), &seen, &Policy::default())
}

/// The verdict where the queries went from 10 ms to this, and users from one response time to another.
fn judged(after_ms: f64, users_before: f64, users_after: f64) -> Outcome {
    verdict(Case { after_ms, users: (users_before, users_after), ..CALM })
}

#[test]
fn an_index_is_kept_for_a_fifth_less_or_for_a_target_that_users_reach() {
    let cases = [
        ("a fifth less", 7.8, 300.0, 300.0, Verdict::Verified),
        ("less than that", 8.1, 300.0, 300.0, Verdict::Inconclusive),
        ("less than that, and users are under the target now", 8.1, 520.0, 480.0, Verdict::Verified),
        ("users were under it anyway", 8.1, 490.0, 450.0, Verdict::Inconclusive),
        ("users wait less, and still too long", 8.1, 700.0, 520.0, Verdict::Inconclusive),
        ("users are under it by a hair, which may be chance", 8.1, 500.5, 499.5, Verdict::Inconclusive),
        ("the queries did not get faster: it was something else", 10.0, 520.0, 400.0, Verdict::Inconclusive),
        ("users suffer", 7.8, 300.0, 340.0, Verdict::Regressed),
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

#[test]
fn what_the_whole_database_did_is_no_merit_and_no_fault_of_an_index() {
    let regressed = Verdict::Regressed;
    let cases = [
        ("everything got twice as fast", Case { after_ms: 5.0, rest: 0.5, ..CALM }, Verdict::Inconclusive, ""),
        ("everything did, and its queries ten times", Case { after_ms: 1.0, rest: 0.5, ..CALM }, Verdict::Verified, ""),
        (
            "a fifth less, of which half is everybody's",
            Case { after_ms: 8.0, rest: 0.9, ..CALM },
            Verdict::Inconclusive,
            "",
        ),
        (
            "everything got slower by half, its queries too",
            Case { after_ms: 15.0, rest: 1.5, ..CALM },
            Verdict::Inconclusive,
            "",
        ),
        ("only its queries got slower by half", Case { after_ms: 15.0, ..CALM }, regressed, "slower: "),
        ("it got slower by more than all", Case { after_ms: 20.0, rest: 1.5, ..CALM }, regressed, "slower: "),
        (
            "others on its table got slower",
            Case { after_ms: 9.5, neighbour_ms: 3.0, ..CALM },
            regressed,
            "other statements on the table got slower by",
        ),
        (
            "others on its table got slower, and so did all",
            Case { after_ms: 7.0, neighbour_ms: 1.5, rest: 1.5, ..CALM },
            Verdict::Verified,
            "",
        ),
        (
            "users suffer from a database that got slower, but not from it",
            Case { after_ms: 2.0, rest: 1.5, users: (300.0, 400.0), ..CALM },
            Verdict::Verified,
            "",
        ),
        (
            "users suffer, and nothing tells from what",
            Case { after_ms: 2.0, users: (300.0, 400.0), ..CALM },
            regressed,
            "users suffer",
        ),
        (
            "users suffer from others on its table",
            Case { after_ms: 2.0, neighbour_ms: 9.0, rest: 1.5, users: (300.0, 400.0), ..CALM },
            regressed,
            "users suffer",
        ),
    ];
    for (about, case, expected, begins) in cases {
        let outcome = verdict(case);
        assert_eq!(outcome.verdict, expected, "{about}: {}", outcome.why);
        assert!(outcome.why.starts_with(begins), "{about}: {}", outcome.why);
    }
    let told = verdict(Case { after_ms: 1.0, rest: 0.5, ..CALM }).why;
    assert!(told.contains("with 4 statements on other tables moving by -50.0 %"), "{told}");
}

#[test]
fn without_statements_on_other_tables_fewer_blocks_are_the_proof() {
    for (controls, blocks, expected) in [
        (4, 100.0, Verdict::Verified),
        (3, 100.0, Verdict::Verified),
        (2, 100.0, Verdict::Inconclusive),
        (0, 81.0, Verdict::Inconclusive),
        (0, 80.0, Verdict::Verified),
        (2, 1.0, Verdict::Verified),
    ] {
        let outcome = verdict(Case { after_ms: 1.0, controls, blocks, ..CALM });
        assert_eq!(outcome.verdict, expected, "{controls} {blocks}: {}", outcome.why);
    }
    let why = verdict(Case { after_ms: 1.0, controls: 0, ..CALM }).why;
    assert!(why.starts_with("too few statements on other tables to tell what the database did by itself"), "{why}");
}

#[test]
fn an_index_that_no_query_has_used_is_not_what_helped() {
    for (scans, expected) in
        [(Some(0.0), Verdict::Inconclusive), (Some(1.0), Verdict::Verified), (None, Verdict::Verified)]
    {
        let outcome = verdict(Case { after_ms: 1.0, blocks: 1.0, scans, ..CALM });
        assert_eq!(outcome.verdict, expected, "{scans:?}: {}", outcome.why);
    }
}

/// Whatever load, other work and chance do to all statements alike: an index without an effect of its own is hardly ever kept.
#[test]
fn an_index_that_does_nothing_is_hardly_ever_verified_and_one_that_helps_mostly_is() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut normal = move || (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    const CASES: u32 = 2_000;
    let (mut kept, mut undone) = (0, 0);
    for _ in 0..CASES {
        // The whole database moves by up to a factor of three, each statement by some per cent of its own.
        let common: f64 = (0.35 * normal()).exp();
        let own = |normal: &mut dyn FnMut() -> f64| (0.05 * normal()).exp();
        let mut judge = |effect: f64| {
            let mut case = Case { after_ms: 10.0 * common * effect * own(&mut normal), rest: common, ..CALM };
            case.neighbour_ms = common * own(&mut normal);
            case.apart = [(); 4].map(|()| own(&mut normal));
            verdict(case).verdict
        };
        kept += u32::from(judge(1.0) == Verdict::Verified);
        undone += u32::from(judge(0.2) != Verdict::Verified);
    }
    println!("of {CASES} useless indexes {kept} were verified, of as many that help fivefold {undone} were not");
    assert!(kept * 100 <= CASES, "{kept} useless ones were kept");
    assert!(undone * 20 <= CASES, "{undone} good ones were undone");
}
