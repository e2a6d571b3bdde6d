//! A plan is as old as its iteration: once a later one of the same run has begun, it claims nothing any more.

use crate::common::{APP, Bench, assert_sound};
use domain::execution::Cycle;
use domain::ids::ResourceId;
use domain::plan::Plan;
use engine::act::{self, ActError, Context};
use engine::lease;
use engine::run::{Run, lease_key};
use std::sync::Arc;
use testkit::schedule::Fiber;
use testkit::{Process, Proof, World, build, interleave, run_to_end};

fn world() -> Arc<World> {
    Arc::new(World::of(vec![build::fleet("web", 2), build::service("worker", 2)]))
}

/// What the first iteration wants.
fn old_plan() -> Plan {
    build::plan(vec![build::change("old", build::set_service("worker", 3))])
}

/// What the second one wants, of another resource, so that no other guard stands between them.
fn new_plan() -> Plan {
    build::plan(vec![build::change("new", build::set_fleet("web", 4))])
}

/// How often the older delivery was turned away by its look or its lease, by its claim, and was first.
struct HeldUp {
    by_its_look: usize,
    by_its_claim: usize,
    it_was_first: usize,
}

/// Holds a delivery of the first iteration up at each of its calls, until what the second one does has been done: `announces` a change of its
/// own, or only begins, looks and finds nothing to do.
fn held_up_at_every_call(announces: bool) -> HeldUp {
    let mut held_up = HeldUp { by_its_look: 0, by_its_claim: 0, it_was_first: 0 };
    for held_up_at in 0.. {
        let world = world();
        let bench = Bench::on(&world, "run-1");
        let (old_run, new_run) = (Run { iteration: 1, ..bench.run.clone() }, Run { iteration: 2, ..bench.run.clone() });
        let (old, new) = (Process::sound(&world), Process::sound(&world));
        let old_context = Context { run: &old_run, ..bench.context(&old) };
        let new_context = Context { run: &new_run, ..bench.context(&new) };
        let (old_plan, new_plan) = (old_plan(), new_plan());
        let later = async {
            match announces {
                true => act::carry_out(&new_context, &new_plan, &bench.snapshot).await.map(drop),
                false => lease::renew(&new_context).await.map(drop),
            }
        };
        let fibers: Vec<Fiber<'_, _>> = vec![
            (&old, Box::pin(async { act::carry_out(&old_context, &old_plan, &bench.snapshot).await.map(drop) })),
            (&new, Box::pin(later)),
        ];
        let (mut turns, mut was_first) = (0, None);
        let ends = interleave(fibers, |running| {
            turns += 1;
            if turns <= held_up_at || running == 1 {
                return 0;
            }
            was_first.get_or_insert_with(|| world.entry(&"old".into()).is_some());
            1
        });
        // Over before it was held up: every call has had its turn.
        let Some(was_first) = was_first else { break };
        let told = format!("held up at call {held_up_at}: {ends:?}");
        assert_sound(&world, false);
        let mut ends = ends.into_iter().map(|end| end.finished().unwrap());
        let (end, begun) = (ends.next().unwrap(), ends.next().unwrap());
        assert!(announces || begun.is_ok(), "{told}");
        if was_first {
            assert!(!announces || world.entry(&"new".into()).is_none() || end.is_ok(), "{told}");
            held_up.it_was_first += 1;
            continue;
        }
        let grown = if announces { 4 } else { 2 };
        assert_eq!(world.capacity(&ResourceId::from("asg/web")), Some(grown), "{told}");
        assert_eq!(world.capacity(&ResourceId::from("ecs/worker")), Some(2), "{told}");
        assert!(world.entry(&"old".into()).is_none(), "{told}");
        assert!(matches!(end, Err(ActError::Overtaken { iteration: 1, newest: 2 })), "{told}");
        match old.calls().iter().any(|call| call.operation == "Journal.intend") {
            true => held_up.by_its_claim += 1,
            false => held_up.by_its_look += 1,
        }
    }
    let HeldUp { by_its_look, by_its_claim, it_was_first } = held_up;
    assert!(by_its_look > 0 && it_was_first > 0, "{by_its_look} by its look, {it_was_first} were first");
    assert!(by_its_claim > 1, "nothing was held up between its look and its claim");
    held_up
}

#[test]
fn fault_a_delivery_that_is_held_up_at_any_call_claims_nothing_once_a_later_iteration_has() {
    held_up_at_every_call(true);
}

#[test]
fn fault_a_delivery_that_is_held_up_at_any_call_claims_nothing_once_a_later_iteration_has_begun() {
    let proof = Proof::begin("held-up-deliveries");
    let HeldUp { by_its_look, by_its_claim, it_was_first } = held_up_at_every_call(false);
    proof.survived(by_its_look + by_its_claim + it_was_first);
}

#[test]
fn the_next_run_begins_at_its_first_iteration_however_far_the_one_before_has_come() {
    let world = world();
    let mut first = Bench::on(&world, "run-1");
    first.run.iteration = 3;
    assert_eq!(first.act(&new_plan()).unwrap().applied().count(), 1);
    let process = Process::sound(&world);
    run_to_end(&process, lease::release(process.ports().leases, &first.run)).finished().unwrap().unwrap();
    let second = Bench::on(&world, "run-2");
    assert_eq!(second.run.iteration, 1);
    assert_eq!(second.act(&old_plan()).unwrap().applied().count(), 1);
    assert_eq!(world.lease(&lease_key(Cycle::Health, &APP.into())).unwrap().holder, second.run.execution_id);
}

#[test]
fn changes_of_one_iteration_do_not_overtake_each_other() {
    let world = world();
    let mut bench = Bench::on(&world, "run-1");
    bench.run.iteration = 2;
    assert_eq!(bench.act(&new_plan()).unwrap().applied().count(), 1);
    assert_eq!(bench.act(&old_plan()).unwrap().applied().count(), 1);
    bench.run.iteration = 3;
    bench.world.pass_s(bench.timing.in_flight_s());
    let later = build::plan(vec![build::change("later", build::set_service("worker", 4))]);
    let report = bench.act(&later).unwrap();
    assert_eq!(report.refused().count(), 1, "the guard says so, not the claim: {report:?}");
}
