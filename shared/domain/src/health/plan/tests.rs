//! Findings to changes, table by table.

use super::super::fixture::{MEMBERS, NOW, Shop, instance, minutes_ago};
use super::*;
use crate::change::Better;
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Task};

/// A fleet that is at this CPU on every member.
fn busy(cpu: f64) -> Shop {
    let shop = Shop::new().is("fleet_cpu_pct", "asg", cpu);
    MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, move |_| Some(cpu)))
}

pub(super) fn suffering() -> Shop {
    Shop::new().became("latency_p95_ms", "tg", 2_500.0, 8.0).became("errors_5xx", "tg", 1_000.0, 8.0)
}

fn poisoned() -> Shop {
    Shop::new().became("cache_hits", "cache", 540.0, 8.0).became("cache_misses", "cache", 10_260.0, 8.0)
}

pub(super) fn leaking(level: f64) -> Shop {
    let law = move |ago: f64| Some(level - ago / 3.0);
    let shop = Shop::new().law("fleet_memory_pct", "asg", law);
    MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_memory_pct", member, law))
}

fn backlog(depth: f64, sent: f64) -> Shop {
    Shop::new().is("queue_depth", "queue", depth).is("queue_sent", "queue", sent).is("queue_deleted", "queue", 1_800.0)
}

fn tried(kind: ChangeKind, resource: &str, verdict: Option<Verdict>, ago_min: i64) -> Tried {
    Tried {
        id: format!("{kind:?}-{ago_min}").as_str().into(),
        kind,
        rollout: None,
        because: "memory_leak".into(),
        resource: resource.into(),
        verdict,
        why: String::new(),
        signal: "fleet_memory_pct".into(),
        level: 88.0,
        at: minutes_ago(ago_min),
    }
}

/// What a plan does, in words.
pub(super) fn actions(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|change| change.action.to_string()).collect()
}

pub(super) fn reasons(plan: &Plan) -> String {
    plan.passed_over.iter().map(|passed| format!("{}: {}\n", passed.remedy, passed.reason)).collect()
}

#[test]
fn each_sickness_gets_its_own_remedy() {
    let cases: [(&str, Shop, &str); 7] = [
        ("saturation", busy(96.0), "set the capacity of shop-web to 7"),
        (
            "sick instance",
            Shop::new().member("instance_cpu_pct", "i-3", |_| Some(99.0)),
            "replace instance i-3 of shop-web",
        ),
        ("leak", leaking(88.0), "replace instance i-1 of shop-web"),
        ("poisoned cache", poisoned(), "clear the cache shop-cache"),
        ("backlog", backlog(3_000.0, 2_160.0), "set the task count of shop-worker to 5"),
        ("dependency", suffering(), "replace instance i-1 of shop-web"),
        ("full disks", Shop::new().is("fleet_disk_pct", "asg", 92.0), "replace instance i-1 of shop-web"),
    ];
    for (name, shop, action) in cases {
        let plan = shop.plan(&[]);
        assert_eq!(actions(&plan), [action], "{name}: {}", reasons(&plan));
    }
    assert_eq!(actions(&Shop::new().plan(&[])), Vec::<String>::new());
}

#[test]
fn an_expectation_is_the_level_before_and_what_the_model_says_after() {
    let plan = busy(96.0).plan(&[]);
    let expected = &plan.changes[0].expected;
    assert_eq!(
        (expected.signal.as_str(), expected.resource.as_str(), expected.better),
        ("fleet_cpu_pct", "asg", Better::Lower)
    );
    assert!((expected.before - 96.0).abs() < 1.0 && (expected.after - 96.0 * 4.0 / 7.0).abs() < 1.0, "{expected:?}");
    let restart = suffering().plan(&[]);
    let expected = &restart.changes[0].expected;
    let usual = expected.before - 4.0 * (expected.before - expected.after);
    assert!(usual.abs() < 0.1, "a share of one in four of the way to what was usual before: {expected:?}");
}

#[test]
fn the_warning_level_is_mentioned_with_its_numbers() {
    let plan = busy(75.0).plan(&[]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("scaled out above 80 %"), "{}", reasons(&plan));
}

