//! What earlier weeks add to a verdict, on both sides of each bound.

use super::super::verify;
use crate::change::{Action, Better, Change, ChangeKind, Expectation};
use crate::health::fixture::{NOW, Shop, scattered};
use crate::health::policy::Policy;
use crate::health::{Ask, DAYS_AGO};
use crate::observed::Missing;
use crate::outcome::{Outcome, Verdict};
use crate::rollout::Rollout;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn change(action: Action, on: &str, signal: &str, measured_on: &str, better: Better, levels: (f64, f64)) -> Change {
    let (before, after) = levels;
    Change {
        id: "change".into(),
        action,
        resource: on.into(),
        because: "trial".into(),
        reason: String::new(),
        expected: Expectation { signal: signal.into(), resource: measured_on.into(), better, before, after },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

/// Emptied at a hit rate of 40 %, in the hope of so many.
fn flush(expected_pct: f64) -> Change {
    let action = Action::FlushCache { cache: "shop-cache".to_owned() };
    change(action, "cache", "cache_hit_rate_pct", "cache", Better::Higher, (40.0, expected_pct))
}

fn scale_out() -> Change {
    let action = Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 7 };
    change(action, "asg", "fleet_cpu_pct", "asg", Better::Lower, (60.0, 35.0))
}

fn add_tasks() -> Change {
    let action = Action::SetServiceCount { cluster: "shop".to_owned(), service: "shop-worker".to_owned(), desired: 5 };
    change(action, "ecs", "queue_depth", "queue", Better::Lower, (2_000.0, 0.0))
}

/// Minutes before the second snapshot that are after the change.
const AFTER_MIN: f64 = 5.7;

/// A signal that was at one level until the change has settled, and is at another one since.
fn moved(shop: Shop, signal: &'static str, on: &str, before: f64, after: f64) -> Shop {
    shop.law(signal, on, move |ago| Some(scattered(if ago <= AFTER_MIN { after } else { before }, ago)))
}

/// The hit rate of a thousand look-ups a minute.
fn rate(before_pct: f64, after_pct: f64) -> Shop {
    let hits = moved(Shop::new(), "cache_hits", "cache", 10.0 * before_pct, 10.0 * after_pct);
    moved(hits, "cache_misses", "cache", 1_000.0 - 10.0 * before_pct, 1_000.0 - 10.0 * after_pct)
}

/// CPU and requests of the web servers.
fn web(cpu: (f64, f64), requests: (f64, f64)) -> Shop {
    moved(moved(Shop::new(), "fleet_cpu_pct", "asg", cpu.0, cpu.1), "requests", "tg", requests.0, requests.1)
}

/// The same without the requests.
fn unloaded(cpu: (f64, f64)) -> Shop {
    web(cpu, (1.0, 1.0)).missing("requests", "tg", Missing::NoData)
}

fn judged(change: &Change, before: Shop, after: Shop) -> Outcome {
    let settled = SignedDuration::from_secs(360 + i64::from(change.action.spec().settle_s));
    let applied_at = NOW + SignedDuration::from_secs(20);
    verify(change, &before.snapshot, &after.at(NOW + settled).snapshot, applied_at, &Policy::default())
}

/// Emptied at 40 %, with this rate afterwards, after weeks that went from one rate to another.
fn flushed(expected_pct: f64, after_pct: f64, weeks: &[(f64, f64)]) -> Outcome {
    let after = DAYS_AGO
        .iter()
        .zip(weeks)
        .fold(rate(after_pct, after_pct), |after, (days_ago, (from, to))| after.week(*days_ago, &rate(*from, *to)));
    judged(&flush(expected_pct), rate(40.0, 40.0), after)
}

#[test]
fn the_worked_example_of_the_documentation() {
    // A nightly job asks for what nobody has stored, every week, until a quarter past.
    let alone = flushed(95.0, 90.0, &[]);
    assert_eq!(alone.verdict, Verdict::Verified, "{}", alone.why);
    let weekly = flushed(95.0, 90.0, &[(44.0, 92.0), (42.0, 91.0)]);
    assert_eq!((weekly.verdict, weekly.keep), (Verdict::Inconclusive, true), "{}", weekly.why);
    assert!(weekly.why.contains("7 days ago the same minutes rose by 109 %, 14 days ago"), "{}", weekly.why);
    // Where it only helps a little each week, the rest is the change's.
    let rest = flushed(95.0, 90.0, &[(40.0, 50.0), (40.0, 48.0)]);
    assert_eq!(rest.verdict, Verdict::Verified, "{}", rest.why);
    let (low, high) = rest.interval.unwrap();
    assert!(low > 37.0 && high < 41.0, "40 % would have become a little more than 50: {low} {high} {}", rest.why);
}

#[test]
fn a_change_is_verified_only_beyond_what_the_weeks_did_by_themselves() {
    // 40 % would have become 60 %; at least 5 % of that must be gained beyond the interval's end.
    for (after_pct, weeks, verdict) in [
        (62.0, vec![(40.0, 60.0), (40.0, 60.0)], Verdict::Inconclusive),
        (66.0, vec![(40.0, 60.0), (40.0, 60.0)], Verdict::Verified),
        // The wider of two that disagree, and one alone as well.
        (66.0, vec![(40.0, 60.0), (40.0, 70.0)], Verdict::Inconclusive),
        (66.0, vec![(40.0, 70.0)], Verdict::Inconclusive),
        (78.0, vec![(40.0, 60.0), (40.0, 70.0)], Verdict::Verified),
        // Weeks that got worse don't make it easier: what was not better than before is not verified.
        (41.0, vec![(40.0, 20.0), (40.0, 20.0)], Verdict::Inconclusive),
    ] {
        let outcome = flushed(50.0, after_pct, &weeks);
        assert_eq!(outcome.verdict, verdict, "{after_pct} after {weeks:?}: {}", outcome.why);
    }
}

#[test]
fn a_week_whose_job_ended_in_the_middle_of_the_minutes_after_counts_by_its_shift() {
    // Two of the five minutes after were still those of the job, so the interval begins at nothing.
    let hits = |ago: f64| 1_000.0 * scattered(if ago <= 3.0 { 0.9 } else { 0.4 }, ago);
    let late = Shop::new().law("cache_hits", "cache", move |ago| Some(hits(ago)));
    let late = late.law("cache_misses", "cache", move |ago| Some(1_000.0 - hits(ago)));
    let outcome = judged(&flush(95.0), rate(40.0, 40.0), rate(90.0, 90.0).week(7, &late));
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
}

#[test]
fn a_change_has_regressed_only_beyond_what_the_weeks_did_by_themselves() {
    for (after_pct, weeks, verdict) in [
        (30.0, vec![], Verdict::Regressed),
        (30.0, vec![(40.0, 30.0), (40.0, 39.0)], Verdict::Inconclusive),
        (20.0, vec![(40.0, 30.0), (40.0, 39.0)], Verdict::Regressed),
        // Weeks that got better don't make it easier.
        (37.0, vec![(40.0, 60.0), (40.0, 60.0)], Verdict::Inconclusive),
        // However far it fell then, no more than to a fifth is believed.
        (6.0, vec![(40.0, 1.0), (40.0, 1.0)], Verdict::Regressed),
        (8.0, vec![(40.0, 1.0), (40.0, 1.0)], Verdict::Inconclusive),
    ] {
        let outcome = flushed(50.0, after_pct, &weeks);
        assert_eq!(outcome.verdict, verdict, "{after_pct} after {weeks:?}: {}", outcome.why);
    }
}

#[test]
fn a_week_that_is_known_to_be_unlike_others_says_nothing() {
    let weeks =
        |days_ago: &[u32], then: &Shop| days_ago.iter().fold(rate(90.0, 90.0), |after, days| after.week(*days, then));
    let verdict = |after: Shop| judged(&flush(95.0), rate(40.0, 40.0), after);
    let usual = verdict(weeks(&[7], &rate(42.0, 91.0)));
    assert_eq!(usual.verdict, Verdict::Inconclusive, "{}", usual.why);
    // The maintainer was at work.
    let mut changed = weeks(&[7], &rate(42.0, 91.0));
    changed.snapshot.weeks[0].disturbed = Some("the maintainer had emptied shop-cache".to_owned());
    let changed = verdict(changed);
    assert_eq!(changed.verdict, Verdict::Verified, "{}", changed.why);
    assert!(changed.why.contains("7 days ago is no comparison: the maintainer had"), "{}", changed.why);
    // Levels that are more than twofold apart: one of the two was an incident. Just under it both count.
    for (other, verdict) in [((95.0, 95.0), Verdict::Verified), ((80.0, 91.0), Verdict::Inconclusive)] {
        let outcome = flushed(95.0, 90.0, &[(42.0, 91.0), other]);
        assert_eq!(outcome.verdict, verdict, "{other:?}: {}", outcome.why);
    }
    // A gap, or no history at all, changes nothing and is not spoken of.
    let gaps = rate(42.0, 91.0).missing("cache_hits", "cache", Missing::NoData);
    let unknown = verdict(weeks(&[7, 14], &gaps));
    assert_eq!((unknown.verdict, unknown.why.contains("days ago")), (Verdict::Verified, false), "{}", unknown.why);
    // Nor does what could not be read, but it is told.
    let unread = rate(42.0, 91.0).missing("cache_misses", "cache", Missing::Throttled);
    let unread = verdict(weeks(&[7], &unread));
    assert_eq!(unread.verdict, Verdict::Verified, "{}", unread.why);
    assert!(unread.why.contains("7 days ago is no comparison: it could not be read, throttled"), "{}", unread.why);
}

#[test]
fn a_week_in_which_the_size_was_changed_says_nothing() {
    let weeks = |then: Shop| {
        let after = web((35.0, 35.0), (20_000.0, 20_000.0));
        judged(&scale_out(), web((60.0, 60.0), (20_000.0, 20_000.0)), after.week(7, &then))
    };
    let fell = || web((60.0, 36.0), (20_000.0, 20_000.0));
    assert_eq!(weeks(fell()).verdict, Verdict::Inconclusive);
    let resized = weeks(moved(fell(), "fleet_desired", "asg", 4.0, 7.0));
    assert_eq!(resized.verdict, Verdict::Verified, "{}", resized.why);
    assert!(resized.why.contains("the size of shop-web was changed, between 4 and 7"), "{}", resized.why);
}

#[test]
fn what_moves_with_the_load_is_compared_with_weeks_whose_load_moved_alike() {
    // The lunch peak ends each week; today it does not, and the growth has halved the CPU under the same load.
    let peak_ends = web((60.0, 33.0), (20_000.0, 11_000.0));
    let after = web((33.0, 33.0), (20_000.0, 20_000.0)).week(7, &peak_ends);
    let outcome = judged(&scale_out(), web((60.0, 60.0), (20_000.0, 20_000.0)), after);
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    assert!(outcome.why.contains("the load became 0.55 times as much then and 1.00 times today"), "{}", outcome.why);
    // The CPU falls each week under a load that stays: a job ends. Today it ends as well.
    let job_ends = web((60.0, 34.0), (20_000.0, 20_500.0));
    let after = web((33.0, 33.0), (20_000.0, 20_000.0)).week(7, &job_ends);
    let outcome = judged(&scale_out(), web((60.0, 60.0), (20_000.0, 20_000.0)), after);
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
}

#[test]
fn two_agreeing_weeks_stand_in_for_a_load_that_is_not_known() {
    let verdict = |weeks: &[(f64, f64)]| {
        let after = DAYS_AGO
            .iter()
            .zip(weeks)
            .fold(unloaded((35.0, 35.0)), |after, (days_ago, cpu)| after.week(*days_ago, &unloaded(*cpu)));
        judged(&scale_out(), unloaded((60.0, 60.0)), after)
    };
    let unknown = verdict(&[]);
    assert_eq!(unknown.verdict, Verdict::Inconclusive, "{}", unknown.why);
    assert!(unknown.why.contains("depends on the load, which is not known"), "{}", unknown.why);
    for (weeks, is_verified) in [
        (vec![(60.0, 60.0), (58.0, 57.0)], true),
        (vec![(60.0, 60.0)], false),
        // They moved by 9 and 11 points of their level apart.
        (vec![(60.0, 60.0), (60.0, 54.6)], true),
        (vec![(60.0, 60.0), (60.0, 53.4)], false),
        // Today's level is 22 % and 28 % above theirs: what is extraordinary today, no other week can tell the end of.
        (vec![(49.0, 49.0), (60.0, 60.0)], true),
        (vec![(47.0, 47.0), (60.0, 60.0)], false),
        // What fell by itself to 40 % is not left, with a tenth for a load that nobody knows.
        (vec![(60.0, 40.0), (60.0, 41.0)], false),
    ] {
        let outcome = verdict(&weeks);
        assert_eq!(outcome.verdict == Verdict::Verified, is_verified, "{weeks:?}: {}", outcome.why);
    }
    assert!(verdict(&[(60.0, 60.0), (60.0, 60.0)]).why.contains("earlier weeks stand in for it"));
}

#[test]
fn a_queue_that_was_nearly_empty_then_says_nothing_of_thousands_now() {
    let filling = || {
        Shop::new().is("queue_depth", "queue", 2_000.0).is("queue_sent", "queue", 2_160.0).is(
            "queue_deleted",
            "queue",
            1_800.0,
        )
    };
    let drained = || {
        Shop::new().is("queue_depth", "queue", 900.0).is("queue_sent", "queue", 2_160.0).is(
            "queue_deleted",
            "queue",
            2_500.0,
        )
    };
    let nearly_empty = moved(filling(), "queue_depth", "queue", 3.0, 0.0);
    let outcome = judged(&add_tasks(), filling(), drained().week(7, &nearly_empty));
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    assert!(outcome.why.contains("7 days ago the same minutes went from 2.99 to 0"), "{}", outcome.why);
    // Under the same flows it emptied itself then: slow messages end each week.
    let emptied = moved(filling(), "queue_depth", "queue", 2_000.0, 800.0);
    let outcome = judged(&add_tasks(), filling(), drained().week(7, &emptied));
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
}

#[test]
fn what_users_feel_at_this_hour_each_week_is_no_harm_of_the_change() {
    let slower = |latency: f64| {
        Shop::new().is("cache_hits", "cache", 900.0).is("cache_misses", "cache", 100.0).is(
            "latency_p95_ms",
            "tg",
            latency,
        )
    };
    let verdict = |after: Shop| judged(&flush(95.0), rate(40.0, 40.0), after);
    assert_eq!(verdict(slower(400.0)).verdict, Verdict::Regressed);
    let weekly = rate(40.0, 40.0).law("latency_p95_ms", "tg", |ago| Some(if ago <= AFTER_MIN { 420.0 } else { 76.0 }));
    let outcome = verdict(slower(320.0).week(7, &weekly));
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    assert!(outcome.why.contains("which is nothing new at this hour"), "{}", outcome.why);
    // At most five times is put down to the hour.
    assert_eq!(verdict(slower(600.0).week(7, &weekly)).verdict, Verdict::Regressed);
}

#[test]
fn few_metrics_are_read_of_a_week() {
    let shop = Shop::new();
    let ask = |change: &Change| {
        let ask = Ask::of(&[(change, NOW)], &shop.snapshot, &Policy::default(), 900).unwrap();
        let readings = ask.readings(&shop.snapshot.resources);
        readings.iter().map(|reading| reading.spec.id).collect::<Vec<_>>()
    };
    assert_eq!(ask(&scale_out()), ["latency_p95_ms", "requests", "errors_5xx", "fleet_cpu_pct", "fleet_desired"]);
    let felt = ["latency_p95_ms", "requests", "errors_5xx"];
    assert_eq!(ask(&flush(95.0)), [felt.as_slice(), ["cache_hits", "cache_misses"].as_slice()].concat());
    assert!(ask(&add_tasks()).contains(&"queue_sent"));
    // One member is compared with its peers of today: they live in the same hour.
    let action = Action::ReplaceInstance { group: "shop-web".to_owned(), instance: "i-3".to_owned() };
    let canary = change(action, "asg", "instance_memory_pct", "asg", Better::Lower, (88.0, 46.0));
    let canary = Change { rollout: Some(Rollout::Canary { of: 4, then: ChangeKind::RefreshFleet }), ..canary };
    assert_eq!(ask(&canary), [felt.as_slice(), ["fleet_desired"].as_slice()].concat());
    assert_eq!(Ask::of(&[], &shop.snapshot, &Policy::default(), 900), None);
    let long_ago = NOW - SignedDuration::from_hours(3);
    assert_eq!(Ask::of(&[(&scale_out(), long_ago)], &shop.snapshot, &Policy::default(), 900), None);
}

fn minutes(now: &str, zone: &str) -> Vec<(u32, i64, Timestamp)> {
    let taken_at: Timestamp = now.parse().unwrap();
    let ask = Ask::of(&[(&flush(95.0), taken_at)], &Shop::new().at(taken_at).snapshot, &Policy::default(), 900);
    let minutes = ask.unwrap().minutes(&TimeZone::get(zone).unwrap());
    minutes.into_iter().map(|minutes| (minutes.days_ago, minutes.shift_s, minutes.to)).collect()
}

#[test]
fn the_same_minutes_are_those_on_the_clock_of_the_wall() {
    const WEEK_S: i64 = 7 * 86_400;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // Berlin's clocks went from summer time to winter time on 25 October 2026, at three.
    let now = "2026-10-29T11:00:00Z";
    let utc = [(7, WEEK_S, at("2026-10-22T11:00:00Z")), (14, 2 * WEEK_S, at("2026-10-15T11:00:00Z"))];
    assert_eq!(minutes(now, "UTC"), utc);
    let noon = [(7, WEEK_S + 3_600, at("2026-10-22T10:00:00Z")), (14, 2 * WEEK_S + 3_600, at("2026-10-15T10:00:00Z"))];
    assert_eq!(minutes(now, "Europe/Berlin"), noon);
    // One week later only the second week lies beyond the change.
    let shifts = minutes("2026-11-05T11:00:00Z", "Europe/Berlin");
    assert_eq!(shifts.iter().map(|minutes| minutes.1).collect::<Vec<_>>(), [WEEK_S, 2 * WEEK_S + 3_600]);
    // In spring the hour between two and three was none on that wall; what is compared then is the hour after it.
    let spring = minutes("2026-04-05T00:30:00Z", "Europe/Berlin");
    assert_eq!(spring[0], (7, WEEK_S - 3_600, at("2026-03-29T01:30:00Z")));
}

#[test]
fn what_the_maintainer_did_in_those_minutes_or_in_the_hour_before_is_known() {
    let ask = Ask::of(&[(&flush(95.0), NOW)], &Shop::new().snapshot, &Policy::default(), 900).unwrap();
    let week = &ask.minutes(&TimeZone::UTC)[0];
    let disturbed = |at: Timestamp| week.week(&[], Vec::new(), &[(at, "it did".to_owned())]).disturbed.is_some();
    assert!(!disturbed(week.from - SignedDuration::from_secs(3_601)));
    assert!(disturbed(week.from - SignedDuration::from_secs(3_600)));
    assert!(disturbed(week.to - SignedDuration::from_secs(1)));
    assert!(!disturbed(week.to));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn prop_weeks_that_did_not_move_change_no_verdict(
        after_pct in 5.0_f64..98.0, expected_pct in 41.0_f64..98.0, levels in (20.0_f64..60.0, 1.0_f64..1.9)
    ) {
        let flat = [(levels.0, levels.0), (levels.0 * levels.1, levels.0 * levels.1)].map(|(a, b)| (a.min(99.0), b.min(99.0)));
        let (alone, with) = (flushed(expected_pct, after_pct, &[]), flushed(expected_pct, after_pct, &flat));
        prop_assert_eq!((alone.verdict, alone.keep, alone.interval), (with.verdict, with.keep, with.interval), "{}", with.why);
    }

    #[test]
    fn prop_more_movement_in_the_same_direction_never_makes_verified_easier(
        after_pct in 5.0_f64..98.0, level in 20.0_f64..60.0, less in 0.0_f64..40.0, more in 0.0_f64..40.0, other in 0.0_f64..40.0
    ) {
        let verdict = |by: f64| flushed(50.0, after_pct, &[(level, (level + by).min(99.0)), (level, (level + other).min(99.0))]).verdict;
        let (less, more) = (less.min(more), less.max(more));
        prop_assert!(verdict(less) == Verdict::Verified || verdict(more) != Verdict::Verified, "{less} {more}");
    }

    #[test]
    fn prop_history_never_makes_anything_easier_where_the_load_is_known(
        cpu in (20.0_f64..95.0, 20.0_f64..95.0), requests in 8_000.0_f64..30_000.0,
        weeks in prop::collection::vec((20.0_f64..95.0, 20.0_f64..95.0, 8_000.0_f64..30_000.0), 2)
    ) {
        let after = || web((cpu.1, cpu.1), (requests, requests));
        let before = || web((cpu.0, cpu.0), (20_000.0, 20_000.0));
        let past = DAYS_AGO.iter().zip(&weeks).fold(after(), |after, (days_ago, (from, to, load))| {
            after.week(*days_ago, &web((*from, *to), (20_000.0, *load)))
        });
        let (alone, with) = (judged(&scale_out(), before(), after()), judged(&scale_out(), before(), past));
        prop_assert!(with.verdict == alone.verdict || with.verdict == Verdict::Inconclusive, "{} {}", alone.why, with.why);
    }
}
