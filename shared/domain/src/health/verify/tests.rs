//! The written rule of `docs/verdict.md`, case by case.

use super::super::fixture::{MEMBERS, NOW, Shop, instance};
use super::*;
use crate::change::{Action, Expectation};
use crate::observed::Missing;
use jiff::SignedDuration;

/// A minute for the change, the time it takes to settle, and the observed window.
fn later(change: &Change) -> Timestamp {
    NOW + SignedDuration::from_secs(360 + i64::from(change.action.spec().settle_s))
}

fn applied_at() -> Timestamp {
    NOW + SignedDuration::from_secs(20)
}

fn change(
    action: Action,
    on: &str,
    signal: &str,
    measured_on: &str,
    better: Better,
    before: f64,
    after: f64,
) -> Change {
    Change {
        id: "change".into(),
        action,
        resource: on.into(),
        because: "saturation".into(),
        reason: String::new(),
        expected: Expectation { signal: signal.into(), resource: measured_on.into(), better, before, after },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

fn scale_out() -> Change {
    let action = Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 7 };
    change(action, "asg", "fleet_cpu_pct", "asg", Better::Lower, 96.0, 55.0)
}

fn restart() -> Change {
    let action = Action::RefreshFleet { group: "shop-web".to_owned() };
    change(action, "asg", "latency_p95_ms", "tg", Better::Lower, 800.0, 80.0)
}

fn flush() -> Change {
    let action = Action::FlushCache { cache: "shop-cache".to_owned() };
    change(action, "cache", "cache_hit_rate_pct", "cache", Better::Higher, 5.0, 96.0)
}

fn add_tasks() -> Change {
    let action = Action::SetServiceCount { cluster: "shop".to_owned(), service: "shop-worker".to_owned(), desired: 5 };
    change(action, "ecs", "queue_depth", "queue", Better::Lower, 2_000.0, 0.0)
}

/// The shop at this CPU, response time and number of requests a minute.
fn web(cpu: f64, latency: f64, requests: f64) -> Shop {
    Shop::new().is("fleet_cpu_pct", "asg", cpu).is("latency_p95_ms", "tg", latency).is("requests", "tg", requests).is(
        "errors_5xx",
        "tg",
        1.0,
    )
}

fn judged(change: &Change, before: Shop, after: Shop) -> Outcome {
    verify(change, &before.snapshot, &after.at(later(change)).snapshot, applied_at(), &Policy::default())
}

#[test]
fn the_worked_example_of_the_documentation() {
    // 96 % on four servers, 55 % on seven under the same load.
    let outcome = judged(&scale_out(), web(96.0, 500.0, 22_000.0), web(55.0, 95.0, 22_000.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Verified, true), "{}", outcome.why);
    let (low, high) = outcome.interval.unwrap();
    assert!(low > -43.0 && high < -39.0, "{low} {high}");
    assert!((outcome.improvement_pct.unwrap() - 42.7).abs() < 1.5, "{:?}", outcome.improvement_pct);
}

#[test]
fn traffic_that_fell_by_itself_does_not_verify_a_useless_change() {
    // Half the requests, half the CPU: nothing is left for the change.
    let outcome = judged(&scale_out(), web(90.0, 300.0, 20_000.0), web(45.0, 80.0, 10_000.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, false), "{}", outcome.why);
    assert!(outcome.why.contains("corrected for 0.50 times the load"), "{}", outcome.why);
    let restart = judged(&restart(), web(85.0, 800.0, 20_000.0), web(60.0, 300.0, 14_000.0));
    assert_eq!(restart.verdict, Verdict::Inconclusive, "{}", restart.why);
}

/// A plan was carried out after twenty minutes, and the peak that it was made for had ended after nine: the minutes before
/// the snapshot, the change, and the verdict knew only the peak and the time after.
#[test]
fn regression_what_came_about_before_the_change_was_made_is_not_credited_to_it() {
    let made_at = NOW + SignedDuration::from_mins(20);
    let seen_at = made_at + SignedDuration::from_mins(11);
    let judged = |meanwhile: f64| {
        // Four servers at 48 %, seven at 27 %: more servers do lower it, and nobody needs them.
        let after = web(0.0, 80.0, 22_000.0)
            .law("fleet_cpu_pct", "asg", move |ago| Some(if ago > 11.0 { meanwhile } else { 27.0 }))
            .at(seen_at);
        verify(&scale_out(), &web(96.0, 80.0, 22_000.0).snapshot, &after.snapshot, made_at, &Policy::default())
    };
    let ended = judged(48.0);
    assert_eq!((ended.verdict, ended.keep), (Verdict::Inconclusive, false), "{}", ended.why);
    assert!(ended.why.contains("had come to 48"), "{}", ended.why);
    let going_on = judged(96.0);
    assert_eq!((going_on.verdict, going_on.keep), (Verdict::Verified, true), "{}", going_on.why);
}

#[test]
fn traffic_that_rose_after_a_good_change_is_not_held_against_it() {
    // Seven servers instead of four under 1.5 times the load.
    let outcome = judged(&scale_out(), web(90.0, 300.0, 20_000.0), web(77.0, 190.0, 30_000.0));
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    let slower = judged(&restart(), web(70.0, 150.0, 20_000.0), web(90.0, 260.0, 26_000.0));
    assert_ne!(slower.verdict, Verdict::Regressed, "{}", slower.why);
}

#[test]
fn a_change_that_lowers_cpu_and_slows_every_answer_has_regressed() {
    let outcome = judged(&scale_out(), web(98.0, 2_000.0, 22_000.0), web(80.0, 3_000.0, 22_000.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Regressed, false), "{}", outcome.why);
    assert!(outcome.why.contains("latency_p95_ms of shop went from"), "{}", outcome.why);
    let within_budget = judged(&scale_out(), web(96.0, 60.0, 22_000.0), web(55.0, 80.0, 22_000.0));
    assert_eq!(within_budget.verdict, Verdict::Verified, "80 ms harm nobody: {}", within_budget.why);
}

#[test]
fn what_got_clearly_worse_has_regressed_and_what_did_not_move_is_inconclusive() {
    let worse = judged(&restart(), web(50.0, 400.0, 20_000.0), web(50.0, 700.0, 20_000.0));
    assert_eq!(worse.verdict, Verdict::Regressed, "{}", worse.why);
    assert!(worse.keep, "a restart can't be taken back");
    let same = judged(&scale_out(), web(90.0, 300.0, 20_000.0), web(90.0, 300.0, 20_000.0));
    assert_eq!((same.verdict, same.keep), (Verdict::Inconclusive, false), "{}", same.why);
    let kept = judged(&restart(), web(50.0, 400.0, 20_000.0), web(50.0, 400.0, 20_000.0));
    assert_eq!((kept.verdict, kept.keep), (Verdict::Inconclusive, true), "{}", kept.why);
    let hardly = judged(&restart(), web(50.0, 800.0, 20_000.0), web(50.0, 740.0, 20_000.0));
    assert_eq!(hardly.verdict, Verdict::Inconclusive, "an eighth of what was expected: {}", hardly.why);
}

#[test]
fn regression_a_growth_is_not_taken_back_blindly() {
    // No values after: nobody knows whether the size before would do.
    let blind = web(55.0, 95.0, 22_000.0).missing("fleet_cpu_pct", "asg", Missing::NoData);
    let outcome = judged(&scale_out(), web(96.0, 500.0, 22_000.0), blind);
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, true), "{}", outcome.why);
    assert!(outcome.why.contains("it is kept"), "{}", outcome.why);
    // Cut off at the top on both sides: seven servers are as full as four were, which proves nothing.
    let full = judged(&scale_out(), web(100.0, 900.0, 30_000.0), web(100.0, 900.0, 30_000.0));
    assert_eq!((full.verdict, full.keep), (Verdict::Inconclusive, true), "{}", full.why);
    // In order with seven, and four would run at 56 · 7/4 = 98 %.
    let ramp = web(0.0, 300.0, 22_000.0).law("fleet_cpu_pct", "asg", |ago| Some(if ago < 2.0 { 100.0 } else { 60.0 }));
    let outcome = judged(&scale_out(), ramp, web(56.0, 95.0, 28_000.0));
    assert!(outcome.keep, "{}: {}", outcome.verdict, outcome.why);
    // Not comparable, but the size before would carry what is known to be there.
    let idle = web(20.0, 95.0, 22_000.0).missing("requests", "tg", Missing::Throttled);
    let outcome = judged(&scale_out(), web(96.0, 500.0, 22_000.0), idle);
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, false), "{}", outcome.why);
}

