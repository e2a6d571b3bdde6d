//! One row per guard and side: what passes just within the bound, and what is refused just beyond it, with its numbers.

use super::*;
use crate::guard::{Refusal, clear};
use crate::mode::Risk;
use crate::observed::Missing;
use crate::resource::{Cache, ResourceKind};

fn verdict(change: &Change, facts: &Facts) -> Option<Refusal> {
    clear(change, facts, &limits()).err()
}

/// Facts for growing a fleet of four to six, with one thing different.
fn with(edit: impl FnOnce(&mut Facts)) -> Option<Refusal> {
    let mut facts = on_fleet(4, 0);
    edit(&mut facts);
    verdict(&resize(6), &facts)
}

fn with_fleet(change: &Change, serving: u32, sick: u32, edit: impl FnOnce(&mut Fleet)) -> Option<Refusal> {
    let mut fleet = fleet(serving, sick);
    edit(&mut fleet);
    verdict(change, &facts(Live::AutoScalingGroup(fleet)))
}

#[test]
fn passes_when_nothing_speaks_against_it_and_hands_over_what_it_saw() {
    let (change, facts) = (resize(6), on_fleet(4, 0));
    let limits = limits();
    let cleared = clear(&change, &facts, &limits).unwrap();
    assert_eq!(cleared.change(), &change);
    assert_eq!(cleared.live(), &facts.live);
}

#[test]
fn kill_switch() {
    assert_eq!(with(|facts| facts.kill_switch = KillSwitch::On), Some(Refusal::KillSwitch));
    let why = "ssm:GetParameter: throttled".to_owned();
    let unreadable = with(|facts| facts.kill_switch = KillSwitch::Unreadable(why.clone()));
    assert_eq!(unreadable, Some(Refusal::KillSwitchUnreadable { why }));
}

#[test]
fn freeze_window() {
    let refused = with(|facts| facts.freeze = Some("sale".into()));
    assert_eq!(refused, Some(Refusal::Frozen { window: "sale".into() }));
}

#[test]
fn protected_resource() {
    assert_eq!(with(|facts| facts.protected = true), Some(Refusal::Protected));
}

#[test]
fn a_resource_of_two_applications() {
    let refused = with(|facts| facts.other_owner = Some("blog".into()));
    assert_eq!(refused, Some(Refusal::Shared { with: "blog".into() }));
}

#[test]
fn mode() {
    assert_eq!(with(|facts| facts.mode = Mode::Observe), Some(Refusal::Observing));
    assert_eq!(with(|facts| facts.mode = Mode::Approve), Some(Refusal::NeedsApproval { risk: Risk::Low }));
}

#[test]
fn age_of_the_snapshot() {
    assert_eq!(with(|facts| facts.snapshot_at = ago_s(900)), None);
    assert_eq!(with(|facts| facts.snapshot_at = ago_s(901)), Some(Refusal::Stale { age_s: 901, max_s: 900 }));
    assert_eq!(with(|facts| facts.snapshot_at = ago_s(-60)), None, "two clocks are never the same");
    assert_eq!(with(|facts| facts.snapshot_at = ago_s(-61)), Some(Refusal::Stale { age_s: -61, max_s: 900 }));
}

#[test]
fn completeness_of_the_snapshot() {
    assert_eq!(with(|facts| facts.completeness = 0.8), None);
    let refused = with(|facts| facts.completeness = 0.5);
    assert_eq!(refused, Some(Refusal::Incomplete { known_pct: 50.0, min_pct: 80.0 }));
    assert!(matches!(with(|facts| facts.completeness = f64::NAN), Some(Refusal::Incomplete { .. })));
}

#[test]
fn budgets() {
    assert_eq!(with(|facts| facts.changes_in_execution = 2), None);
    assert_eq!(with(|facts| facts.changes_last_hour = 5), None);
    assert_eq!(with(|facts| facts.changes_last_day = 19), None);
    let budget = |per: &str, used, max| Some(Refusal::Budget { per: per.into(), used, max });
    assert_eq!(with(|facts| facts.changes_in_execution = 3), budget("execution", 3, 3));
    assert_eq!(with(|facts| facts.changes_last_hour = 6), budget("hour", 6, 6));
    assert_eq!(with(|facts| facts.changes_last_day = 20), budget("day", 20, 20));
}

