//! What the owner forbids is not done, and the record says what would have been.

use crate::machine::Machine;
use crate::shop::{FLEET, RUN, SERVERS, Shop, Weather, ready, surge};
use domain::execution::Status;
use domain::guard::KillSwitch;
use domain::price::Sold;
use domain::resource::PROTECTED_TAG;
use engine::act::Report;
use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::build;

fn sick(config: &str) -> Shop {
    Shop::new(Weather { load: surge, ..Weather::default() }, config)
}

/// Runs the cycle, which must change nothing, and gives back the refusals of the first iteration as the record has them.
fn refused(shop: &Shop, input: Value) -> String {
    let ended = Machine::health(shop, RUN).run(input);
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert_eq!((shop.deeds().len(), shop.servers()), (0, SERVERS), "something was changed");
    assert!(shop.record().iterations[0].refused > 0, "{:#?}", shop.record());
    assert_eq!(shop.lease(), None);
    let report: Report = shop.document(1, "actions");
    assert_eq!(report.applied().count(), 0);
    serde_json::to_string(&report).unwrap()
}

#[test]
fn observes_and_changes_nothing_until_it_is_asked_to() {
    let report = refused(&sick(""), json!({"app": "shop"}));
    assert!(report.contains("observe"), "{report}");
}

#[test]
fn a_mode_asked_for_by_hand_only_makes_a_run_more_careful() {
    let report = refused(&sick("applications:\n  shop:\n    mode: observe\n"), json!({"app": "shop", "mode": "auto"}));
    assert!(report.contains("observe"), "{report}");
}

/// Runs a preview, which must change nothing and wait for nothing, and gives back what it says.
fn previewed(shop: &Shop) -> Vec<String> {
    let began = shop.world.now();
    let ended = Machine::health(shop, RUN).run(json!({"app": "shop", "mode": "observe"}));
    assert_eq!(ended.state, "Previewed", "{:?}", ended.path);
    assert!(shop.world.now().duration_since(began).as_secs() < 60, "a preview waits for nothing");
    assert_eq!((shop.deeds().len(), shop.lease(), shop.world.messages().len()), (0, None, 0));
    let record = shop.record();
    assert_eq!((record.status, record.success_criteria_met), (Status::Completed, false));
    serde_json::from_value(ended.output["preview"].clone()).unwrap_or_default()
}

#[test]
fn a_preview_shows_the_plan_and_what_each_guard_says_of_it_and_changes_nothing() {
    let [line] = previewed(&sick("applications:\n  shop:\n    mode: auto\n")).try_into().unwrap();
    assert!(line.starts_with("set the capacity of shop-web to 7 (now 4), because "), "{line}");
    assert!(line.ends_with(": would be made"), "{line}");
    let [line] = previewed(&sick("applications:\n  shop:\n    mode: approve\n")).try_into().unwrap();
    assert!(line.ends_with(": would be asked for"), "{line}");
    let limits = "    limits: {changes_per_hour_max: 0}\n";
    let [line] = previewed(&sick(&format!("applications:\n  shop:\n    mode: approve\n{limits}"))).try_into().unwrap();
    for part in [": would be refused: ", "nobody has approved it", "0 of 0 changes per hour"] {
        assert!(line.contains(part), "every guard that refuses is named: {line}");
    }
}

#[test]
fn the_preview_is_the_plan_that_runs() {
    let shop = sick("applications:\n  shop:\n    mode: auto\n");
    let [line] = previewed(&shop).try_into().unwrap();
    let fresh = sick("applications:\n  shop:\n    mode: auto\n");
    let _ended = Machine::health(&fresh, RUN).run(json!({"app": "shop"}));
    let made = &fresh.world.journal()[0].change;
    assert!(line.starts_with(&made.action.to_string()), "{line} and {}", made.action);
    assert!(line.contains(&made.reason), "{line} and {}", made.reason);
}

#[test]
fn a_preview_of_a_healthy_application_says_that_there_is_nothing_to_do() {
    let shop = Shop::auto(Weather::default());
    assert!(previewed(&shop).is_empty());
    assert!(shop.record().conclusion.unwrap().contains("nothing is to be changed"));
}

#[test]
fn the_kill_switch_stops_every_change() {
    for position in [KillSwitch::On, KillSwitch::Unreadable("access denied".to_owned())] {
        let shop = sick("applications:\n  shop:\n    mode: auto\n");
        shop.world.set_kill_switch(position);
        let report = refused(&shop, json!({"app": "shop"}));
        assert!(report.contains("kill_switch") || report.contains("kill switch"), "{report}");
    }
}

#[test]
fn a_freeze_stops_every_change_and_is_named() {
    let config = "applications:\n  shop:\n    mode: auto\n    freeze:\n      - name: new-year\n        from: 2025-12-30\n        to: 2026-01-05\n        time_zone: UTC\n";
    let report = refused(&sick(config), json!({"app": "shop"}));
    assert!(report.contains("new-year"), "{report}");
}

#[test]
fn a_change_calendar_that_is_closed_stops_every_change_and_an_open_one_none() {
    let config = "defaults:\n  change_calendars: [trading]\napplications:\n  shop:\n    mode: auto\n    change_calendars: [sale]\n";
    for calendar in ["trading", "sale"] {
        let shop = sick(config);
        shop.world.set_calendar(calendar, Some("change calendar is closed until Monday"));
        let report = refused(&shop, json!({"app": "shop"}));
        assert!(report.contains("closed until Monday"), "{report}");
    }
    let shop = sick(config);
    shop.world.set_calendar("of-somebody-else", Some("closed"));
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.deeds().len()), ("Healthy", 1));
}

