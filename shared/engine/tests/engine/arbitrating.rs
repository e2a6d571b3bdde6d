//! Two workflows on one application: what one may not make smaller while the other is at work, and what a person may.

use crate::common::{APP, Bench, outcomes};
use domain::approval::{Approval, Consent, Via};
use domain::arbitration::{Incident, Made};
use domain::change::Change;
use domain::execution::{ExecutionRecord, Status, Workflow};
use domain::guard::Refusal;
use domain::ids::{ChangeId, ExecutionId};
use domain::resource::Resource;
use domain::snapshot::{Alarm, AlarmState};
use engine::act::{ChangeReport, ChangeResult};
use engine::ports::{Entry, EntryState, Executions};
use engine::settle::{End, Settled};
use engine::undo;
use std::sync::Arc;
use testkit::{Fault, Process, World, build, run_to_end};

const HOUR_S: u32 = 3_600;

/// A world in which a health run has grown the fleet from 2 to 4 and seen it help, or not judged it yet. Its lease is over.
fn grown(is_judged: bool) -> Arc<World> {
    let bench = Bench::of(vec![build::fleet("web", 2), build::service("worker", 4)]);
    let change = build::change("c1", build::set_fleet("web", 4));
    assert_eq!(bench.act(&build::plan(vec![change.clone()])).unwrap().applied().count(), 1);
    if is_judged {
        let kept = bench.keep(&outcomes(&[(&change, true)], bench.world.now())).unwrap();
        assert_eq!(kept.kept.changes.len(), 1);
    }
    bench.world.pass_s(HOUR_S);
    bench.world
}

/// A run of another workflow on it.
fn other(world: &Arc<World>) -> Bench {
    let mut bench = Bench::on(world, "run-2");
    bench.run.workflow = Workflow::Rollback;
    bench
}

