use super::*;
use crate::performance::advisor::{Advised, Helped};
use crate::performance::index::IndexSpec;

fn bottleneck(columns: &[&str], saves_ms_hour: f64) -> Bottleneck {
    bottleneck_on("orders", columns, saves_ms_hour)
}

/// An index on columns of a table that saves so much.
pub fn bottleneck_on(table: &str, columns: &[&str], saves_ms_hour: f64) -> Bottleneck {
    let help =
        Helped { statement: 1, cost_before: 100.0, cost_after: 1.0, mean_ms: 200.0, calls: 100.0, calls_hour: 400.0 };
    let index = IndexSpec::btree("public", table, columns);
    Bottleneck {
        database: "orders".to_owned(),
        advised: Advised { index, bytes: 2e7, helps: vec![help] },
        saves_ms_hour,
        share_pct: 60.0,
        before_ms: 200.0,
        after_ms: 2.0,
        is_worth_it: true,
    }
}

fn past(columns: &[&str], iteration: u32, verdict: Option<Verdict>) -> Past {
    Past {
        made_in: (ExecutionId::from("performance-1"), iteration),
        resource: resource_id("orders", &IndexSpec::btree("public", "orders", columns).name()),
        verdict,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn planned(found: &[Bottleneck], room: Option<f64>, past: &[Past], now_s: i64) -> Indexed {
    let rooms = BTreeMap::from([("orders".to_owned(), Room { free_bytes: room })]);
    let now = Timestamp::from_second(now_s).unwrap();
    plan(&Planning {
        bottlenecks: found,
        stale: &[],
        touching: &BTreeMap::new(),
        rooms: &rooms,
        past,
        policy: &Policy::default(),
        run: (&ExecutionId::from("performance-2"), 1),
        now,
    })
}

fn told(indexed: &Indexed) -> String {
    indexed.plan.findings.iter().map(|finding| finding.summary.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_index_at_a_time_the_one_that_saves_most_first() {
    let indexed = planned(&[bottleneck(&["a"], 9.0), bottleneck(&["b"], 5.0)], None, &[], 100);
    assert_eq!((indexed.plan.changes.len(), indexed.targets.len(), indexed.resources.len()), (1, 1, 1));
    assert!(indexed.plan.changes[0].action.to_string().contains("(a)"));
    assert!(told(&indexed).contains("one index at a time"), "{}", told(&indexed));
}

#[test]
fn iterations_of_a_day_are_bounded_and_those_of_yesterday_are_over() {
    let spent: Vec<Past> = (1..=3).map(|n| past(&["x"], n, None)).collect();
    let found = [bottleneck(&["a"], 9.0)];
    assert!(planned(&found, None, &spent[..2], 100).plan.changes.len() == 1);
    let held = planned(&found, None, &spent, 100);
    assert!(held.plan.changes.is_empty() && told(&held).contains("3 iterations have changed something today"));
    assert_eq!(planned(&found, None, &spent, 90_000).plan.changes.len(), 1);
}

#[test]
fn what_was_tried_is_not_tried_again_and_what_has_no_room_is_not_built() {
    let found = [bottleneck(&["a"], 9.0)];
    let held = planned(&found, None, &[past(&["a"], 1, Some(Verdict::Inconclusive))], 100);
    assert!(
        held.plan.changes.is_empty() && told(&held).contains("tried on 1970-01-01: inconclusive"),
        "{}",
        told(&held)
    );
    assert_eq!(planned(&found, Some(81e6), &[], 100).plan.changes.len(), 1);
    let held = planned(&found, Some(79e6), &[], 100);
    assert!(held.plan.changes.is_empty() && told(&held).contains("are free"), "{}", told(&held));
}