#[test]
fn budgets_of_one_resource() {
    assert_eq!(with(|facts| facts.resource_changes_last_hour = 3), None);
    assert_eq!(with(|facts| facts.resource_changes_last_day = 7), None);
    let budget = |per: &str, used, max| Some(Refusal::ResourceBudget { per: per.into(), used, max });
    assert_eq!(with(|facts| facts.resource_changes_last_hour = 4), budget("hour", 4, 4));
    assert_eq!(with(|facts| facts.resource_changes_last_day = 8), budget("day", 8, 8));
}

#[test]
fn circuit_breaker() {
    assert_eq!(with(|facts| facts.undos_last_day = 2), None);
    assert_eq!(with(|facts| facts.undos_last_day = 3), Some(Refusal::CircuitOpen { undos: 3, max: 3 }));
}

#[test]
fn repeats_of_one_remedy() {
    assert_eq!(with(|facts| facts.repeats_last_day = 2), None);
    assert_eq!(with(|facts| facts.repeats_last_day = 3), Some(Refusal::Repeated { times: 3, max: 3 }));
}

#[test]
fn a_closed_change_calendar() {
    assert_eq!(with(|facts| facts.calendar_closed = None), None);
    let refused = with(|facts| facts.calendar_closed = Some("change calendar sale is closed".into()));
    assert_eq!(refused, Some(Refusal::CalendarClosed { why: "change calendar sale is closed".into() }));
}

#[test]
fn cool_down() {
    assert_eq!(with(|facts| facts.resource_changed_at = Some(ago_s(600))), None);
    let refused = with(|facts| facts.resource_changed_at = Some(ago_s(599)));
    assert_eq!(refused, Some(Refusal::CoolingDown { since_s: 599, min_s: 600 }));
    let ahead = with(|facts| facts.resource_changed_at = Some(ago_s(-10)));
    assert_eq!(ahead, Some(Refusal::CoolingDown { since_s: -10, min_s: 600 }), "an entry from the future still counts");
}

#[test]
fn an_open_change_of_the_same_resource() {
    let refused = with(|facts| facts.open_change = Some(ChangeId::from("c0")));
    assert_eq!(refused, Some(Refusal::Busy { what: "the unsettled change c0".into() }));
}

#[test]
fn spend() {
    let cost = |cents| Change { cost_usd_cents_month: Some(cents), ..resize(6) };
    let spent = |cents| Facts { spent_usd_cents_month: cents, ..on_fleet(4, 0) };
    assert_eq!(verdict(&cost(6_000), &spent(4_000)), None);
    let refused = Refusal::Spend { total_usd_cents_month: 10_001, max_usd_cents_month: 10_000 };
    assert_eq!(verdict(&cost(6_001), &spent(4_000)), Some(refused));
    assert_eq!(verdict(&cost(-1), &spent(20_000)), None, "what saves money is never too expensive");
    assert_eq!(verdict(&resize(6), &spent(20_000)), None, "an unknown price is not a price");
    assert!(verdict(&cost(i64::MAX), &spent(i64::MAX)).is_some(), "no overflow");
    let charged = |cents| Facts { app_spent_usd_cents_month: cents, ..on_fleet(4, 0) };
    assert_eq!(verdict(&cost(6_000), &charged(24_000)), None);
    let refused = Refusal::AppSpend { total_usd_cents_month: 30_001, max_usd_cents_month: 30_000 };
    assert_eq!(verdict(&cost(6_001), &charged(24_000)), Some(refused));
    assert_eq!(verdict(&cost(-1), &charged(40_000)), None, "what saves money is never too expensive");
}

#[test]
fn bounds_of_the_owner() {
    assert_eq!(with_fleet(&resize(20), 10, 0, |_| {}), None);
    let refused = Some(Refusal::OutOfBounds { wanted: 21, min: 1, max: 20 });
    assert_eq!(with_fleet(&resize(21), 11, 0, |_| {}), refused);
    assert_eq!(with_fleet(&resize(2), 3, 0, |fleet| fleet.min = 2), None);
    let refused = Some(Refusal::OutOfBounds { wanted: 1, min: 2, max: 20 });
    assert_eq!(with_fleet(&resize(1), 2, 0, |fleet| fleet.min = 2), refused);
    assert_eq!(verdict(&recount(20), &on_service(10)), None);
    assert!(matches!(verdict(&recount(21), &on_service(11)), Some(Refusal::OutOfBounds { .. })));
}