fn refusal(line: &ChangeReport) -> Option<&Refusal> {
    match &line.result {
        ChangeResult::Refused { refusal, .. } => Some(refusal),
        ChangeResult::Applied { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn ended(run: &str, status: Status, world: &Arc<World>) {
    let now = world.now();
    let record = ExecutionRecord {
        execution_id: ExecutionId::from(run),
        execution_arn: String::new(),
        workflow_type: Workflow::Health,
        app: APP.into(),
        status,
        trigger: String::new(),
        alarms: Vec::new(),
        mode: None,
        started_at: now,
        completed_at: (status != Status::Running).then_some(now),
        success_criteria_met: status == Status::Completed,
        residue: Vec::new(),
        iterations: Vec::new(),
        answers: Vec::new(),
        conclusion: None,
        config_hash: String::new(),
        build: String::new(),
    };
    let process = Process::sound(world);
    run_to_end(&process, Executions::save(&process, &record)).finished().unwrap().unwrap();
}

/// What happens to the application.
type Happens = fn(&Arc<World>);

fn ring(world: &World, state: AlarmState) {
    world.set_alarms(vec![Alarm { name: "cpu".to_owned(), state, since: None, reason: String::new() }]);
}

#[test]
fn a_verified_growth_of_another_workflow_stands_for_its_hours() {
    let world = grown(true);
    world.pass_s(22 * HOUR_S);
    let bench = other(&world);
    let line = bench.make("r1", build::set_fleet("web", 3));
    assert!(matches!(refusal(&line), Some(Refusal::TakesBack { min_h: 24, .. })), "{line:?}");
    assert!(line.would_be().contains("would be refused: it would take back change c1"), "{}", line.would_be());
    let report = bench.make("r2", build::set_service("worker", 3));
    assert_eq!(refusal(&report), None, "another resource is free");
    assert_eq!(refusal(&bench.make("g1", build::set_fleet("web", 5))), None, "growth is never held up");

    let world = grown(true);
    let own = Bench::on(&world, "run-3");
    assert_eq!(refusal(&own.make("r1", build::set_fleet("web", 3))), None, "it may take back its own");

    let world = grown(true);
    world.pass_s(24 * HOUR_S);
    assert_eq!(refusal(&other(&world).make("r1", build::set_fleet("web", 3))), None, "its hours are over");
}

#[test]
fn while_a_change_of_another_workflow_is_verified_nothing_of_the_application_is_made_smaller() {
    let bench = other(&grown(false));
    let line = bench.make("r1", build::set_service("worker", 3));
    assert!(matches!(refusal(&line), Some(Refusal::Unjudged { change, .. }) if change.as_str() == "c1"), "{line:?}");
    assert_eq!(bench.capacity("ecs/worker"), Some(4));
    assert_eq!(refusal(&bench.make("g1", build::set_service("worker", 5))), None, "growth is never held up");
    let bench = other(&grown(true));
    assert_eq!(refusal(&bench.make("r1", build::set_service("worker", 3))), None, "once it is judged");
}

#[test]
fn nothing_is_made_smaller_in_an_incident_or_before_a_surge() {
    let handed_over: Happens = |world| ended("h1", Status::Escalated, world);
    let at_work: Happens = |world| ended("h1", Status::Running, world);
    let alarm: Happens = |world| ring(world, AlarmState::Alarm);
    let incidents: [(Happens, &str); 3] =
        [(handed_over, "handed it over"), (at_work, "is at work"), (alarm, "1 of its alarms in ALARM: cpu")];
    for (happens, word) in incidents {
        let world = grown(true);
        happens(&world);
        let bench = other(&world);
        let line = bench.make("r1", build::set_service("worker", 3));
        let Some(Refusal::Incident { incident }) = refusal(&line) else { panic!("{word}: {line:?}") };
        assert!(incident.to_string().contains(word), "{incident}");
        assert_eq!((bench.capacity("ecs/worker"), bench.state("r1")), (Some(4), None), "{word}");
        assert_eq!(
            refusal(&bench.make("g1", build::set_service("worker", 5))),
            None,
            "{word}: growth is never held up"
        );
    }
    let world = grown(true);
    ended("h1", Status::Escalated, &world);
    world.pass_s(60);
    ended("h2", Status::Completed, &world);
    ring(&world, AlarmState::Ok);
    let mut bench = other(&world);
    bench.surge = Box::new(|_| Some("sale".to_owned()));
    let line = bench.make("r1", build::set_service("worker", 3));
    assert_eq!(refusal(&line), Some(&Refusal::Surge { surge: "sale".to_owned() }));
    assert_eq!(refusal(&bench.make("g1", build::set_fleet("web", 5))), None, "growth is never held up");
    bench.surge = Box::new(|_| None);
    assert_eq!(refusal(&bench.make("r2", build::set_service("worker", 3))), None, "all is well and nothing announced");
}

#[test]
fn what_cannot_be_read_forbids_it_and_what_fails_once_is_read_again() {
    let plan = build::plan(vec![build::change("r1", build::set_service("worker", 3))]);
    let number = |operation: &str| {
        let twin = other(&grown(true));
        let process = Process::sound(&twin.world);
        assert_eq!(twin.act_in(&process, &plan).finished().unwrap().unwrap().applied().count(), 1);
        process.calls().iter().position(|call| call.operation == operation).unwrap()
    };
    for operation in ["Leases.holder", "Executions.newest", "Alarms.alarms"] {
        let at = number(operation);
        for (fault, is_made) in [(Fault::Deny, false), (Fault::Throttle, true), (Fault::LoseAnswer, true)] {
            let bench = other(&grown(true));
            let process = Process::with(&bench.world, [(at, fault)]);
            let mut report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
            let line = report.changes.remove(0);
            assert_eq!(refusal(&line).is_none(), is_made, "{operation} {fault:?}: {line:?}");
            if let Some(Refusal::Incident { incident }) = refusal(&line) {
                assert!(matches!(incident, Incident::Unknown { .. }), "{incident}");
            }
        }
    }
}

fn ids(ids: &[&str]) -> std::collections::BTreeSet<ChangeId> {
    ids.iter().map(|id| ChangeId::from(*id)).collect()
}

fn order(bench: &Bench, named: &[&str]) -> Vec<Settled> {
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    let resources: Vec<Resource> = bench.world.resources();
    let named = ids(named);
    let work = undo::ordered(&context, &named, &resources, "asked for by hand");
    run_to_end(&process, work).finished().unwrap().unwrap().changes
}

fn preview(bench: &Bench, named: &[&str]) -> String {
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    let named = ids(named);
    let work = undo::preview(&context, &named, &[]);
    run_to_end(&process, work).finished().unwrap().unwrap().remove(0)
}

#[test]
fn a_verified_growth_is_not_ordered_back_in_an_incident_or_before_a_surge() {
    let mut surge = other(&grown(true));
    surge.surge = Box::new(|_| Some("sale".to_owned()));
    let incident = other(&grown(true));
    ring(&incident.world, AlarmState::Alarm);
    for (bench, word) in [(surge, "a surge is announced (sale)"), (incident, "an incident is open")] {
        let would = preview(&bench, &["c1"]);
        assert!(would.contains(&format!("would be refused: {word}")), "{would}");
        let lines = order(&bench, &["c1"]);
        assert!(matches!(&lines[0].end, End::Refused { why, .. } if why.starts_with(word)), "{lines:?}");
        assert_eq!((bench.capacity("asg/web"), bench.state("c1")), (Some(4), Some(EntryState::Kept)));
    }
}

/// Whatever read fails at the first look, it is no way around the restraint.
#[test]
fn regression_a_read_that_fails_lets_no_order_pass_an_incident() {
    let named = ids(&["c1"]);
    let ordered = |faults: &[(usize, Fault)]| {
        let bench = other(&grown(true));
        ring(&bench.world, AlarmState::Alarm);
        let process = Process::with(&bench.world, faults.iter().copied());
        let context = bench.context(&process);
        let work = undo::ordered(&context, &named, &[], "asked for by hand");
        let end = run_to_end(&process, work).finished().unwrap();
        assert_eq!(
            (bench.capacity("asg/web"), bench.state("c1")),
            (Some(4), Some(EntryState::Kept)),
            "{faults:?}: {end:?}"
        );
        process.calls().len()
    };
    let calls = ordered(&[]);
    assert!(calls >= 5, "{calls} calls");
    for at in 0..calls {
        for fault in [Fault::Throttle, Fault::Deny, Fault::LoseRequest, Fault::LoseAnswer] {
            ordered(&[(at, fault)]);
        }
    }
}

#[test]
fn a_verified_growth_is_not_ordered_back_while_another_change_is_verified_unless_both_are_named() {
    let world = grown(true);
    let bench = Bench::on(&world, "run-2");
    assert_eq!(refusal(&bench.make("c2", build::set_service("worker", 5))), None);
    world.pass_s(HOUR_S);
    let mut bench = Bench::on(&world, "back");
    bench.run.workflow = Workflow::Rollback;
    let lines = order(&bench, &["c1"]);
    assert!(
        matches!(&lines[0].end, End::Refused { why, .. } if why.contains("change c2 of the health cycle")),
        "{lines:?}"
    );
    assert_eq!(bench.capacity("asg/web"), Some(4));
    let lines = order(&bench, &["c1", "c2"]);
    assert!(lines.iter().all(|line| matches!(line.end, End::Undone { .. })), "{lines:?}");
    assert_eq!((bench.capacity("asg/web"), bench.capacity("ecs/worker")), (Some(2), Some(4)));
}

#[test]
fn what_nobody_has_judged_is_ordered_back_at_any_time() {
    let world = grown(false);
    ring(&world, AlarmState::Alarm);
    let bench = other(&world);
    let lines = order(&bench, &["c1"]);
    assert!(matches!(lines[0].end, End::Undone { .. }), "{lines:?}");
    assert_eq!(bench.capacity("asg/web"), Some(2));
}

/// A person had the growth rolled back so many hours ago; the health cycle wants it again.
fn wanted_again(hours: u32, consent: fn() -> Consent) -> ChangeReport {
    let world = grown(true);
    let lines = order(&other(&world), &["c1"]);
    assert!(matches!(lines[0].end, End::Undone { .. }), "a person may take back what is verified: {lines:?}");
    assert!(world.entry(&"c1".into()).unwrap().rolled_back);
    world.pass_s(hours * HOUR_S);
    let mut bench = Bench::on(&world, "run-3");
    bench.consent = Box::new(move |_: &Change, _| consent());
    bench.make("c3", build::set_fleet("web", 3))
}

#[test]
fn what_a_person_had_rolled_back_is_made_again_only_with_a_yes() {
    let line = wanted_again(23, || Consent::NotAsked);
    assert!(matches!(refusal(&line), Some(Refusal::RolledBack { min_h: 24, .. })), "{line:?}");
    assert!(line.would_be().ends_with("would be asked for"), "{}", line.would_be());
    let yes = || {
        let at = build::after_s(0);
        let (request, by) = ("q".into(), "Ada".to_owned());
        Consent::Given(Approval::Given { request, by, remark: String::new(), via: Via::Link, at })
    };
    assert_eq!(refusal(&wanted_again(23, yes)), None);
    assert_eq!(refusal(&wanted_again(24, || Consent::NotAsked)), None, "its hours are over");
}

/// Two workflows take turns for days on one fleet, each with whatever it wants, and everything helps. Neither takes back what
/// the other has verified within its hours, so they never undo each other in turn; and both would have, over and over.
#[test]
fn prop_two_workflows_that_take_turns_never_undo_each_other() {
    let mut refused = 0;
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = Arc::new(World::of(vec![build::fleet("web", 6)]));
        for turn in 0..16 {
            world.pass_s(HOUR_S * random.u32(1..20));
            let mut bench = Bench::on(&world, &format!("run-{turn}"));
            bench.run.workflow = if random.bool() { Workflow::Health } else { Workflow::Rollback };
            let change = build::change(&format!("c{turn}"), build::set_fleet("web", random.u32(1..=12)));
            let report = bench.act(&build::plan(vec![change.clone()])).unwrap();
            refused += report.refused().filter(|(_, why)| matches!(why, Refusal::TakesBack { .. })).count();
            let _verdicts = bench.keep(&outcomes(&[(&change, true)], world.now())).unwrap();
        }
        assert_never_in_turn(&world, seed);
    }
    assert!(refused > 100, "{refused} reductions were refused: the histories are too tame to show anything");
}

fn assert_never_in_turn(world: &World, seed: u64) {
    let mut made: Vec<Made> = world.journal().iter().filter_map(Entry::made).collect();
    made.sort_by_key(|made| made.at);
    let takes_back = |two: &[Made]| two[0].by != two[1].by && two[0].direction != two[1].direction;
    for three in made.windows(3).filter(|three| three.windows(2).all(takes_back)) {
        let hours = three[2].at.duration_since(three[0].at).as_hours();
        assert!(hours >= 24, "seed {seed}: undone in turn within {hours} h: {three:#?}");
    }
}