#[test]
fn without_values_after_the_change_nothing_is_verified() {
    let blind = |reason| web(55.0, 95.0, 22_000.0).missing("fleet_cpu_pct", "asg", reason);
    for reason in [Missing::NoData, Missing::Throttled, Missing::Stale(900)] {
        let outcome = judged(&scale_out(), web(96.0, 500.0, 22_000.0), blind(reason));
        assert_eq!((outcome.verdict, outcome.after), (Verdict::Inconclusive, None), "{}", outcome.why);
    }
    let stopped = web(55.0, 95.0, 22_000.0).law("fleet_cpu_pct", "asg", |ago| (ago > 9.0).then_some(55.0));
    assert_eq!(judged(&scale_out(), web(96.0, 500.0, 22_000.0), stopped).verdict, Verdict::Inconclusive);
    let unknown_load = web(55.0, 95.0, 22_000.0).missing("requests", "tg", Missing::Throttled);
    let outcome = judged(&scale_out(), web(96.0, 500.0, 22_000.0), unknown_load);
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    let unknown_harm = web(55.0, 95.0, 22_000.0).missing("latency_p95_ms", "tg", Missing::Throttled);
    assert_eq!(judged(&scale_out(), web(96.0, 500.0, 22_000.0), unknown_harm).verdict, Verdict::Inconclusive);
}

