//! Every rule on both sides of its bounds.

use super::super::fixture::{MEMBERS, Shop, minutes_ago};
use super::*;
use crate::observed::Missing;
use crate::resource::{CustomMetric, Live};
use std::collections::BTreeMap;

fn found(shop: &Shop, rule: &str) -> bool {
    shop.rules().iter().any(|id| id == rule)
}

fn summary(shop: &Shop, rule: &str) -> String {
    let analysis = shop.analysis();
    analysis.findings.iter().find(|finding| finding.rule.as_str() == rule).expect("the finding").summary.clone()
}

fn severity_of(shop: &Shop, rule: &str) -> Severity {
    let analysis = shop.analysis();
    analysis.findings.iter().find(|finding| finding.rule.as_str() == rule).expect("the finding").severity
}

#[test]
fn a_healthy_application_has_no_finding_and_the_proof_of_it() {
    let analysis = Shop::new().analysis();
    assert_eq!(analysis.findings, Vec::new());
    let proof = analysis.no_opportunity_because.expect("a proof");
    assert!(proof.contains("judged signals score 8 or better") && proof.contains("cache hit rate"), "{proof}");
}

#[test]
fn every_rule_is_listed_once_with_a_next_step() {
    for rule in RULES {
        assert_eq!(RULES.iter().filter(|other| other.id == rule.id).count(), 1, "{}", rule.id);
        assert!(!rule.next_step.is_empty() && next_step(&rule.id.into()) == rule.next_step);
    }
}

#[test]
fn saturation_acts_over_its_bound_and_warns_under_it() {
    for (cpu, severity) in [
        (69.0, None),
        (75.0, Some(Severity::Low)),
        (79.0, Some(Severity::Low)),
        (82.0, Some(Severity::Medium)),
        (97.0, Some(Severity::High)),
    ] {
        let shop = Shop::new().is("fleet_cpu_pct", "asg", cpu);
        let shop =
            MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, move |_| Some(cpu)));
        let analysis = shop.analysis();
        let finding = analysis.findings.iter().find(|finding| finding.rule.as_str() == "saturation");
        assert_eq!(finding.map(|finding| finding.severity), severity, "{cpu}");
    }
    let felt = Shop::new().is("service_cpu_pct", "ecs", 99.0);
    assert_eq!(severity_of(&felt, "saturation"), Severity::High);
    assert!(found(&Shop::new().is("service_memory_pct", "ecs", 86.0), "saturation"));
}

#[test]
fn a_rising_cpu_acts_before_it_is_over_its_bound_and_a_steady_one_does_not() {
    let rising = |per_min: f64| {
        let law = move |ago: f64| Some(80.0 - per_min * (ago.min(10.0) - 1.0));
        let shop = Shop::new().law("fleet_cpu_pct", "asg", law);
        MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, law))
    };
    assert!(summary(&rising(2.5), "saturation").contains("rises"));
    assert_eq!(severity_of(&rising(0.5), "saturation"), Severity::Low);
}

#[test]
fn an_alarm_that_nothing_else_explains_makes_the_warning_level_act() {
    let warm = || {
        let shop = Shop::new().is("fleet_cpu_pct", "asg", 76.0);
        MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, |_| Some(76.0)))
    };
    assert_eq!(severity_of(&warm(), "saturation"), Severity::Low);
    assert!(severity_of(&warm().alarm("shop-cpu"), "saturation") > Severity::Low);
    let explained = warm().alarm("shop-latency").is("latency_p95_ms", "tg", 900.0);
    assert_eq!(severity_of(&explained, "saturation"), Severity::Low, "the response time explains the alarm");
}

#[test]
fn one_busy_member_is_sick_and_the_fleet_is_not_saturated() {
    let shop = Shop::new().is("fleet_cpu_pct", "asg", 81.0).member("instance_cpu_pct", "i-2", |_| Some(100.0));
    assert!(!found(&shop, "saturation") && found(&shop, "sick_instance"));
}

#[test]
fn memory_that_grows_with_age_is_a_leak() {
    let growing = |per_h: f64| {
        MEMBERS.iter().fold(Shop::new(), |shop, member| {
            shop.member("instance_memory_pct", member, move |ago| Some(80.0 - per_h * ago / 60.0))
        })
    };
    assert!(found(&growing(20.0), "memory_leak"));
    assert!(summary(&growing(20.0), "memory_leak").contains("grows by 20.0 points an hour"));
    assert!(!found(&growing(1.5), "memory_leak"), "under the least rate");
    assert!(!found(&growing(0.0), "memory_leak"));
}