#[test]
fn a_service_without_bounds_keeps_at_least_one_task() {
    let unbounded = facts(Live::EcsService(Service { bounds: None, ..service(1) }));
    assert_eq!(verdict(&recount(0), &unbounded), Some(Refusal::OutOfBounds { wanted: 0, min: 1, max: u32::MAX }));
}

#[test]
fn a_fleet_is_never_emptied_even_where_its_owner_would_allow_it() {
    let refused = with_fleet(&resize(0), 1, 0, |fleet| fleet.min = 0);
    assert_eq!(refused, Some(Refusal::LastHealthy { healthy: 1 }));
    let grown = with_fleet(&resize(1), 0, 0, |fleet| fleet.min = 0);
    assert_eq!(grown, None, "an empty one may get its first member");
}

#[test]
fn size_of_a_step() {
    assert_eq!(with_fleet(&resize(8), 4, 0, |_| {}), None);
    let refused = Some(Refusal::StepTooLarge { from: 4, to: 9, factor_max: 2.0 });
    assert_eq!(with_fleet(&resize(9), 4, 0, |_| {}), refused);
    assert_eq!(with_fleet(&resize(2), 4, 0, |_| {}), None);
    assert!(
        matches!(with_fleet(&resize(1), 4, 0, |_| {}), Some(Refusal::StepTooLarge { .. })),
        "shrinking counts as well"
    );
    assert_eq!(with_fleet(&resize(2), 1, 0, |_| {}), None, "one more is always allowed");
}

#[test]
fn nothing_to_do() {
    assert!(matches!(with_fleet(&resize(4), 4, 0, |_| {}), Some(Refusal::NothingToDo { .. })));
    assert!(matches!(verdict(&recount(4), &on_service(4)), Some(Refusal::NothingToDo { .. })));
    assert!(matches!(verdict(&replace(9), &on_fleet(4, 0)), Some(Refusal::NothingToDo { .. })), "it is gone already");
    assert!(matches!(verdict(&resize(4), &on_service(2)), Some(Refusal::NothingToDo { .. })), "it is another kind now");
}

#[test]
fn something_else_under_way() {
    for change in [resize(6), replace(1), refresh()] {
        let refused = with_fleet(&change, 4, 0, |fleet| fleet.refresh_in_progress = true);
        assert_eq!(refused, Some(Refusal::Busy { what: "an instance refresh".into() }), "{}", change.action);
    }
    for change in [recount(3), redeploy()] {
        let busy = facts(Live::EcsService(Service { deployment_in_progress: true, ..service(2) }));
        assert_eq!(verdict(&change, &busy), Some(Refusal::Busy { what: "a deployment".into() }), "{}", change.action);
    }
}

#[test]
fn blast_radius_of_a_replacement() {
    assert_eq!(verdict(&replace(1), &on_fleet(2, 0)), None, "one at a time is always allowed while another serves");
    assert_eq!(verdict(&replace(1), &on_fleet(7, 1)), None, "two of eight is a quarter");
    let refused = Some(Refusal::BlastRadius { out: 2, of: 7, max_pct: 25.0 });
    assert_eq!(verdict(&replace(1), &on_fleet(6, 1)), refused);
}

#[test]
fn the_last_healthy_member_is_not_replaced() {
    assert_eq!(verdict(&replace(1), &on_fleet(1, 0)), Some(Refusal::LastHealthy { healthy: 1 }));
    assert_eq!(verdict(&replace(2), &on_fleet(1, 1)), None, "the sick one beside it is");
}

#[test]
fn a_member_that_is_protected_from_scale_in_is_not_replaced() {
    let refused = with_fleet(&replace(1), 4, 0, |fleet| fleet.instances[0].protected = true);
    assert_eq!(refused, Some(Refusal::Protected));
    assert_eq!(with_fleet(&replace(2), 4, 0, |fleet| fleet.instances[0].protected = true), None);
}