#[test]
fn what_did_not_help_is_not_planned_again_for_a_while() {
    let kind = ChangeKind::SetFleetCapacity;
    let cases = [
        (Some(Verdict::Regressed), 23 * 60, false),
        (Some(Verdict::Regressed), 25 * 60, true),
        (Some(Verdict::Inconclusive), 3 * 60, false),
        (Some(Verdict::Inconclusive), 5 * 60, true),
        (Some(Verdict::Verified), 20, true),
        (None, 20, false),
        (None, 90, true),
    ];
    for (verdict, ago_min, planned) in cases {
        let plan = busy(96.0).plan(&[tried(kind, "asg", verdict, ago_min)]);
        let scales = plan.changes.iter().any(|change| change.action.kind() == kind);
        assert_eq!(scales, planned, "{verdict:?} {ago_min} min ago: {}", reasons(&plan));
    }
    let elsewhere = busy(96.0).plan(&[tried(kind, "other", Some(Verdict::Regressed), 10)]);
    assert_eq!(elsewhere.changes.len(), 1);
}

#[test]
fn a_remedy_that_is_needed_again_and_again_is_no_remedy() {
    let restart = |ago_min| tried(ChangeKind::RefreshFleet, "asg", Some(Verdict::Verified), ago_min);
    assert_eq!(leaking(88.0).plan(&[restart(300), restart(600)]).changes.len(), 1);
    let plan = leaking(88.0).plan(&[restart(300), restart(600), restart(900)]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("3 times within a day"), "{}", reasons(&plan));
    let [finding] = plan.findings.as_slice() else { panic!("{:?}", plan.findings) };
    assert_eq!((finding.rule.as_str(), finding.resource.as_str()), ("repeated_remedy", "asg"));
    assert_eq!(
        finding.summary,
        "refresh_fleet was made here 3 times within a day, helped 3 times, and is asked for again because of memory_leak"
    );
    let times: Vec<(f64, bool)> =
        finding.evidence.iter().map(|one| (one.value, one.note.ends_with(", verified"))).collect();
    assert_eq!(times, [(88.0, true); 3], "{:?}", finding.evidence);
    assert!(crate::health::next_step(&finding.rule).contains("hides"), "a person is told what to look at");
}

#[test]
fn a_remedy_within_its_limit_or_asked_for_by_nobody_is_no_finding() {
    let restart = |ago_min| tried(ChangeKind::RefreshFleet, "asg", Some(Verdict::Verified), ago_min);
    assert_eq!(leaking(88.0).plan(&[restart(300), restart(600)]).findings, []);
    let past = [restart(300), restart(600), restart(900)];
    assert_eq!(Shop::new().plan(&past).findings, [], "it is well, and nothing is asked for");
    assert_eq!(leaking(88.0).plan(&[restart(300), restart(600), restart(1_440)]).findings, [], "a day ago");
}

#[test]
fn the_cause_is_mended_before_what_it_causes() {
    let both = |shop: Shop| {
        let shop = shop.is("fleet_cpu_pct", "asg", 97.0);
        MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, |_| Some(97.0)))
    };
    let plan = both(poisoned()).plan(&[]);
    assert_eq!(actions(&plan), ["clear the cache shop-cache"]);
    assert!(reasons(&plan).contains("goes first"), "{}", reasons(&plan));
    // A cache that was cleared in vain explains nothing any more.
    let again = both(poisoned()).plan(&[tried(ChangeKind::FlushCache, "cache", Some(Verdict::Inconclusive), 12)]);
    assert_eq!(actions(&again), ["set the capacity of shop-web to 7"]);
}

#[test]
fn one_change_per_resource_and_independent_ones_together() {
    let shop = leaking(90.0).is("fleet_cpu_pct", "asg", 97.0);
    let shop = MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, |_| Some(97.0)));
    let plan = shop
        .is("queue_depth", "queue", 3_000.0)
        .is("queue_sent", "queue", 2_160.0)
        .is("queue_deleted", "queue", 1_800.0)
        .plan(&[]);
    assert_eq!(actions(&plan), ["set the task count of shop-worker to 5", "replace instance i-1 of shop-web"]);
    assert!(reasons(&plan).contains("one change per resource"), "{}", reasons(&plan));
}

#[test]
fn a_full_database_vetoes_scale_out_only_while_the_web_tier_is_not_over_its_own_bound() {
    let warm = busy(76.0).is("db_cpu_pct", "db", 95.0).is("fleet_memory_pct", "asg", 87.0);
    let warm = MEMBERS.iter().fold(warm, |shop, member| shop.member("instance_memory_pct", member, |_| Some(87.0)));
    let plan = warm.plan(&[]);
    assert!(
        plan.changes.is_empty() && reasons(&plan).contains("bottleneck is the database shop-db"),
        "{}",
        reasons(&plan)
    );
    let hot = busy(96.0).is("db_cpu_pct", "db", 95.0).plan(&[]);
    assert_eq!(actions(&hot), ["set the capacity of shop-web to 7"], "tried, measured, and undone if it harms");
}