/// The ceiling is compared with what the plan itself says that it costs, at the prices that monitor has read.
#[test]
fn what_costs_more_than_the_ceiling_is_refused_with_both_numbers() {
    let limited = |cents: i64| {
        let limits = format!("    limits: {{spend_usd_cents_month_max: {cents}}}\n");
        let shop = sick(&format!("applications:\n  shop:\n    mode: auto\n{limits}"));
        shop.world.set_price(Sold::Instance("t4g.small".to_owned()), 16_800);
        shop
    };
    let shop = limited(100);
    let report = refused(&shop, json!({"app": "shop"}));
    assert!(report.contains("spend"), "{report}");
    let told = shop.world.messages().pop().unwrap().text;
    assert!(told.contains("What was planned and held back:") && told.contains("1.00 are allowed"), "{told}");
    let shop = limited(100_000);
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    let change = shop.world.journal()[0].change.clone();
    let added = i64::from(shop.servers() - SERVERS);
    assert_eq!(change.cost_usd_cents_month, Some(added * 16_800 * 730 / 10_000), "{}", change.reason);
}

/// The ceiling of the application counts what earlier runs of any cycle have added, the ceiling of a run does not.
#[test]
fn what_earlier_runs_have_added_counts_for_the_ceiling_of_the_application() {
    let twice: fn(Timestamp) -> f64 = |at| if at < build::after_s(4 * 3_600) { surge(at) } else { 6.4 };
    let second_run = |max_cents: i64| {
        let limits = format!("    limits: {{app_spend_usd_cents_month_max: {max_cents}}}\n");
        let config = format!("applications:\n  shop:\n    mode: auto\n{limits}");
        let shop = Shop::new(Weather { load: twice, ..Weather::default() }, &config);
        shop.world.set_price(Sold::Instance("t4g.small".to_owned()), 16_800);
        assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
        let of_first = shop.deeds().len();
        shop.world.pass_s(6 * 3_600);
        shop.catch_up();
        let ended = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
        (ended.state, shop.deeds().len() - of_first, shop)
    };
    let (state, made, shop) = second_run(1_000_000);
    assert_eq!((state.as_str(), made), ("Healthy", 1));
    let costs: Vec<i64> = shop.world.journal().iter().filter_map(|entry| entry.change.cost_usd_cents_month).collect();
    assert!(costs.len() == 2 && costs.iter().all(|cents| *cents > 0), "{costs:?}");
    let both: i64 = costs.iter().sum();
    assert_eq!(second_run(both).0, "Healthy");
    let (state, made, shop) = second_run(both - 1);
    let told = shop.world.messages().pop().unwrap().text;
    assert_eq!((state.as_str(), made), ("HandedToPeople", 0), "{told}");
    assert!(told.contains("with the changes of the last 30 days"), "{told}");
}

/// A fleet that another application selects by another tag is changed by neither.
#[test]
fn what_belongs_to_two_applications_is_left_alone_and_people_are_told_which() {
    let config =
        |select: &str| format!("applications:\n  shop:\n    mode: auto\n  blog:\n    select: {{tags: {{{select}}}}}\n");
    assert_eq!(Machine::health(&sick(&config("team: blog")), RUN).run(json!({"app": "shop"})).state, "Healthy");
    let shop = sick(&config("'maintainer:app': '*'"));
    let report = refused(&shop, json!({"app": "shop"}));
    assert!(report.contains("shared"), "{report}");
    let told = shop.world.messages().pop().unwrap().text;
    assert!(told.contains("belongs to blog as well"), "{told}");
}

/// Undone too often, nothing more is changed; a person who has looked closes the circuit breaker by a run.
#[test]
fn an_open_circuit_breaker_is_closed_by_a_run_that_says_so() {
    let config = "applications:\n  shop:\n    mode: auto\n    limits: {undos_per_day_max: 1, cooldown_s: 0, repeats_per_day_max: 9, reversal_bars_h: 1}\n";
    let shop = sick(config);
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    assert_eq!(Machine::rollback(&shop, "back-1").run(json!({"execution_id": RUN})).state, "RolledBack");
    shop.world.pass_s(3_600);
    let ended = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", SERVERS));
    let told = shop.world.messages().pop().unwrap();
    let report: engine::act::Report =
        ready(engine::documents::need(&*shop.world, "runs/shop/run-2/1/actions.json")).unwrap();
    let (_, refusal) = report.refused().next().expect("the change was refused");
    assert!(refusal.to_string().contains("\"circuit\": \"close\""), "{refusal} {}", told.text);

    let ended = Machine::health(&shop, "run-3").run(json!({"app": "shop", "circuit": "close"}));
    assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
    assert!(shop.servers() > SERVERS);
    assert!(shop.record_of("run-3").trigger.contains("closes the circuit breaker"));
}

#[test]
fn a_protected_resource_is_never_touched() {
    let by_tag = sick("applications:\n  shop:\n    mode: auto\n");
    by_tag.world.edit(&FLEET.into(), |fleet| {
        fleet.tags.insert(PROTECTED_TAG.to_owned(), "yes".to_owned());
    });
    let by_name = sick("applications:\n  shop:\n    mode: auto\n    protected: [shop-web]\n");
    for shop in [by_tag, by_name] {
        let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
        assert_eq!((ended.state.as_str(), shop.deeds().len()), ("HandedToPeople", 0));
    }
}

#[test]
fn what_somebody_else_has_set_meanwhile_is_not_undone() {
    let shop = sick("applications:\n  shop:\n    mode: auto\n");
    let mut machine = Machine::health(&shop, RUN);
    machine.before.insert("WaitForEffect", |shop| shop.world.edit_capacity(&FLEET.into(), 11));
    let _ended = machine.run(json!({"app": "shop"}));
    assert_eq!(shop.servers(), 11, "{:#?}", shop.world.journal());
    assert_eq!(shop.lease(), None);
}