#[test]
fn a_refresh_needs_two_healthy_members() {
    assert_eq!(verdict(&refresh(), &on_fleet(2, 0)), None);
    assert_eq!(verdict(&refresh(), &on_fleet(1, 3)), Some(Refusal::LastHealthy { healthy: 1 }));
}

#[test]
fn caches_and_distributions_have_no_guard_of_their_own() {
    let cache = Cache { engine: "redis".into(), host: "h".into(), port: 6379, tls: false, nodes: Vec::new() };
    let flush = change(Action::FlushCache { cache: "pages".into() });
    assert_eq!(verdict(&flush, &facts(Live::Cache(cache))), None);
    let invalidate = change(Action::InvalidateCdn { distribution: "E1".into() });
    assert_eq!(verdict(&invalidate, &facts(Live::Distribution)), None);
    assert_eq!(facts(Live::Distribution).live.kind(), ResourceKind::Distribution);
}

#[test]
fn what_a_person_has_set_comes_before_everything_else() {
    let mut facts = on_fleet(4, 0);
    facts.kill_switch = KillSwitch::On;
    facts.freeze = Some("sale".into());
    facts.protected = true;
    facts.mode = Mode::Observe;
    facts.completeness = 0.0;
    facts.changes_last_day = 99;
    let order = [
        Refusal::KillSwitch,
        Refusal::Frozen { window: "sale".into() },
        Refusal::Protected,
        Refusal::Observing,
        Refusal::Incomplete { known_pct: 0.0, min_pct: 80.0 },
        Refusal::Budget { per: "day".into(), used: 99, max: 20 },
    ];
    let relax: [fn(&mut Facts); 6] = [
        |facts| facts.kill_switch = KillSwitch::Off,
        |facts| facts.freeze = None,
        |facts| facts.protected = false,
        |facts| facts.mode = Mode::Auto,
        |facts| facts.completeness = 1.0,
        |facts| facts.changes_last_day = 0,
    ];
    for (expected, relax) in order.into_iter().zip(relax) {
        assert_eq!(verdict(&resize(6), &facts), Some(expected));
        relax(&mut facts);
    }
    assert_eq!(verdict(&resize(6), &facts), None);
}

#[test]
fn every_refusal_says_its_numbers_in_one_sentence() {
    let said = |refusal: Refusal| refusal.to_string();
    assert_eq!(said(Refusal::Stale { age_s: 901, max_s: 900 }), "the snapshot is 901 s old, 900 s are allowed");
    assert_eq!(said(Refusal::Budget { per: "hour".into(), used: 6, max: 6 }), "6 of 6 changes per hour are used");
    let spend = Refusal::Spend { total_usd_cents_month: 10_001, max_usd_cents_month: 10_000 };
    assert_eq!(said(spend), "the run would add 100.01 USD a month, 100.00 are allowed");
    let charged = Refusal::AppSpend { total_usd_cents_month: 30_001, max_usd_cents_month: 30_000 };
    let said_of_app =
        "with the changes of the last 30 days the application would cost 300.01 USD a month more, 300.00 are allowed";
    assert_eq!(said(charged), said_of_app);
    let blast = Refusal::BlastRadius { out: 2, of: 7, max_pct: 25.0 };
    assert_eq!(said(blast), "2 of 7 members would be out of service, 25 % are allowed");
}

#[test]
fn bounds_that_could_not_be_read_are_no_licence() {
    let unread = Service { bounds_missing: Some(Missing::Throttled), ..service(4) };
    let refused = verdict(&recount(5), &facts(Live::EcsService(unread)));
    assert_eq!(refused, Some(Refusal::BoundsUnknown { why: "throttled by the service".into() }));
}

/// A redeployment of a service with this deployment configuration.
fn redeployed(desired: u32, running: u32, min_healthy_pct: u32, max_pct: u32) -> Option<Refusal> {
    let service = Service { running, min_healthy_pct, max_pct, ..service(desired) };
    verdict(&redeploy(), &facts(Live::EcsService(service)))
}

#[test]
fn regression_a_redeployment_takes_no_service_down() {
    assert_eq!(redeployed(1, 1, 100, 200), None, "the new task comes first");
    assert_eq!(redeployed(1, 1, 0, 200), Some(Refusal::LastHealthy { healthy: 1 }));
    assert_eq!(redeployed(4, 4, 0, 100), Some(Refusal::LastHealthy { healthy: 4 }));
    assert_eq!(redeployed(1, 1, 1, 200), None, "what stays is rounded up");
}