#[test]
fn a_measurement_before_the_change_has_settled_says_nothing() {
    let early = web(55.0, 95.0, 22_000.0).at(NOW + SignedDuration::from_mins(4));
    let outcome =
        verify(&scale_out(), &web(96.0, 500.0, 22_000.0).snapshot, &early.snapshot, applied_at(), &Policy::default());
    assert_eq!(outcome.verdict, Verdict::Inconclusive);
    assert!(outcome.why.contains("takes 300 s to settle"), "{}", outcome.why);
    let refreshing = web(50.0, 90.0, 20_000.0)
        .fleet(|fleet| fleet.refresh_in_progress = true)
        .at(NOW + SignedDuration::from_mins(16));
    let outcome = verify(
        &restart(),
        &web(50.0, 800.0, 20_000.0).snapshot,
        &refreshing.snapshot,
        applied_at(),
        &Policy::default(),
    );
    assert!(outcome.why.contains("still under way"), "{}", outcome.why);
}

#[test]
fn minutes_from_before_the_incident_don_t_count_as_before() {
    // The hit rate fell four minutes ago; one good minute lies in the window.
    let rate = |pct: f64, minutes: f64| {
        Shop::new().became("cache_hits", "cache", 108.0 * pct, minutes).became(
            "cache_misses",
            "cache",
            108.0 * (100.0 - pct),
            minutes,
        )
    };
    let outcome = judged(&flush(), rate(1.0, 4.0), rate(94.0, 30.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Verified, true), "{}", outcome.why);
    assert!(outcome.before.unwrap() < 2.0, "{outcome:?}");
}

#[test]
fn minutes_in_which_the_fleet_had_another_size_don_t_count_as_before() {
    // Seven servers were taken back to four a moment ago: what they show is not what the next change is made against.
    let before = web(60.0, 800.0, 20_000.0).is("fleet_desired", "asg", 7.0);
    let outcome = judged(&restart(), before, web(50.0, 100.0, 20_000.0));
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    assert!(outcome.why.contains("0 comparable values before"), "{}", outcome.why);
}

