//! Single steps out of order: too late, without what they rest on, or with the record gone.

use crate::shop::{Shop, Weather, ready, surge};
use domain::execution::Cycle;
use engine::ports::{Lease, LeaseAnswer, Leases};
use engine::run::{Decision, LEASE_TTL_S, lease_key};
use engine::step::StepError;
use serde_json::{Value, json};
use testkit::{End, Process, build, run_to_end};

fn sick() -> Shop {
    Shop::auto(Weather { load: surge, ..Weather::default() })
}

fn held(shop: &Shop) -> Lease {
    let key = lease_key(Cycle::Health, &"shop".into());
    match ready(Leases::acquire(&*shop.world, &key, &"run-1".into(), shop.world.now(), LEASE_TTL_S)).unwrap() {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(other) => panic!("{other:?}"),
    }
}

fn call(shop: &Shop, function: &str, payload: Value) -> Result<Value, StepError> {
    shop.catch_up();
    let process = Process::sound(&shop.world);
    match run_to_end(&process, harness::step(shop, &process, function, payload)) {
        End::Finished(answer) => answer,
        End::Crashed => panic!("a sound process does not die"),
    }
}

#[test]
fn a_step_without_what_it_rests_on_says_what_is_not_there() {
    for (function, document) in [("AnalyzeFunction", "snapshot"), ("ValidateFunction", "snapshot")] {
        let shop = sick();
        let run = serde_json::to_value(build::run("shop", "run-1", held(&shop))).unwrap();
        let judges = function == "ValidateFunction";
        let payload = if judges { json!({"intent": "iteration", "run": run}) } else { run };
        let answer = call(&shop, function, payload);
        let Err(StepError::Stale(why)) = answer else { panic!("{function}: {answer:?}") };
        assert!(why.contains(&format!("runs/shop/run-1/1/{document}.json")), "{why}");
    }
    let shop = sick();
    let run = build::run("shop", "run-1", held(&shop));
    let answer = call(&shop, "OptimizeFunction", json!({"intent": "apply", "run": run}));
    assert!(matches!(answer, Err(StepError::Stale(_))), "{answer:?}");
    assert!(shop.world.ledger().is_empty());
}

#[test]
fn a_run_without_a_record_changes_nothing() {
    let shop = sick();
    let run = build::run("shop", "run-1", held(&shop));
    let measured = call(&shop, "MonitorFunction", serde_json::to_value(&run).unwrap()).unwrap();
    let answer = call(&shop, "AnalyzeFunction", measured);
    assert!(matches!(answer, Err(StepError::Conflict(_))), "{answer:?}");
    assert!(shop.world.ledger().is_empty());
}

#[test]
fn an_intent_that_nobody_knows_is_refused_in_one_sentence() {
    let shop = sick();
    let run = build::run("shop", "run-1", held(&shop));
    let answer = call(&shop, "OptimizeFunction", json!({"intent": "aply", "run": run}));
    let Err(StepError::Config(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("apply") && !why.contains('\n'), "{why}");
}

#[test]
fn a_late_monitor_of_a_run_that_lost_its_lease_measures_nothing() {
    let shop = sick();
    let run = build::run("shop", "run-1", held(&shop));
    shop.world.pass_s(LEASE_TTL_S);
    let key = lease_key(Cycle::Health, &"shop".into());
    let _next = ready(Leases::acquire(&*shop.world, &key, &"run-2".into(), shop.world.now(), LEASE_TTL_S)).unwrap();
    let answer = call(&shop, "MonitorFunction", serde_json::to_value(&run).unwrap());
    assert!(matches!(answer, Err(StepError::Conflict(_))), "{answer:?}");
    assert!(shop.world.artifact_keys().is_empty());
}

#[test]
fn a_plan_is_the_same_when_the_step_is_repeated() {
    let shop = sick();
    let started = json!({"app": "shop", "execution_id": "run-1", "execution_arn": "arn", "trigger": "by hand"});
    let run = call(&shop, "BeginFunction", started).unwrap();
    let run = call(&shop, "MonitorFunction", run).unwrap();
    let first = call(&shop, "AnalyzeFunction", run.clone()).unwrap();
    let decided: domain::health::Decided = shop.document(1, "analysis");
    let again = call(&shop, "AnalyzeFunction", run).unwrap();
    assert_eq!(again, first);
    assert_eq!(again["decision"], json!(Decision::Act));
    let repeated: domain::health::Decided = shop.document(1, "analysis");
    assert_eq!((repeated.plan, repeated.analysis.findings), (decided.plan, decided.analysis.findings));
}