#[test]
fn blast_radius_of_a_redeployment() {
    assert_eq!(redeployed(4, 4, 75, 200), None, "one of four");
    assert_eq!(redeployed(4, 4, 74, 100), None, "what stays is rounded up");
    assert_eq!(redeployed(4, 4, 50, 200), Some(Refusal::BlastRadius { out: 2, of: 4, max_pct: 25.0 }));
    assert_eq!(redeployed(8, 8, 75, 100), None, "two of eight is a quarter");
    assert_eq!(redeployed(8, 7, 75, 100), None, "one may go of the seven that run");
    assert_eq!(redeployed(8, 7, 70, 100), None);
    assert_eq!(redeployed(7, 7, 70, 100), Some(Refusal::BlastRadius { out: 2, of: 7, max_pct: 25.0 }));
    assert_eq!(redeployed(4, 2, 50, 100), None, "fewer run already than may stay: none of them goes");
    assert_eq!(redeployed(3, 0, 0, 100), None, "nothing serves, so nothing can be lost");
}

#[test]
fn a_redeployment_that_can_replace_nothing_is_not_begun() {
    let refused = redeployed(1, 1, 100, 100);
    let why = "1 of 1 tasks must stay and 1 may run, so none can be replaced".to_owned();
    assert_eq!(refused, Some(Refusal::NothingToDo { why }));
    assert_eq!(redeployed(2, 2, 100, 150), None, "one more may run");
    assert!(matches!(redeployed(2, 2, 100, 149), Some(Refusal::NothingToDo { .. })), "what may run is rounded down");
}

#[test]
fn a_refresh_at_the_owner_s_maximum_takes_one_out_first() {
    let at_maximum = |serving, sick| with_fleet(&refresh(), serving, sick, |fleet| fleet.max = fleet.desired);
    assert_eq!(at_maximum(4, 0), None, "one of four is a quarter");
    assert_eq!(at_maximum(2, 0), None, "one at a time is always allowed while another serves");
    assert_eq!(at_maximum(3, 1), Some(Refusal::BlastRadius { out: 2, of: 4, max_pct: 25.0 }));
    assert_eq!(with_fleet(&refresh(), 3, 1, |fleet| fleet.max = 5), None, "with room the successor comes first");
    assert_eq!(at_maximum(1, 3), Some(Refusal::LastHealthy { healthy: 1 }));
}

fn task_replaced(number: u32, edit: impl FnOnce(&mut Service)) -> Option<Refusal> {
    let mut service = service(4);
    edit(&mut service);
    verdict(&replace_task(number), &facts(Live::EcsService(service)))
}

#[test]
fn a_task_is_replaced_while_another_runs_and_the_owner_can_spare_it() {
    assert_eq!(task_replaced(1, |_| ()), None);
    assert_eq!(task_replaced(1, |service| service.min_healthy_pct = 75), None, "three of four stay");
    let refused = Some(Refusal::BlastRadius { out: 1, of: 4, max_pct: 24.0 });
    assert_eq!(task_replaced(1, |service| service.min_healthy_pct = 76), refused, "all four must stay");
    let refused = Some(Refusal::BlastRadius { out: 2, of: 4, max_pct: 25.0 });
    assert_eq!(task_replaced(1, |service| service.running = 3), refused, "one is out already");
    let last = |service: &mut Service| (service.desired, service.running) = (1, 1);
    assert_eq!(task_replaced(1, last), Some(Refusal::LastHealthy { healthy: 1 }));
}

#[test]
fn a_task_that_is_gone_or_unknown_is_not_replaced() {
    let gone = task_replaced(9, |_| ()).expect("a refusal").to_string();
    assert_eq!(gone, "t-9 is no longer in the service");
    let unknown = task_replaced(1, |service| service.tasks = Observed::Missing(crate::observed::Missing::Throttled));
    assert!(unknown.expect("a refusal").to_string().starts_with("which tasks run is not known"));
    let deploying = task_replaced(1, |service| service.deployment_in_progress = true);
    assert!(matches!(deploying, Some(Refusal::Busy { .. })), "{deploying:?}");
}