#[test]
fn a_backlog_is_compared_with_what_would_wait_without_the_change() {
    let filling = || {
        Shop::new().is("queue_depth", "queue", 2_000.0).is("queue_sent", "queue", 2_160.0).is(
            "queue_deleted",
            "queue",
            1_800.0,
        )
    };
    let drained = Shop::new().is("queue_depth", "queue", 900.0).is("queue_sent", "queue", 2_160.0).is(
        "queue_deleted",
        "queue",
        2_500.0,
    );
    let outcome = judged(&add_tasks(), filling(), drained);
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    // Nobody sends any more: the old consumers would have done it alone.
    let dry =
        Shop::new().is("queue_depth", "queue", 0.0).is("queue_sent", "queue", 0.0).is("queue_deleted", "queue", 200.0);
    let outcome = judged(&add_tasks(), filling(), dry);
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, false), "{}", outcome.why);
    // Longer than before, yet far shorter than it would be.
    let held = Shop::new().is("queue_depth", "queue", 2_500.0).is("queue_sent", "queue", 4_000.0).is(
        "queue_deleted",
        "queue",
        3_900.0,
    );
    assert_eq!(judged(&add_tasks(), filling(), held).verdict, Verdict::Verified);
}

/// Consumers of a backlog are as busy as they can be, however little comes in: what counts is what they would have finished.
#[test]
fn regression_consumers_of_a_backlog_are_not_judged_by_what_comes() {
    let action = Action::SetServiceCount { cluster: "shop".to_owned(), service: "shop-worker".to_owned(), desired: 5 };
    let more = change(action, "ecs", "service_cpu_pct", "ecs", Better::Lower, 96.0, 60.0);
    let queue = |depth: f64, sent: f64, deleted: f64, cpu: f64| {
        Shop::new()
            .is("queue_depth", "queue", depth)
            .is("queue_sent", "queue", sent)
            .is("queue_deleted", "queue", deleted)
            .is("service_cpu_pct", "ecs", cpu)
    };
    let judge = |depth: f64, sent: f64, cpu: f64| {
        judged(&more, queue(depth, 2_160.0, 1_800.0, 96.0), queue(depth * 0.5, sent, 2_700.0, cpu))
    };
    // Half of it comes, and 20,000 wait: the old consumers would be busy all the time.
    let outcome = judge(20_000.0, 1_000.0, 60.0);
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    // Nothing waited, so with half of the load half of the old consumers' time would do.
    let outcome = judge(0.0, 1_000.0, 60.0);
    assert_ne!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    // The backlog would have been done within two minutes: what they do afterwards is what comes.
    let outcome = judge(2_000.0, 200.0, 60.0);
    assert_ne!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
}

#[test]
fn a_replaced_instance_is_compared_with_its_untouched_peers() {
    let action = Action::ReplaceInstance { group: "shop-web".to_owned(), instance: "i-3".to_owned() };
    let replace = change(action, "asg", "instance_cpu_pct", "asg", Better::Lower, 99.0, 47.0);
    let sick = || Shop::new().member("instance_cpu_pct", "i-3", |_| Some(99.0));
    let healed = Shop::new().fleet(|fleet| fleet.instances[2] = instance("i-9"));
    let outcome = judged(&replace, sick(), healed);
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    // Everything is less busy, but one still stands out as far as before.
    let quieter =
        MEMBERS.iter().fold(Shop::new(), |shop, member| shop.member("instance_cpu_pct", member, |_| Some(10.0)));
    let outcome = judged(&replace, sick(), quieter.member("instance_cpu_pct", "i-1", |_| Some(62.0)));
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
}

/// A leaking fleet of which i-3 goes first.
fn canary(of: u32) -> Change {
    let action = Action::ReplaceInstance { group: "shop-web".to_owned(), instance: "i-3".to_owned() };
    let change = change(action, "asg", "instance_memory_pct", "asg", Better::Lower, 88.0, 46.0);
    Change { rollout: Some(Rollout::Canary { of, then: crate::change::ChangeKind::RefreshFleet }), ..change }
}

/// Every member leaks, and is at this level now.
fn leaking(level: f64) -> Shop {
    MEMBERS.iter().fold(Shop::new(), |shop, member| {
        shop.member("instance_memory_pct", member, move |ago| Some(level - ago / 3.0 + 0.3 * (ago * 2.399).sin()))
    })
}

/// i-3 was replaced by i-9, which is at this level, beside leaking peers.
fn newcomer(level: f64) -> Shop {
    leaking(91.5)
        .fleet(|fleet| fleet.instances[2] = instance("i-9"))
        .member("instance_memory_pct", "i-3", |ago| (ago > 10.0).then_some(88.0))
        .member("instance_memory_pct", "i-9", move |ago| (ago <= 9.0).then(|| level + 0.3 * (ago * 1.7).sin()))
}

