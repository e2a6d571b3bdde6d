//! Alarms of a run's last seconds: whatever arrives after its last look is answered by exactly one run after it.
//!
//! Deliveries and the end of the run take turns at every call; afterwards all runs that were started are played to their
//! end, and the world says whether every alarm was looked at.

use crate::shop::{begin_on, begun, defaults, deliver, deliver_well, episode_of, event, finish_on, lease_on, start};
use crate::wire::{Goes, Wire};
use domain::execution::IterationRecord;
use domain::ids::ExecutionId;
use engine::ports::Executions;
use engine::run::{Decision, Run};
use jiff::Timestamp;
use lifecycle::begin;
use lifecycle::succession;
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use testkit::schedule::give_way;
use testkit::{Process, World, interleave};

/// Changes between two works in one order.
const SWITCHES_MAX: usize = 4;
/// Runs that are played at most: more is a run that calls the next one for ever.
const RUNS_MAX: usize = 12;

/// A run looks at its application: what analyze writes down.
async fn look(name: &ExecutionId, world: &World) -> Timestamp {
    world.pass_s(5);
    let mut record = Executions::read(world, name).await.unwrap().unwrap();
    let at = world.now();
    record.iterations.push(IterationRecord {
        iteration: u32::try_from(record.iterations.len()).unwrap() + 1,
        at,
        score: Some(9.0),
        score_after: None,
        measured_at: None,
        applied: 0,
        verified: 0,
        undone: 0,
        refused: 0,
        answer_lost: false,
    });
    world.save(&record).await.unwrap();
    at
}

/// A run that an alarm has started, right after its last look.
async fn looked(world: &Arc<World>) -> Run {
    let name = deliver_well(&event("first", "shop-web", "ALARM", 0), world).await.started.remove(0);
    let episode = episode_of("shop", world).await.unwrap().id;
    world.pass_s(1);
    let run = begun(&name, Some(&episode), world).await;
    look(&run.execution_id, world).await;
    world.pass_s(1);
    Run { decision: Decision::Succeeded, ..run }
}

/// Looks of the runs that followed, by run; a run that found another at work has none.
type Looks = Vec<(String, Option<Timestamp>)>;

/// Plays a run that was started: it begins, looks once and ends.
async fn play(name: &str, input: &str, wire: &Wire) -> Option<Timestamp> {
    let input: Value = serde_json::from_str(input).unwrap();
    match begin_on(start(name, input["episode"].as_str()), wire).await.unwrap() {
        begin::Answer::Busy { .. } => None,
        begin::Answer::Run(run) => {
            let at = look(&run.execution_id, &wire.world).await;
            finish_on(Run { decision: Decision::Succeeded, ..*run }, wire).await.unwrap();
            Some(at)
        }
    }
}

/// Plays every run that was started and not played yet.
async fn play_all(world: &Arc<World>, looks: &mut Looks) {
    while let Some((name, input)) =
        world.started().into_iter().find(|(name, _)| looks.iter().all(|(played, _)| played != name))
    {
        assert!(looks.len() < RUNS_MAX, "one run calls the next for ever");
        world.pass_s(3);
        let at = play(&name, &input, &Wire::sound(world)).await;
        looks.push((name, at));
    }
}

pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lets the works take turns at every call.
pub fn take_turns(world: &Arc<World>, works: Vec<Work<'_>>, choose: impl FnMut(usize) -> usize) {
    let processes: Vec<Process> = works.iter().map(|_| Process::sound(world)).collect();
    interleave(processes.iter().zip(works).collect(), choose);
}

/// Every order in which choices can be made: `play` is called with each.
///
/// Two works change places at most [`SWITCHES_MAX`] times in one order: what goes wrong does so with few.
fn every_order(mut play: impl FnMut(&mut dyn FnMut(usize) -> usize)) -> usize {
    let (mut plan, mut orders): (Vec<(usize, usize)>, usize) = (Vec::new(), 0);
    loop {
        let (mut step, mut last, mut switches) = (0, 0, 0);
        play(&mut |options| {
            if switches == SWITCHES_MAX {
                last = last.min(options - 1);
                return last;
            }
            if step == plan.len() {
                plan.push((0, options));
            }
            step += 1;
            let next = plan[step - 1].0;
            switches += usize::from(next != last);
            last = next;
            next
        });
        orders += 1;
        while plan.last().is_some_and(|(chosen, options)| chosen + 1 == *options) {
            plan.pop();
        }
        match plan.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => return orders,
        }
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Nothing is left open, and exactly one run that looked came after the alarm.
fn answered_once(world: &World, looks: &Looks, arrived: Timestamp, what: &str) {
    let after: Vec<_> = looks.iter().filter(|(_, at)| at.is_some_and(|at| at > arrived)).collect();
    assert_eq!(after.len(), 1, "{what}: {looks:?}");
    assert!(looks.iter().all(|(_, at)| at.is_some()), "{what}: a run found another at work: {looks:?}");
    assert_eq!(lease_on("shop", world), None, "{what}");
    assert_eq!(block_on(episode_of("shop", world)), None, "{what}");
}

#[test]
fn regression_an_alarm_between_any_two_calls_of_a_finish_is_answered_by_one_run_after_it() {
    let calls = {
        let world = Arc::new(block_on(async { crate::shop::shop() }));
        let run = block_on(looked(&world));
        let wire = Wire::sound(&world);
        block_on(finish_on(run, &wire)).unwrap();
        wire.calls()
    };
    for before in 0..=calls {
        let world = crate::shop::shop();
        let run = block_on(looked(&world));
        let first = run.execution_id.to_string();
        let (arrived, late) = (world.now(), event("late", "shop-web", "ALARM", 7));
        let (end, delivery) = (Wire::taking_turns(&world), Wire::taking_turns(&world));
        let config = defaults();
        let works: Vec<Work<'_>> = vec![
            Box::pin(async { drop(finish_on(run, &end).await.unwrap()) }),
            Box::pin(async { drop(deliver(&late, &config, &delivery).await.unwrap()) }),
        ];
        let mut turn = 0;
        take_turns(&world, works, |running| {
            turn += 1;
            // The end of the run up to the call, then the whole delivery, then the rest.
            if turn <= before || running == 1 { 0 } else { 1 }
        });
        let mut looks = vec![(first, None)];
        block_on(play_all(&world, &mut looks));
        looks.remove(0);
        answered_once(&world, &looks, arrived, &format!("before call {before}"));
    }
}