#[test]
fn scaling_stays_within_the_owners_bounds_and_one_step() {
    let at_max = busy(96.0).fleet(|fleet| fleet.max = 4).plan(&[]);
    assert!(at_max.changes.is_empty() && reasons(&at_max).contains("4 is the owner's maximum"), "{}", reasons(&at_max));
    let near = busy(96.0).fleet(|fleet| fleet.max = 6).plan(&[]);
    assert_eq!(actions(&near), ["set the capacity of shop-web to 6"]);
    let starting = busy(96.0).fleet(|fleet| fleet.desired = 7).plan(&[]);
    assert!(reasons(&starting).contains("7 are wanted already"), "{}", reasons(&starting));
    let unbounded = backlog(50_000.0, 9_000.0).service(|service| service.bounds = None).plan(&[]);
    assert_eq!(actions(&unbounded), ["set the task count of shop-worker to 6"], "one step is a factor of two");
}

#[test]
fn consumers_are_added_only_where_that_can_help() {
    let draining = backlog(1_100.0, 1_500.0).plan(&[]);
    assert!(draining.changes.is_empty() && reasons(&draining).contains("waiting is enough"), "{}", reasons(&draining));
    let dead = backlog(3_000.0, 900.0).is("queue_deleted", "queue", 0.0).plan(&[]);
    assert!(!dead.changes.iter().any(|c| matches!(c.action, Action::SetServiceCount { .. })), "{}", reasons(&dead));
    assert!(reasons(&dead).contains("finish nothing at all"), "{}", reasons(&dead));
}

#[test]
fn which_service_consumes_a_queue_is_never_guessed() {
    let other = || {
        let Live::EcsService(service) = &Shop::new().snapshot.resources[3].live else { panic!("the service") };
        Live::EcsService(service.clone())
    };
    let two = backlog(3_000.0, 2_160.0).also("mailer", other());
    let plan = two.plan(&[]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("maintainer:consumer"), "{}", reasons(&plan));
    let tagged = backlog(3_000.0, 2_160.0).also("mailer", other()).with("queue", |queue| {
        queue.tags.insert("maintainer:consumer".to_owned(), "shop-worker".to_owned());
    });
    assert_eq!(actions(&tagged.plan(&[])), ["set the task count of shop-worker to 5"]);
}

#[test]
fn a_restart_needs_suffering_and_a_cause_that_it_can_touch() {
    let restarts = |shop: &Shop| shop.plan(&[]).changes.iter().any(|c| c.remedy() == ChangeKind::RefreshFleet);
    assert!(restarts(&suffering()));
    let slow = Shop::new().became("latency_p95_ms", "tg", 450.0, 8.0);
    assert!(!restarts(&slow), "score {:?} is not under 6", slow.score());
    assert!(!restarts(&suffering().is("db_cpu_pct", "db", 95.0)), "the database is full");
    assert!(
        !restarts(&suffering().service(|service| service.last_deployment_at = Some(minutes_ago(12)))),
        "a bad release"
    );
    assert!(
        !restarts(&suffering().is("requests", "tg", 10_800.0).became("requests", "tg", 60_000.0, 8.0).became(
            "errors_5xx",
            "tg",
            9_000.0,
            8.0
        )),
        "a flood"
    );
    assert!(!restarts(&suffering().fleet(|fleet| fleet.instances = vec![instance("i-1")])), "the last instance");
    assert!(!restarts(&suffering().fleet(|fleet| fleet.refresh_in_progress = true)), "under way already");
}

#[test]
fn a_leak_is_restarted_over_its_bound_and_watched_under_it() {
    let plan = leaking(70.0).plan(&[]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("restarted over 85 %"), "{}", reasons(&plan));
}

#[test]
fn a_low_hit_rate_alone_is_no_reason_to_empty_a_cache() {
    let low = || Shop::new().is("cache_hits", "cache", 5_400.0).is("cache_misses", "cache", 5_400.0);
    let well = low().plan(&[]);
    assert_eq!(actions(&well), ["clear the cache shop-cache"], "score {:?}", low().score());
    let better = Shop::new().is("cache_hits", "cache", 7_400.0).is("cache_misses", "cache", 3_400.0);
    let plan = better.plan(&[]);
    assert!(
        plan.changes.is_empty() && reasons(&plan).contains("nobody suffers"),
        "{} {:?}",
        reasons(&plan),
        better.score()
    );
}