#[test]
fn a_canary_is_judged_by_its_successor_against_the_untouched_members() {
    // Before and after, the worst member stands out from its peers just as little: that comparison would see nothing.
    let helped = judged(&canary(4), leaking(88.0), newcomer(46.0));
    assert_eq!(helped.verdict, Verdict::Verified, "{}", helped.why);
    let (low, high) = helped.interval.unwrap();
    assert!(low > -48.0 && high < -40.0, "{low} {high}");
    assert!(helped.why.contains("beside untouched members at 9"), "{}", helped.why);
    for (level, verdict) in [
        // As full as the others, or hardly less: the restart does not help.
        (90.0, Verdict::Inconclusive),
        (82.0, Verdict::Inconclusive),
        // A little more than its peers is no harm, a lot is.
        (92.0, Verdict::Inconclusive),
        (106.0, Verdict::Regressed),
    ] {
        let outcome = judged(&canary(4), leaking(88.0), newcomer(level));
        assert_eq!((outcome.verdict, outcome.keep), (verdict, true), "at {level}: {}", outcome.why);
    }
}

#[test]
fn regression_a_sickness_that_goes_on_in_the_untouched_members_is_no_harm_of_the_canary() {
    let slow = |shop: Shop| shop.is("errors_5xx", "tg", 300.0);
    let outcome = judged(&canary(4), leaking(88.0), slow(newcomer(46.0)));
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    assert!(outcome.why.contains("as the untouched members went on from 8"), "{}", outcome.why);
    // A target that fails its health check may be the newcomer.
    let failing = slow(newcomer(46.0)).is("hosts_unhealthy", "tg", 1.0);
    assert_eq!(judged(&canary(4), leaking(88.0), failing).verdict, Verdict::Regressed);
    // And where the others stand still, what users feel is the canary's doing.
    let still = MEMBERS.iter().fold(slow(newcomer(46.0)), |shop, member| {
        if *member == "i-3" { shop } else { shop.member("instance_memory_pct", member, |_| Some(86.0)) }
    });
    assert_eq!(judged(&canary(4), leaking(88.0), still).verdict, Verdict::Regressed);
}

#[test]
fn a_canary_whose_successor_is_not_measured_is_not_verified() {
    let unseen = leaking(91.5).fleet(|fleet| fleet.instances[2] = instance("i-9"));
    let unseen = unseen.member("instance_memory_pct", "i-3", |ago| (ago > 10.0).then_some(88.0));
    let outcome = judged(&canary(4), leaking(88.0), unseen);
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    assert!(outcome.why.contains("0 comparable values after"), "{}", outcome.why);
}

#[test]
fn a_canary_that_is_only_a_share_of_what_is_measured_needs_only_its_share_of_the_effect() {
    let action = Action::ReplaceInstance { group: "shop-web".to_owned(), instance: "i-3".to_owned() };
    let share = change(action, "asg", "latency_mean_ms", "tg", Better::Lower, 2_000.0, 1_510.0);
    let share =
        Change { rollout: Some(Rollout::Canary { of: 4, then: crate::change::ChangeKind::RefreshFleet }), ..share };
    let door = |mean: f64| web(40.0, 3.0 * mean, 22_000.0).is("latency_mean_ms", "tg", mean);
    for (mean, verdict) in [
        (1_510.0, Verdict::Verified),
        (1_950.0, Verdict::Inconclusive),
        (2_000.0, Verdict::Inconclusive),
        (2_600.0, Verdict::Regressed),
    ] {
        let outcome = judged(&share, door(2_000.0), door(mean));
        assert_eq!(outcome.verdict, verdict, "{mean}: {}", outcome.why);
    }
}