#[test]
fn regression_a_finish_and_a_delivery_that_run_into_each_other_anyhow_lose_nothing_and_start_one_run() {
    let orders = every_order(|choose| {
        let world = crate::shop::shop();
        let run = block_on(looked(&world));
        let first = run.execution_id.to_string();
        let (arrived, late) = (world.now(), event("late", "shop-web", "ALARM", 7));
        let (end, delivery) = (Wire::taking_turns(&world), Wire::taking_turns(&world));
        let config = defaults();
        let works: Vec<Work<'_>> = vec![
            Box::pin(async { drop(finish_on(run, &end).await.unwrap()) }),
            Box::pin(async { drop(deliver(&late, &config, &delivery).await.unwrap()) }),
        ];
        take_turns(&world, works, choose);
        let mut looks = vec![(first, None)];
        block_on(play_all(&world, &mut looks));
        looks.remove(0);
        answered_once(&world, &looks, arrived, "some order");
    });
    assert!(orders > 1_000, "{orders} orders");
}

/// The next run begins, looks and ends while deliveries are still on their way; one of them breaks and comes again.
#[test]
fn fault_two_late_alarms_one_of_which_breaks_are_answered_while_runs_come_and_go() {
    for seed in 1..=1_000u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let world = crate::shop::shop();
        let run = block_on(looked(&world));
        let first = run.execution_id.to_string();
        let arrived = world.now();
        let (one, two) = (event("one", "shop-web", "ALARM", 7), event("two", "shop-web", "ALARM", 8));
        let goes = if random(2) == 0 { Goes::Lost } else { Goes::Unanswered };
        let config = defaults();
        let (end, sound) = (Wire::taking_turns(&world), Wire::taking_turns(&world));
        let broken = Wire::failing_in_turn(&world, random(9), goes);
        let again = Wire::taking_turns(&world);
        let runs = std::cell::RefCell::new(vec![(first, None)]);
        let works: Vec<Work<'_>> = vec![
            Box::pin(async { drop(finish_on(run, &end).await.unwrap()) }),
            Box::pin(async { drop(deliver(&one, &config, &sound).await.unwrap()) }),
            Box::pin(async {
                if deliver(&two, &config, &broken).await.is_err() {
                    drop(deliver(&two, &config, &again).await.unwrap());
                }
            }),
            // Step Functions: looks for runs that were started, as often as the others take turns.
            Box::pin(async {
                for _ in 0..60 {
                    give_way().await;
                    let next = world
                        .started()
                        .into_iter()
                        .find(|(name, _)| runs.borrow().iter().all(|(played, _)| played != name));
                    if let Some((name, input)) = next {
                        runs.borrow_mut().push((name.clone(), None));
                        let at = play(&name, &input, &Wire::taking_turns(&world)).await;
                        if let Some(played) = runs.borrow_mut().iter_mut().find(|(played, _)| *played == name) {
                            played.1 = at;
                        }
                    }
                }
            }),
        ];
        take_turns(&world, works, &mut random);
        let mut looks = runs.into_inner();
        block_on(play_all(&world, &mut looks));
        looks.remove(0);
        assert!(looks.iter().any(|(_, at)| at.is_some_and(|at| at > arrived)), "seed {seed}: {looks:?}");
        assert!(looks.iter().all(|(_, at)| at.is_some()), "seed {seed}: a run found another at work: {looks:?}");
        assert!(looks.len() <= 2, "seed {seed}: more runs than deliveries: {looks:?}");
        assert_eq!((lease_on("shop", &world), block_on(episode_of("shop", &world))), (None, None), "seed {seed}");
    }
}

/// A run that asks people lets go of its application the same way, long before its end.
#[tokio::test]
async fn regression_alarms_do_not_wait_for_a_run_that_waits_for_a_person() {
    let own = crate::shop::shop();
    let run = looked(&own).await;
    let last_look = crate::shop::record_of(run.execution_id.as_str(), &own).await.last_look();
    let other = crate::shop::shop();
    let by_hand = begun("by-hand", None, &other).await;
    for (world, run, last_look) in [(&own, run, last_look), (&other, by_hand, other.now())] {
        let before = world.started().len();
        assert!(deliver_well(&event("late", "shop-web", "ALARM", 7), world).await.started.is_empty());
        let wire = Wire::sound(world);
        let ports = succession::World { clock: &wire, episodes: &wire, leases: &wire, starter: &wire };
        succession::let_go(&run, last_look, &ports).await.unwrap();
        assert_eq!(world.started().len(), before + 1);
        let next = lease_on("shop", world).unwrap().holder;
        assert!(world.started().contains_key(next.as_str()), "the lease is taken for the next run");
        succession::let_go(&run, last_look, &ports).await.unwrap();
        assert_eq!(world.started().len(), before + 1, "a repeated step starts no other");
    }
}
