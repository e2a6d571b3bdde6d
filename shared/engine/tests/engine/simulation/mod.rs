//! Simulation: runs of all cycles with random plans, faults, late repetitions, outside edits, decrees, answers and clocks of their
//! own, interleaved call by call, against a small model of what must hold.
//!
//! Every simulation is a list of events that follows from its seed. One that goes wrong is made shorter and told as a story.
//! `SIMULATION_RUNS=100000` runs more of them, `SIMULATION_SEED=42` begins at another seed: with `SIMULATION_RUNS=1` it replays one.

mod broken;
mod catalog;
mod cycle;
mod events;
mod generate;
mod model;
pub mod recover;
mod run;
mod shrink;
mod stories;

use broken::Defect;
use engine::ports::EntryState;
use events::Event;
use run::{Played, play};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::Proof;
use testkit::check::{self, Checked, Violation, hold};

/// Simulations in an ordinary test run.
const RUNS: u64 = 10_000;

#[expect(clippy::disallowed_methods, reason = "a person replays a seed or asks for more runs")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn prop_whatever_goes_wrong_each_change_happens_once_or_not_at_all_and_the_record_is_true() {
    let first = number("SIMULATION_SEED").unwrap_or(0);
    let last = first + number("SIMULATION_RUNS").unwrap_or(RUNS);
    println!("simulations of the seeds {first} to {}", last - 1);
    let proof = Proof::begin("simulated-runs");
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let totals = std::thread::scope(|scope| {
        let work = || survived(&next, last);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().fold(BTreeMap::new(), |mut sum, worker| {
            match worker.join() {
                Ok(totals) => totals.into_iter().for_each(|(what, count)| *sum.entry(what).or_default() += count),
                Err(panic) => std::panic::resume_unwind(panic),
            }
            sum
        })
    });
    println!("{totals:?}");
    let runs = totals["runs"];
    assert_eq!(u64::try_from(runs).unwrap(), last - first);
    if last - first >= RUNS {
        let kinds = domain::changes::TABLE.iter().map(|spec| format!("of kind {}", spec.name));
        let seen = ["leases taken from others", "leases lost", "calls on their way", "with a yes", "undone"];
        for what in kinds.chain(seen.map(str::to_owned)) {
            assert!(totals.contains_key(&what), "no simulation has seen any: {what}");
        }
    }
    proof.survived(runs);
}

/// Takes seed after seed, and counts what has happened.
fn survived(next: &AtomicU64, last: u64) -> BTreeMap<String, usize> {
    let mut totals = BTreeMap::new();
    loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= last {
            return totals;
        }
        let events = generate::events(seed);
        let played = play(&events, None);
        if let Err(violation) = checked(&played) {
            // The others need not go on.
            next.store(last, Ordering::SeqCst);
            let (_, story) = told(events, violation, None);
            panic!("replay it with SIMULATION_SEED={seed} SIMULATION_RUNS=1\n{story}");
        }
        count(&played, &mut totals);
    }
}

/// All that must hold.
fn checked(played: &Played) -> Checked {
    let (scene, world) = (&played.scene, &played.scene.world);
    hold("every process comes to an end", !played.is_stuck, || "one is stuck".to_owned())?;
    check::sound(world, played.is_late)?;
    recover::recover(world)?;
    check::sound(world, played.is_late)?;
    check::settled(world)?;
    model::checked(scene)
}

/// What goes wrong, if anything does.
fn violation(events: &[Event], defect: Option<Defect>) -> Option<Violation> {
    checked(&play(events, defect)).err()
}

/// The shortest story of what goes wrong.
fn told(events: Vec<Event>, found: Violation, defect: Option<Defect>) -> (Vec<Event>, String) {
    let (events, found) = shrink::shrink(events, found, |events| violation(events, defect));
    let story = shrink::story(&events, &found);
    (events, story)
}

fn count(played: &Played, totals: &mut BTreeMap<String, usize>) {
    let mut add = |what: String, count: usize| *totals.entry(what).or_default() += count;
    add("runs".to_owned(), 1);
    add("faults".to_owned(), played.injected);
    add("crashes".to_owned(), played.crashes);
    for (what, count) in played.scene.seen() {
        add(what.to_owned(), count);
    }
    let world = &played.scene.world;
    for entry in world.journal() {
        let state = match entry.state {
            EntryState::NotApplied => "not applied",
            EntryState::Kept => "kept",
            EntryState::Undone => "undone",
            EntryState::Superseded => "superseded",
            EntryState::Intended | EntryState::Applied | EntryState::UndoIntended => "open",
        };
        add(state.to_owned(), 1);
        add(format!("of kind {}", entry.change.action.spec().name), 1);
        if entry.approval.is_some() {
            add("with a yes".to_owned(), 1);
        }
    }
}
