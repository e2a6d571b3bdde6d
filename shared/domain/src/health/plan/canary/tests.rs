//! One first, then the others, or nobody: table by table.

use super::super::super::fixture::{MEMBERS, NOW, Shop, instance, minutes_ago};
use super::super::tests::{actions, leaking, reasons, suffering};
use super::super::{DEGRADED, Tried};
use crate::change::{Change, ChangeKind};
use crate::observed::{Missing, Observed};
use crate::outcome::Verdict;
use crate::plan::Plan;
use crate::resource::Task;
use crate::rollout::Rollout;
use jiff::SignedDuration;

const CANARY: &str = "replace instance i-1 of shop-web";
const REST: &str = "restart shop-web by an instance refresh";

/// What became of a planned change some minutes ago.
fn became(plan: &Plan, verdict: Option<Verdict>, ago_min: i64) -> Tried {
    let why = "memory went from 88 to 46 %".to_owned();
    Tried { verdict, why, ..Tried::of(&plan.changes[0], None, minutes_ago(ago_min)) }
}

fn only(plan: &Plan) -> &Change {
    assert_eq!(plan.changes.len(), 1, "{}", reasons(plan));
    &plan.changes[0]
}

/// A service whose tasks leak, at this level.
fn leaking_service(level: f64) -> Shop {
    let law = move |ago: f64| Some(level - ago / 3.0);
    let signals = ["service_memory_pct", "service_memory_max_pct", "service_memory_min_pct"];
    signals.into_iter().fold(Shop::new(), |shop, signal| shop.law(signal, "ecs", law))
}

#[test]
fn a_restart_of_many_begins_with_the_worst_member_and_says_so() {
    let law = |ago: f64| Some(91.0 - ago / 3.0);
    let plan = leaking(88.0).member("instance_memory_pct", "i-3", law).plan(&[]);
    let canary = only(&plan);
    assert_eq!(canary.action.to_string(), "replace instance i-3 of shop-web");
    assert_eq!(canary.rollout, Some(Rollout::Canary { of: 4, then: ChangeKind::RefreshFleet }));
    assert!(
        canary.in_words().contains("canary: one of 4 first; the others follow if it helps"),
        "{}",
        canary.in_words()
    );
    assert!(canary.reason.contains("one of 4 first (i-3, instance_memory_pct at 90 %)"), "{}", canary.reason);
    let expected = &canary.expected;
    assert_eq!((expected.signal.as_str(), expected.resource.as_str()), ("instance_memory_pct", "asg"));
    assert!(expected.before > 89.0 && expected.after < 40.0, "{expected:?}");
}

#[test]
fn canary_then_rest_or_nothing_by_its_verdict() {
    let canary = |verdict, ago_min| became(&leaking(88.0).plan(&[]), verdict, ago_min);
    let nothing: &[&str] = &[];
    for (verdict, ago_min, then) in [
        (Some(Verdict::Verified), 11, &[REST] as &[&str]),
        (Some(Verdict::Verified), 239, &[REST]),
        // Too long ago to speak for the others.
        (Some(Verdict::Verified), 241, &[CANARY]),
        (Some(Verdict::Inconclusive), 11, nothing),
        (Some(Verdict::Inconclusive), 239, nothing),
        (Some(Verdict::Inconclusive), 241, &[CANARY]),
        (Some(Verdict::Regressed), 11, nothing),
        (Some(Verdict::Regressed), 23 * 60, nothing),
        (Some(Verdict::Regressed), 25 * 60, &[CANARY]),
        (None, 11, nothing),
    ] {
        let plan = leaking(88.0).plan(&[canary(verdict, ago_min)]);
        assert_eq!(actions(&plan), then, "{verdict:?} {ago_min} min ago: {}", reasons(&plan));
    }
}

#[test]
fn the_rest_names_its_canary_and_what_it_brought() {
    let canary = became(&leaking(88.0).plan(&[]), Some(Verdict::Verified), 11);
    let plan = leaking(88.0).plan(std::slice::from_ref(&canary));
    let rest = only(&plan);
    assert_eq!(rest.rollout, Some(Rollout::Rest { canary: canary.id }));
    assert!(
        rest.reason.ends_with("one member went first and it helped: memory went from 88 to 46 %"),
        "{}",
        rest.reason
    );
    assert_eq!(rest.expected.signal.as_str(), "fleet_memory_pct", "the whole is judged");
}

