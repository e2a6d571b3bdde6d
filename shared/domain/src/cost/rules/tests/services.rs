//! Services on Fargate whose tasks are too large.

use super::{claims, tagged};
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy, Saving};
use crate::cost::terms::{TaskTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::{Missing, Observed};
use crate::resource::{Live, PROTECTED_TAG, Service};

const RULE: &str = "oversized_task";

fn service(change: impl FnOnce(&mut Service, &mut TaskTerms)) -> Item {
    let mut live = Service {
        cluster: "shop".to_owned(),
        desired: 4,
        running: 4,
        deployment_in_progress: false,
        last_deployment_at: Some(days_ago(20)),
        bounds: None,
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: Some("arn:aws:ecs:eu-central-1:1:task-definition/web:7".to_owned()),
        tasks: Observed::Missing(Missing::NoData),
    };
    let mut terms = TaskTerms {
        definition: "web:7".to_owned(),
        cpu_units: 1_024,
        memory_mib: 4_096,
        containers_units: 0,
        containers_mib: 0,
        is_arm: false,
        is_linux: true,
        is_on_demand: true,
    };
    change(&mut live, &mut terms);
    Item { terms: Some(Terms::Task(terms)), ..item("service/web", Live::EcsService(live)) }
}

fn loaded(it: &Item, cpu: f64, memory: f64) -> Vec<Usage> {
    vec![history(it, Quantity::CpuPct, |_| Some(cpu)), history(it, Quantity::MemoryPct, |_| Some(memory))]
}

fn is_found(change: impl FnOnce(&mut Service, &mut TaskTerms), cpu: f64, memory: f64) -> bool {
    let it = service(change);
    let usage = loaded(&it, cpu, memory);
    claims(RULE, vec![it], usage)
}

/// What would do, in words.
fn advised(change: impl FnOnce(&mut Service, &mut TaskTerms), cpu: f64, memory: f64) -> Option<String> {
    let it = service(change);
    let usage = loaded(&it, cpu, memory);
    let found = found(vec![it], usage).into_iter().find(|one| one.rule.as_str() == RULE)?;
    let (_, words) = found.summary.split_once(": ")?;
    Some(words.trim_end_matches(" would do").to_owned())
}

#[test]
fn a_task_shrinks_in_what_it_does_not_need_to_a_pair_that_is_sold() {
    for (cpu, memory, expected) in [
        (29.9, 37.5, Some("0.5 vCPU and 2 GB")),
        // More than 75 % of 2 GB, but not of 3; the level itself is low up to 40 %.
        (29.9, 37.6, Some("0.5 vCPU and 3 GB")),
        (29.9, 39.9, Some("0.5 vCPU and 3 GB")),
        (29.9, 40.0, Some("0.5 vCPU and 4 GB")),
        (30.0, 39.9, Some("1 vCPU and 3 GB")),
        (30.0, 40.0, None),
        // One step at a time.
        (1.0, 1.0, Some("0.5 vCPU and 2 GB")),
    ] {
        assert_eq!(advised(|_, _| (), cpu, memory).as_deref(), expected, "{cpu} {memory}");
    }
    // Half a processor goes with 4 GB at most, and none is smaller than a quarter with half a GB.
    for (units, mib, cpu, memory, expected) in [
        (1_024, 8_192, 10.0, 50.0, None),
        (1_024, 8_192, 10.0, 37.5, Some("0.5 vCPU and 4 GB")),
        (1_024, 8_192, 10.0, 37.6, Some("1 vCPU and 5 GB")),
        (512, 1_024, 10.0, 10.0, Some("0.25 vCPU and 0.5 GB")),
        (256, 512, 10.0, 10.0, None),
        (1_000, 4_096, 10.0, 10.0, None),
    ] {
        let change = |service: &mut Service, terms: &mut TaskTerms| {
            (service.desired, service.running) = (40, 40);
            (terms.cpu_units, terms.memory_mib) = (units, mib);
        };
        assert_eq!(advised(change, cpu, memory).as_deref(), expected, "{units} {mib} {cpu} {memory}");
    }
}

#[test]
fn a_service_that_is_paid_otherwise_unsettled_or_kept_makes_no_claim() {
    assert!(is_found(|_, _| (), 10.0, 10.0));
    type Change = fn(&mut Service, &mut TaskTerms);
    let cases: [Change; 8] = [
        |_, terms| terms.is_linux = false,
        |_, terms| terms.is_on_demand = false,
        |service, _| service.deployment_in_progress = true,
        |service, _| service.running = 3,
        |service, _| (service.desired, service.running) = (0, 0),
        |service, _| service.bounds_missing = Some(Missing::Throttled),
        |service, _| service.last_deployment_at = None,
        |service, _| service.last_deployment_at = Some(days_ago(13)),
    ];
    for (number, change) in cases.into_iter().enumerate() {
        assert!(!is_found(change, 10.0, 10.0), "case {number}");
    }
    assert!(is_found(|service, _| service.last_deployment_at = Some(days_ago(14)), 10.0, 10.0));
    let on_instances = Item { terms: None, ..service(|_, _| ()) };
    let usage = loaded(&on_instances, 10.0, 10.0);
    assert!(!claims(RULE, vec![on_instances], usage));
    for (key, value) in [(PROTECTED_TAG, "true"), ("role", "standby")] {
        let it = tagged(service(|_, _| ()), key, value);
        let usage = loaded(&it, 10.0, 10.0);
        assert!(!claims(RULE, vec![it], usage));
    }
    for quantity in [Quantity::CpuPct, Quantity::MemoryPct] {
        let it = service(|_, _| ());
        let mut usage = loaded(&it, 10.0, 10.0);
        usage.retain(|one| one.quantity != quantity);
        usage.push(unread(&it, quantity));
        assert!(!claims(RULE, vec![it], usage), "{quantity:?}");
    }
    for (hours, is) in [(336, true), (335, false)] {
        let it = service(|_, _| ());
        let mut usage = loaded(&it, 10.0, 10.0);
        usage[0] = history(&it, Quantity::CpuPct, |hour| (hour >= 720 - hours).then_some(10.0));
        assert_eq!(claims(RULE, vec![it], usage), is, "{hours} hours");
    }
}

fn one(change: impl FnOnce(&mut Service, &mut TaskTerms), managed_by: Option<Template>) -> Opportunity {
    let it = Item { managed_by, ..service(change) };
    let usage = loaded(&it, 10.0, 10.0);
    found(vec![it], usage).remove(0)
}

#[test]
fn the_saving_is_that_of_the_tasks_that_are_certain_to_run() {
    // 730 h x (0.5 x 0.04656 + 2 x 0.00511) USD = 24.4550 USD a task.
    let each = UsdMicros(24_455_000);
    assert_eq!(one(|_, _| (), None).saving, Observed::Known(Saving::exactly(each.times(4.0))));
    for bounds in [(2, 2), (8, 8)] {
        let found = one(|service, _| service.bounds = Some(bounds), None);
        assert_eq!(found.saving, Observed::Known(Saving::exactly(each.times(4.0))), "no room for more or fewer");
    }
    let found = one(|service, _| service.bounds = Some((2, 10)), None);
    let expected = Saving { low: UsdMicros(0), likely: each.times(2.0), high: each.times(4.0) };
    assert_eq!(found.saving, Observed::Known(expected));
    assert!(one(|_, terms| terms.is_arm = true, None).saving.is_missing(), "no price of arm64 is known");
}

#[test]
fn the_advice_has_the_lines_and_the_way_back_the_earlier_revision() {
    let found = one(|_, _| (), None);
    let Remedy::Advice { what } = &found.remedy else { panic!("{found:?}") };
    let order = [
        "describe-task-definition --task-definition web:7",
        r#".cpu = "512" | .memory = "2048""#,
        "register-task-definition --cli-input-json file://web.json",
        "update-service --cluster shop --service web --task-definition web\n",
    ];
    let places: Vec<usize> =
        order.iter().map(|part| what.find(part).unwrap_or_else(|| panic!("{part}: {what}"))).collect();
    assert!(places.is_sorted() && !what.contains("reserve"), "{what}");
    assert_eq!(found.way_back, "aws ecs update-service --cluster shop --service web --task-definition web:7");
    let reserved = one(|_, terms| (terms.containers_units, terms.containers_mib) = (512, 2_049), None);
    assert!(matches!(reserved.remedy, Remedy::Advice { what } if what.contains("512 CPU units and 2049 MiB")));
    let stack = Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Web".to_owned() };
    let managed = one(|_, _| (), Some(stack));
    assert!(matches!(managed.remedy, Remedy::Advice { what } if what.contains("do it in the template")));
}