#[test]
fn a_canary_of_a_service_is_its_emptiest_task_against_the_others() {
    let action =
        Action::ReplaceTask { cluster: "shop".to_owned(), service: "shop-worker".to_owned(), task: "t-3".to_owned() };
    let one = change(action, "ecs", "service_memory_min_pct", "ecs", Better::Lower, 88.0, 46.0);
    let one =
        Change { rollout: Some(Rollout::Canary { of: 3, then: crate::change::ChangeKind::RedeployService }), ..one };
    let tasks = |others: f64, lowest: f64| {
        Shop::new().is("service_memory_min_pct", "ecs", lowest).is(
            "service_memory_pct",
            "ecs",
            (2.0 * others + lowest) / 3.0,
        )
    };
    let helped = judged(&one, tasks(88.0, 87.5), tasks(92.0, 46.0));
    assert_eq!(helped.verdict, Verdict::Verified, "{}", helped.why);
    assert!(helped.why.contains("beside untouched members at 92"), "{}", helped.why);
    // All of them are lower, so it was not the fresh task: messages ran out.
    let all = judged(&one, tasks(88.0, 87.5), tasks(46.5, 46.0));
    assert_eq!(all.verdict, Verdict::Inconclusive, "{}", all.why);
}

#[test]
fn without_anything_from_before_nothing_is_verified_and_no_growth_is_taken_back_blindly() {
    let prior = Shop::new().snapshot.resource(&"asg".into()).unwrap().live.clone();
    let judged = |cpu_pct: f64| {
        let after = web(cpu_pct, 95.0, 22_000.0).snapshot;
        verify_without_before(&scale_out(), &prior, &after, "it is gone", &Policy::default())
    };
    // Seven servers for four: at 55 % the four would run at 96 %, at 20 % at 35 %.
    for (cpu_pct, keep) in [(55.0, true), (20.0, false)] {
        let outcome = judged(cpu_pct);
        assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, keep), "{}", outcome.why);
        assert!(outcome.before.is_none() && outcome.why.starts_with("it is gone"), "{}", outcome.why);
    }
}

#[test]
fn a_verdict_is_due_once_the_change_has_settled_and_its_window_is_full() {
    let due = |seconds: i64| is_due(&scale_out(), NOW, NOW + SignedDuration::from_secs(seconds), &Policy::default());
    assert_eq!((due(599), due(600)), (false, true));
}

/// While the load rose by six tenths, six servers instead of four kept the CPU under what four would have had, and it stood a
/// little over what is in order: it was undone, four servers drowned, and every fourth request failed.
#[test]
fn regression_a_growth_that_relieved_and_is_needed_is_not_taken_back_because_it_is_still_busy() {
    let change =
        Change { action: Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 6 }, ..scale_out() };
    let outcome = judged(&change, web(82.7, 155.0, 13_500.0), web(89.5, 440.0, 21_600.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, true), "{}", outcome.why);
    assert!(outcome.why.contains("which the load could explain"), "{}", outcome.why);
    let useless = judged(&change, web(88.0, 155.0, 20_000.0), web(88.0, 440.0, 20_000.0));
    assert!(!useless.keep, "what relieves nothing goes: {}", useless.why);
}

/// It barred further growth for four hours, while the load went on rising.
#[test]
fn regression_a_growth_that_relieved_and_stays_may_be_followed_by_more() {
    let change =
        Change { action: Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 6 }, ..scale_out() };
    let relieved = judged(&change, web(82.7, 155.0, 13_500.0), web(89.5, 440.0, 21_600.0));
    assert!(relieved.relieved(Better::Lower) && !relieved.relieved(Better::Higher), "{relieved:?}");
    let useless = judged(&change, web(88.0, 155.0, 20_000.0), web(88.0, 440.0, 20_000.0));
    assert!(!useless.relieved(Better::Lower), "{useless:?}");
}

/// Half of the load gone, a tenth of the waiting: with a lock behind the servers that is what less load does, and no CPU shows it.
#[test]
fn regression_answers_that_got_faster_under_much_less_load_are_not_credited_because_the_servers_were_idle() {
    let grown = Change { action: scale_out().action, ..restart() };
    let outcome = judged(&grown, web(40.0, 800.0, 22_000.0), web(13.0, 100.0, 12_000.0));
    assert_eq!((outcome.verdict, outcome.keep), (Verdict::Inconclusive, false), "{}", outcome.why);
    let outcome = judged(&grown, web(40.0, 800.0, 22_000.0), web(23.0, 100.0, 22_000.0));
    assert_eq!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
}