#[test]
fn why_nothing_follows_a_canary_is_said_with_its_numbers() {
    for (verdict, says) in
        [(Verdict::Inconclusive, "could not be seen to help"), (Verdict::Regressed, "made things worse")]
    {
        let plan = leaking(88.0).plan(&[became(&leaking(88.0).plan(&[]), Some(verdict), 12)]);
        let said = reasons(&plan);
        assert!(said.contains(&format!("one of 4 went first 12 min ago and {says}")), "{said}");
        assert!(said.contains("memory went from 88 to 46 %), so the others are left as they are"), "{said}");
    }
}

#[test]
fn a_verified_canary_does_not_bring_the_rest_when_the_finding_is_gone() {
    let canary = became(&leaking(88.0).plan(&[]), Some(Verdict::Verified), 11);
    assert_eq!(actions(&Shop::new().plan(&[canary])), Vec::<String>::new());
}

#[test]
fn a_canary_speaks_for_one_rest_of_one_finding_and_for_no_other_release() {
    let canary = became(&leaking(88.0).plan(&[]), Some(Verdict::Verified), 30);
    let rest = Tried { kind: ChangeKind::RefreshFleet, ..canary.clone() };
    let rest = Tried { id: "rest".into(), rollout: Some(Rollout::Rest { canary: canary.id.clone() }), ..rest };
    let planned = |shop: Shop, past: &[Tried]| actions(&shop.plan(past));
    assert_eq!(planned(leaking(88.0), &[canary.clone(), rest]), [CANARY], "its rest was made");
    let other = Tried { because: "storage_filling".into(), ..canary.clone() };
    assert_eq!(planned(leaking(88.0), &[other]), [CANARY], "it was tried against another finding");
    let refreshed = leaking(88.0).fleet(|fleet| fleet.last_refresh_at = Some(minutes_ago(20)));
    assert_eq!(planned(refreshed, &[canary]), [CANARY], "somebody has restarted the whole since");
}

#[test]
fn a_canary_and_its_rest_are_one_remedy_of_those_that_a_day_allows() {
    let first = leaking(88.0).plan(&[]);
    let earlier = |hours: i64| {
        let canary = Tried {
            id: format!("canary-{hours}").as_str().into(),
            ..became(&first, Some(Verdict::Verified), 60 * hours)
        };
        let rollout = Some(Rollout::Rest { canary: canary.id.clone() });
        let id = format!("rest-{hours}").as_str().into();
        [canary.clone(), Tried { id, rollout, kind: ChangeKind::RefreshFleet, ..canary }]
    };
    let mut past: Vec<Tried> = [earlier(6), earlier(12)].concat();
    assert_eq!(actions(&leaking(88.0).plan(&past)), [CANARY], "the third");
    past.push(became(&first, Some(Verdict::Verified), 11));
    assert_eq!(actions(&leaking(88.0).plan(&past)), [REST], "and its rest");
    let past = [earlier(5), earlier(10), earlier(15)].concat();
    let plan = leaking(88.0).plan(&past);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("3 times within a day"), "{}", reasons(&plan));
}

#[test]
fn two_members_need_no_canary() {
    let two = leaking(88.0).fleet(|fleet| {
        fleet.instances.truncate(2);
        fleet.desired = 2;
    });
    let plan = two.plan(&[]);
    assert_eq!((actions(&plan), &only(&plan).rollout), (vec![REST.to_owned()], &None));
}

#[test]
fn the_only_sick_member_is_replaced_and_nothing_follows() {
    let full = Shop::new().is("fleet_disk_pct", "asg", 92.0);
    let alone = MEMBERS.iter().fold(full, |shop, member| {
        let level = if *member == "i-2" { 92.0 } else { 40.0 };
        shop.member("instance_disk_pct", member, move |_| Some(level))
    });
    let plan = alone.plan(&[]);
    assert_eq!(only(&plan).action.to_string(), "replace instance i-2 of shop-web", "{}", reasons(&plan));
    assert_eq!(only(&plan).rollout, None);
    assert!(only(&plan).reason.ends_with("i-2 is the only one"), "{}", only(&plan).reason);
    let all = Shop::new().is("fleet_disk_pct", "asg", 92.0);
    let all = MEMBERS.iter().fold(all, |shop, member| shop.member("instance_disk_pct", member, |_| Some(91.0)));
    assert!(only(&all.plan(&[])).rollout.as_ref().is_some_and(Rollout::is_canary));
}