#[test]
fn growth_that_levels_off_or_follows_the_load_or_began_just_now_is_no_leak() {
    let law = |of: fn(f64) -> f64| {
        MEMBERS
            .iter()
            .fold(Shop::new(), move |shop, member| shop.member("instance_memory_pct", member, move |ago| Some(of(ago))))
    };
    assert!(!found(&law(|ago| if ago > 35.0 { 60.0 - (ago - 35.0) } else { 60.0 }), "memory_leak"), "levels off");
    assert!(found(&law(|ago| 90.0 - ago / 3.0), "memory_leak"));
    let loaded = law(|ago| 90.0 - ago / 3.0).law("requests", "tg", |ago| Some(20_000.0 - 120.0 * ago));
    assert!(!found(&loaded, "memory_leak"), "the load grew as well");
    // Restarted twenty minutes ago: too short to tell.
    assert!(!found(&law(|ago| if ago > 20.0 { 90.0 } else { 60.0 - ago / 2.0 }), "memory_leak"));
}

#[test]
fn a_member_that_stands_out_from_its_peers_is_sick() {
    let hot = |cpu: f64| Shop::new().member("instance_cpu_pct", "i-3", move |_| Some(cpu));
    assert!(found(&hot(95.0), "sick_instance"));
    assert!(!found(&hot(60.0), "sick_instance"), "13 points are not 20");
    assert!(!found(&hot(5.0), "sick_instance"), "less busy is not sick");
    let analysis = hot(95.0).analysis();
    assert_eq!(analysis.findings[0].member.as_deref(), Some("i-3"));
    let failing = Shop::new().member("instance_status_failed", "i-1", |ago| Some(if ago < 4.0 { 1.0 } else { 0.0 }));
    assert!(summary(&failing, "sick_instance").contains("fails its status check"));
}

#[test]
fn a_newcomer_and_one_of_two_are_not_called_sick() {
    let newcomer = Shop::new().member("instance_cpu_pct", "i-3", |ago| (ago < 8.0).then_some(99.0));
    assert!(!found(&newcomer, "sick_instance"));
    // With basic monitoring there is a value every five minutes; the first one tells the age as well.
    let basic = |since: f64| {
        let every_fifth = move |ago: f64| (ago < since && ago % 5.0 == 1.0).then_some(99.0);
        found(&Shop::new().member("instance_cpu_pct", "i-3", every_fifth), "sick_instance")
    };
    assert_eq!((basic(8.0), basic(180.0)), (false, true));
    let two = ["i-3", "i-4"].iter().fold(Shop::new(), |mut shop, gone| {
        shop.snapshot.measurements.retain(|m| m.member.as_deref() != Some(gone));
        shop
    });
    assert!(!found(&two.member("instance_cpu_pct", "i-1", |_| Some(99.0)), "sick_instance"));
}

/// The hit rate falls to a level some minutes ago.
fn falls_to(rate_pct: f64, minutes: f64) -> Shop {
    let hits = 108.0 * rate_pct;
    Shop::new().became("cache_hits", "cache", hits, minutes).became("cache_misses", "cache", 10_800.0 - hits, minutes)
}

#[test]
fn a_hit_rate_that_fell_while_the_cache_is_full_is_poisoned() {
    assert!(found(&falls_to(5.0, 6.0), "poisoned_cache"));
    assert!(!found(&falls_to(75.0, 6.0), "poisoned_cache"), "75 % is over the bound");
    assert!(found(&falls_to(65.0, 6.0), "poisoned_cache"), "65 % is under it");
}

#[test]
fn a_cache_that_fills_evicts_or_was_always_low_is_not_poisoned() {
    let rising = |ago: f64| 10.0 + 10.0 * (5.0 - ago).max(0.0);
    let cold = Shop::new()
        .law("cache_hits", "cache", move |ago| Some(if ago > 6.0 { 10_400.0 } else { 108.0 * rising(ago) }))
        .law("cache_misses", "cache", move |ago| Some(if ago > 6.0 { 400.0 } else { 108.0 * (100.0 - rising(ago)) }));
    assert_eq!(cold.rules(), ["cold_cache"]);
    let emptied = falls_to(5.0, 6.0).became("cache_memory_pct", "cache", 5.0, 6.0);
    assert_eq!(emptied.rules(), ["cold_cache"]);
    assert_eq!(falls_to(50.0, 6.0).is("cache_evictions", "cache", 900.0).rules(), ["small_cache"]);
    assert_eq!(falls_to(50.0, 200.0).rules(), ["low_hit_rate"]);
    let idle = Shop::new().is("cache_hits", "cache", 1.0).is("cache_misses", "cache", 9.0);
    assert_eq!(idle.rules(), Vec::<String>::new(), "a few look-ups mean nothing");
}

