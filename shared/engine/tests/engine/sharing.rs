//! One resource, two cycles: what one has under way on it refuses every change that the other wants of it.

use crate::common::Bench;
use domain::change::Action;
use domain::execution::Cycle;
use domain::guard::Refusal;
use domain::ids::ResourceId;
use engine::act::ChangeResult;
use engine::ports::{Entry, EntryState, Journal};
use std::sync::Arc;
use testkit::{Process, World, build, run_to_end};

const STATES: [EntryState; 7] = [
    EntryState::Intended,
    EntryState::Applied,
    EntryState::UndoIntended,
    EntryState::NotApplied,
    EntryState::Kept,
    EntryState::Undone,
    EntryState::Superseded,
];

/// A world in which the cost cycle holds its lease, and has changed the web tier unless `state` is none; an hour later.
fn after_cost(state: Option<EntryState>) -> Arc<World> {
    let world = Arc::new(World::of(vec![build::fleet("web", 3), build::service("worker", 2)]));
    let cost = Bench::try_of_cycle(&world, "cost-1", Cycle::Cost).expect("its lease is free");
    if let Some(state) = state {
        let made = cost.make("of-cost", build::replace("web", 1));
        assert!(matches!(made.result, ChangeResult::Applied { .. }), "{made:?}");
        let entry = Entry { state, ..world.entry(&"of-cost".into()).unwrap() };
        let process = Process::sound(&world);
        let moved = run_to_end(&process, Journal::advance(&*world, EntryState::Applied, &entry));
        moved.finished().unwrap().unwrap();
    }
    world.pass_s(600);
    world
}

fn wanted(world: &World) -> Vec<Action> {
    let member = match world.resource(&ResourceId::from("asg/web")).map(|web| web.live) {
        Some(domain::resource::Live::AutoScalingGroup(fleet)) => fleet.instances[0].id.clone(),
        other => panic!("{other:?}"),
    };
    vec![
        build::set_fleet("web", 4),
        build::set_fleet("web", 2),
        Action::ReplaceInstance { group: "web".into(), instance: member },
        Action::RefreshFleet { group: "web".into() },
    ]
}

fn result(world: &Arc<World>, action: Action) -> ChangeResult {
    let health = Bench::try_on(world, "health-1").expect("the leases of two cycles are two");
    health.make("of-health", action).result
}

#[test]
fn an_open_change_of_another_cycle_refuses_every_change_of_its_resource() {
    for state in STATES.into_iter().filter(|state| state.is_open()) {
        for action in wanted(&after_cost(Some(state))) {
            let told = format!("{action} while the change of the other cycle is {state:?}");
            let world = after_cost(Some(state));
            let before = world.ledger().len();
            let refused = match result(&world, action) {
                ChangeResult::Refused { refusal, .. } => refusal,
                other => panic!("{told}: {other:?}"),
            };
            // What makes something smaller is held up for the whole application, before its resource is asked about.
            assert!(matches!(refused, Refusal::Busy { .. } | Refusal::Unjudged { .. }), "{told}: {refused:?}");
            assert_eq!(world.ledger().len(), before, "{told}");
        }
        let elsewhere = result(&after_cost(Some(state)), build::set_service("worker", 3));
        assert!(matches!(elsewhere, ChangeResult::Applied { .. }), "another resource: {elsewhere:?}");
    }
}

#[test]
fn a_lease_of_another_cycle_without_an_open_change_holds_no_growth_and_no_restart_up() {
    let closed = STATES.into_iter().filter(|state| !state.is_open()).map(Some);
    for state in closed.chain([None]) {
        for action in wanted(&after_cost(state)) {
            let told = format!("{action} while the change of the other cycle is {state:?}");
            let is_smaller = action == build::set_fleet("web", 2);
            let made = result(&after_cost(state), action);
            // An open incident, which a run of health at work is, or a kept growth may still speak against it.
            let is_busy =
                matches!(&made, ChangeResult::Refused { refusal: Refusal::Busy { .. } | Refusal::Unjudged { .. }, .. });
            assert!(!is_busy, "{told}: {made:?}");
            assert!(is_smaller || matches!(made, ChangeResult::Applied { .. }), "{told}: {made:?}");
        }
    }
}

#[test]
fn of_two_cycles_that_want_one_resource_at_once_one_at_most_changes_it() {
    let (mut one, mut none) = (0, 0);
    for seed in 0..1_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = Arc::new(World::of(vec![build::fleet("web", 3)]));
        let health = Bench::on(&world, "health-1");
        let cost = Bench::try_of_cycle(&world, "cost-1", Cycle::Cost).expect("its lease is free");
        let plans = [
            build::plan(vec![build::change("of-health", build::set_fleet("web", 4))]),
            build::plan(vec![build::change("of-cost", build::replace("web", 1))]),
        ];
        let (first, second) = (Process::sound(&world), Process::sound(&world));
        let (of_health, of_cost) = (health.context(&first), cost.context(&second));
        let fibers: Vec<testkit::schedule::Fiber<'_, _>> = vec![
            (&first, Box::pin(engine::act::carry_out(&of_health, &plans[0], &health.snapshot))),
            (&second, Box::pin(engine::act::carry_out(&of_cost, &plans[1], &cost.snapshot))),
        ];
        let _reports = testkit::interleave(fibers, |running| random.usize(0..running));
        match world.ledger().len() {
            0 => none += 1,
            1 => one += 1,
            more => panic!("seed {seed}: {more} changes of one resource at once"),
        }
    }
    assert!(one > 0 && none < 1_000, "{one} times one, {none} times none");
}