#[test]
fn ids_are_the_same_in_every_repetition_and_differ_between_iterations() {
    let (shop, analysis) = (busy(96.0), busy(96.0).analysis());
    let at = |iteration| {
        plan(&shop.snapshot, &analysis, &Policy::default(), &Limits::default(), &[], &"run".into(), iteration).changes
            [0]
        .id
        .clone()
    };
    assert_eq!(at(1), at(1));
    assert_ne!(at(1), at(2));
    assert_eq!(shop.snapshot.taken_at, NOW);
}

#[test]
fn a_service_whose_bounds_could_not_be_read_keeps_its_size() {
    let unread = backlog(3_000.0, 2_160.0).service(|service| service.bounds_missing = Some(Missing::Throttled));
    let plan = unread.plan(&[]);
    assert!(plan.changes.is_empty(), "{:?}", actions(&plan));
    assert!(
        reasons(&plan).contains("the owner's bounds could not be read (throttled by the service)"),
        "{}",
        reasons(&plan)
    );
}

#[test]
fn a_target_tracking_policy_over_the_same_size_is_mentioned() {
    let reason = |alarm: &str| busy(96.0).alarm(alarm).plan(&[]).changes[0].reason.clone();
    assert!(
        reason("TargetTracking-shop-web-AlarmHigh-1")
            .contains("; a target tracking policy of shop-web may set it again; ")
    );
    assert!(!reason("TargetTracking-shop-web-2-AlarmHigh-1").contains("policy"), "that of another group");
    let tasks = backlog(3_000.0, 2_160.0).alarm("TargetTracking-service/shop/shop-worker-AlarmLow-1").plan(&[]);
    assert!(tasks.changes[0].reason.contains("target tracking policy of shop-worker"), "{}", tasks.changes[0].reason);
}

#[test]
fn a_restart_that_would_take_a_service_down_is_not_planned() {
    let alone = |min_healthy_pct: u32| {
        let law = |ago: f64| Some(88.0 - ago / 3.0);
        let shop = Shop::new().law("service_memory_pct", "ecs", law).service(|service| {
            (service.desired, service.running, service.min_healthy_pct) = (1, 1, min_healthy_pct);
            service.tasks = Observed::Known(vec![Task { id: "t-1".to_owned(), started_at: Some(minutes_ago(600)) }]);
        });
        shop.plan(&[])
    };
    assert_eq!(actions(&alone(100)), ["restart shop-worker by a new deployment"]);
    assert!(alone(0).changes.is_empty(), "{:?}", actions(&alone(0)));
    assert!(reasons(&alone(0)).contains("of 1 healthy members none would be left"), "{}", reasons(&alone(0)));
}

#[test]
fn what_a_change_costs_is_part_of_the_plan_and_not_knowing_it_too() {
    let grown = |shop: Shop| shop.plan(&[]).changes[0].clone();
    let change = grown(busy(96.0));
    // From 4 to 7 at 0.0168 USD an hour.
    assert_eq!(change.cost_usd_cents_month, Some(3_679));
    assert!(change.reason.ends_with("; about 36.79 USD a month more"), "{}", change.reason);

    let mut unknown = busy(96.0);
    unknown.snapshot.prices[0].usd_micros_hour = Observed::Missing(Missing::Denied("pricing:GetProducts".to_owned()));
    let change = grown(unknown);
    assert_eq!(change.cost_usd_cents_month, None);
    let said = "; what it costs is not known: access denied: grant pricing:GetProducts";
    assert!(change.reason.ends_with(said), "{}", change.reason);

    let cleared = grown(poisoned());
    assert_eq!(cleared.cost_usd_cents_month, Some(0), "clearing a cache adds nothing to the bill");
}

#[test]
fn over_forty_per_cent_of_a_fleet_sick_nothing_is_changed_on_it_and_the_reason_calls_for_a_person() {
    let failing = |count: usize, shop: Shop| {
        let sick = MEMBERS.iter().take(count);
        sick.fold(shop, |shop, member| shop.member("instance_status_failed", member, |_| Some(1.0)))
    };
    let one = failing(1, Shop::new()).plan(&[]);
    assert_eq!(actions(&one), ["replace instance i-1 of shop-web"]);
    for (count, shop) in [(2, Shop::new()), (4, Shop::new()), (3, busy(96.0)), (2, suffering())] {
        let plan = failing(count, shop).plan(&[]);
        assert_eq!(actions(&plan), Vec::<String>::new(), "{count} sick");
        let said = format!("{count} of 4 members of shop-web are sick, over 40 %");
        assert!(reasons(&plan).contains(&said), "{}", reasons(&plan));
    }
}