#[test]
fn a_distribution_is_judged_by_the_custom_metric_that_carries_its_id() {
    let metric = CustomMetric {
        namespace: "AWS/CloudFront".to_owned(),
        metric: "CacheHitRate".to_owned(),
        dimensions: BTreeMap::from([("DistributionId".to_owned(), "E1".to_owned())]),
        stat: "Average".to_owned(),
        good: 90.0,
        bad: 40.0,
    };
    let edge = |rate: f64| {
        let law = move |ago: f64| Some(if ago <= 6.0 { rate } else { 95.0 });
        Shop::new().also("E1", Live::Distribution).custom("edge", metric.clone(), law)
    };
    assert_eq!(edge(20.0).rules(), ["poisoned_cache"]);
    assert_eq!(edge(94.0).rules(), Vec::<String>::new());
}

#[test]
fn connections_over_their_bound_are_exhausted() {
    assert!(found(&Shop::new().is("db_connections", "db", 370.0), "connections_exhausted"));
    assert!(!found(&Shop::new().is("db_connections", "db", 350.0), "connections_exhausted"));
}

#[test]
fn a_queue_that_fills_is_a_backlog_and_one_that_drains_in_time_is_left_alone() {
    let queue = |depth: f64, sent: f64, deleted: f64| {
        Shop::new().is("queue_depth", "queue", depth).is("queue_sent", "queue", sent).is(
            "queue_deleted",
            "queue",
            deleted,
        )
    };
    assert!(!found(&queue(900.0, 2_000.0, 1_800.0), "queue_backlog"));
    assert_eq!(severity_of(&queue(1_100.0, 2_000.0, 1_800.0), "queue_backlog"), Severity::High);
    assert_eq!(severity_of(&queue(1_100.0, 1_500.0, 1_800.0), "queue_backlog"), Severity::Low);
    assert_eq!(
        severity_of(&queue(9_000.0, 1_700.0, 1_800.0), "queue_backlog"),
        Severity::High,
        "90 minutes are too long"
    );
    let old = queue(500.0, 2_000.0, 1_800.0).is("queue_oldest_s", "queue", 400.0);
    assert!(found(&old, "queue_backlog"));
}

#[test]
fn storage_that_will_be_full_within_a_day_is_found_with_its_time() {
    let disk = |per_h: f64| Shop::new().law("fleet_disk_pct", "asg", move |ago| Some(70.0 - per_h * ago / 60.0));
    assert!(summary(&disk(5.0), "storage_filling").contains("full in 6.0 h"));
    assert!(!found(&disk(0.5), "storage_filling"), "60 hours are left");
    let full = |pct: f64| Shop::new().is("fleet_disk_pct", "asg", pct);
    assert_eq!(severity_of(&full(88.0), "storage_filling"), Severity::High);
    assert_eq!(severity_of(&full(80.0), "storage_filling"), Severity::Low);
    assert!(!found(&full(73.0), "storage_filling"));
    let storage = Shop::new().law("db_free_storage_bytes", "db", |ago| Some(1.0e10 + 1.0e8 * ago));
    assert!(found(&storage, "storage_filling"));
}

#[test]
fn a_database_is_saturated_by_cpu_or_by_a_crowd_that_waits() {
    assert!(found(&Shop::new().is("db_cpu_pct", "db", 92.0), "database_saturated"));
    assert!(!found(&Shop::new().is("db_cpu_pct", "db", 88.0), "database_saturated"));
    let crowd = Shop::new().became("db_connections", "db", 140.0, 6.0);
    assert!(!found(&crowd, "database_saturated"), "nobody waits");
    assert!(found(&crowd.became("latency_p95_ms", "tg", 4_000.0, 6.0), "database_saturated"));
}

fn slow_and_failing() -> Shop {
    Shop::new().became("latency_p95_ms", "tg", 2_500.0, 8.0).became("errors_5xx", "tg", 1_000.0, 8.0)
}

#[test]
fn suffering_with_everything_of_our_own_idle_is_a_dependency() {
    assert_eq!(slow_and_failing().rules(), ["downstream_dependency"]);
    assert!(!found(&Shop::new(), "downstream_dependency"));
    assert!(!found(&slow_and_failing().is("db_cpu_pct", "db", 75.0), "downstream_dependency"));
    assert!(!found(&slow_and_failing().is("hosts_unhealthy", "tg", 1.0), "downstream_dependency"));
    assert!(!found(&slow_and_failing().member("instance_cpu_pct", "i-1", |_| Some(99.0)), "downstream_dependency"));
}