#[test]
fn a_member_that_may_not_be_replaced_is_no_canary() {
    let second = leaking(88.0).fleet(|fleet| fleet.instances[0].protected = true);
    assert_eq!(actions(&second.plan(&[])), ["replace instance i-2 of shop-web"]);
    let none = leaking(88.0).fleet(|fleet| fleet.instances.iter_mut().for_each(|member| member.protected = true));
    let plan = none.plan(&[]);
    assert!(plan.changes.is_empty(), "no rest without a canary: {:?}", actions(&plan));
    assert!(reasons(&plan).contains("none can be now: no healthy instance"), "{}", reasons(&plan));
    let sick = leaking(88.0).fleet(|fleet| {
        fleet.instances.push(instance("i-5"));
        fleet.instances[2].healthy = false;
        fleet.instances[3].healthy = false;
    });
    let plan = sick.plan(&[]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("3 of 5 members would be out"), "{}", reasons(&plan));
}

#[test]
fn a_degraded_service_is_tried_on_one_by_its_share_of_what_users_feel() {
    let plan = suffering()
        .became("latency_p95_ms", "tg", 6_000.0, 8.0)
        .law("latency_mean_ms", "tg", |ago| Some(if ago <= 8.0 { 2_000.0 } else { 40.0 }));
    let plan = plan.is("errors_5xx", "tg", 1.0).plan(&[]);
    let canary = only(&plan);
    assert_eq!((canary.action.to_string().as_str(), canary.because.as_str()), (CANARY, DEGRADED));
    let expected = &canary.expected;
    assert_eq!((expected.signal.as_str(), expected.resource.as_str()), ("latency_mean_ms", "tg"));
    assert!((expected.before - 2_000.0).abs() < 1.0 && (expected.after - 1_510.0).abs() < 1.0, "{expected:?}");
    let after = suffering().plan(&[became(&plan, Some(Verdict::Inconclusive), 12)]);
    assert!(after.changes.is_empty() && reasons(&after).contains("the others are left"), "{}", reasons(&after));
    let after = suffering().plan(&[became(&plan, Some(Verdict::Verified), 12)]);
    assert_eq!(actions(&after), [REST]);
}

#[test]
fn of_a_service_the_oldest_task_goes_first() {
    let plan = leaking_service(88.0).plan(&[]);
    let canary = only(&plan);
    assert_eq!(canary.action.to_string(), "replace task t-3 of shop-worker");
    assert_eq!(canary.rollout, Some(Rollout::Canary { of: 3, then: ChangeKind::RedeployService }));
    assert_eq!(canary.expected.signal.as_str(), "service_memory_min_pct");
    let rest = leaking_service(88.0).plan(&[became(&plan, Some(Verdict::Verified), 11)]);
    assert_eq!(actions(&rest), ["restart shop-worker by a new deployment"]);
    let unmeasured = Shop::new().law("service_memory_pct", "ecs", |ago| Some(88.0 - ago / 3.0)).plan(&[]);
    let expected = &only(&unmeasured).expected;
    assert_eq!(expected.signal.as_str(), "service_memory_pct", "its share of the average");
    assert!((expected.before - expected.after - (88.0 - 30.0) / 3.0).abs() < 3.0, "{expected:?}");
}

#[test]
fn a_fresh_task_does_not_hide_that_the_others_leak() {
    let fresh = |ago: f64| if ago <= 10.0 { 46.0 } else { 88.0 - ago / 3.0 };
    let shop = leaking_service(88.0).law("service_memory_min_pct", "ecs", move |ago| Some(fresh(ago))).law(
        "service_memory_pct",
        "ecs",
        move |ago| Some((2.0 * (88.0 - ago / 3.0) + fresh(ago)) / 3.0),
    );
    assert!(shop.rules().contains(&"memory_leak".to_owned()), "{:?}", shop.rules());
}

#[test]
fn tasks_that_were_not_read_or_that_must_stay_are_no_canaries() {
    let unread = leaking_service(88.0).service(|service| service.tasks = Observed::Missing(Missing::Throttled));
    let plan = unread.plan(&[]);
    assert!(plan.changes.is_empty(), "{:?}", actions(&plan));
    assert!(reasons(&plan).contains("which tasks of shop-worker run is not known"), "{}", reasons(&plan));
    let kept = leaking_service(88.0).service(|service| (service.min_healthy_pct, service.max_pct) = (80, 200));
    let plan = kept.plan(&[]);
    assert!(plan.changes.is_empty() && reasons(&plan).contains("1 of 3 members would be out"), "{}", reasons(&plan));
    let starting = leaking_service(88.0).service(|service| {
        service.tasks = Observed::Known(vec![
            Task { id: "new".to_owned(), started_at: None },
            Task { id: "a".to_owned(), started_at: Some(NOW - SignedDuration::from_hours(1)) },
            Task { id: "b".to_owned(), started_at: Some(NOW - SignedDuration::from_hours(2)) },
        ]);
    });
    assert_eq!(actions(&starting.plan(&[])), ["replace task b of shop-worker"]);
}