#[test]
fn what_is_not_measured_is_not_idle() {
    for (signal, resource) in [("fleet_cpu_pct", "asg"), ("db_cpu_pct", "db")] {
        let blind = slow_and_failing().missing(signal, resource, Missing::Throttled);
        assert!(!found(&blind, "downstream_dependency"), "{signal}");
    }
}

#[test]
fn far_more_requests_than_before_are_a_flood() {
    assert!(found(&Shop::new().became("requests", "tg", 50_000.0, 8.0), "traffic_flood"));
    assert!(!found(&Shop::new().became("requests", "tg", 30_000.0, 8.0), "traffic_flood"), "a campaign");
}

#[test]
fn errors_that_begin_right_after_a_deployment_are_put_down_to_it() {
    let deployed = |ago: i64| slow_and_failing().service(|service| service.last_deployment_at = Some(minutes_ago(ago)));
    assert!(found(&deployed(12), "bad_deployment"));
    assert!(!found(&deployed(12), "downstream_dependency"));
    assert!(!found(&deployed(60), "bad_deployment"), "long before the onset");
    assert!(!found(&deployed(3), "bad_deployment"), "after the onset");
}

#[test]
fn refused_and_failed_calls_of_functions_and_tables_are_found() {
    assert!(found(&Shop::new().is("function_errors", "fn", 6.0), "function_errors"));
    assert!(!found(&Shop::new().is("function_errors", "fn", 2.0), "function_errors"));
    assert!(found(&Shop::new().is("function_throttles", "fn", 2.0), "function_throttles"));
    assert!(!found(&Shop::new().is("function_throttles", "fn", 0.5), "function_throttles"));
    assert!(found(&Shop::new().is("table_write_throttles", "table", 2.0), "table_throttles"));
    assert!(!found(&Shop::new().is("table_write_throttles", "table", 0.5), "table_throttles"));
}

#[test]
fn a_replica_that_lags_is_found() {
    assert!(found(&Shop::new().is("db_replica_lag_s", "db", 45.0), "replica_lag"));
    assert!(!found(&Shop::new().is("db_replica_lag_s", "db", 20.0), "replica_lag"));
}

/// The shop with so many servers, as the group and CloudWatch tell it.
fn servers(count: u32) -> Shop {
    let gone = &MEMBERS[usize::try_from(count).unwrap()..];
    let mut shop = Shop::new().is("fleet_desired", "asg", f64::from(count)).is("hosts_healthy", "tg", f64::from(count));
    shop.snapshot.measurements.retain(|m| m.member.as_deref().is_none_or(|member| !gone.contains(&member)));
    shop.fleet(|fleet| {
        fleet.desired = count;
        fleet.instances.truncate(usize::try_from(count).unwrap());
    })
}

#[test]
fn a_single_server_is_advice_and_leaves_the_score_alone() {
    assert!(!found(&servers(2), "no_redundancy"));
    let alone = servers(1);
    assert_eq!(severity_of(&alone, "no_redundancy"), Severity::Low);
    assert_eq!(summary(&alone, "no_redundancy"), "shop-web has a single member, and 99.9 % availability is promised");
    assert_eq!(alone.rules(), ["no_redundancy"], "it is told once, not for its target group too");
    assert_eq!((alone.score(), alone.plan(&[]).changes.len()), (Shop::new().score(), 0));
    assert!(alone.score().unwrap() >= 8.0);
    let promises = |availability_pct: f64| {
        let objectives = Objectives { availability_pct, ..Objectives::default() };
        let (policy, memory) = (Policy::default(), crate::health::Memory::default());
        let findings = crate::health::analyze(&alone.snapshot, &objectives, &policy, memory).0.findings;
        findings.iter().any(|finding| finding.rule.as_str() == "no_redundancy")
    };
    assert_eq!((promises(99.9), promises(99.8)), (true, false));
}

#[test]
fn a_single_worker_is_no_outage_and_a_single_target_of_its_own_is() {
    let worker = Shop::new().service(|service| (service.desired, service.running) = (1, 1));
    assert!(!found(&worker, "no_redundancy"));
    let door = |hosts: f64| {
        let mut shop = Shop::new().is("hosts_healthy", "tg", hosts);
        shop.snapshot.resources.retain(|resource| resource.id.as_str() != "asg" && resource.id.as_str() != "ecs");
        shop
    };
    assert!(found(&door(1.0), "no_redundancy"));
    assert!(!found(&door(2.0), "no_redundancy"));
    assert!(!found(&door(1.0).is("hosts_unhealthy", "tg", 1.0), "no_redundancy"), "there are two, one of them is ill");
    assert!(!found(&door(1.0).missing("hosts_healthy", "tg", Missing::Throttled), "no_redundancy"));
}
