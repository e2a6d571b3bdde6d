//! What a simulation tells when it fails: with ports that are broken on purpose, it finds that, and tells it in few lines.

use super::broken::Defect;
use super::events::Event;
use super::run::play;
use super::{generate, told, violation};
use std::sync::Arc;

/// Seeds that are tried until the defect shows.
const SEEDS: u64 = 200;

/// The shortest story of a defect, with the number of its events.
fn story(defect: Defect) -> (usize, String) {
    let found = (0..SEEDS).find_map(|seed| {
        let events = generate::events(seed);
        violation(&events, Some(defect)).map(|found| (events, found))
    });
    let (events, found) = found.expect("a defect shows within a few seeds");
    let before = events.len();
    let (events, story) = told(events, found, Some(defect));
    assert!(before > 2 * events.len(), "{before} events are {} after shrinking", events.len());
    println!("{defect:?}, {before} events:\n{story}");
    (events.len(), story)
}

#[test]
fn a_change_that_is_made_twice_is_found_and_told_in_two_lines() {
    let (events, story) = story(Defect::AppliesTwice);
    assert!(events <= 2, "{story}");
    assert!(story.contains("wrong: a change is applied at most once"), "{story}");
}

#[test]
fn an_intent_that_is_not_durable_is_found_and_told_in_two_lines() {
    let (events, story) = story(Defect::ForgetsIntents);
    assert!(events <= 2, "{story}");
    assert!(story.contains("wrong: nothing is applied without an intent"), "{story}");
}

#[test]
fn an_undo_that_does_nothing_is_found_and_told_in_three_lines() {
    let (events, story) = story(Defect::ForgetsToRestore);
    assert!(events <= 3, "{story}");
    assert!(story.contains("wrong: the live state follows from the record"), "{story}");
}

#[test]
fn the_same_seed_makes_the_same_story() {
    for seed in 0..50 {
        let events = generate::events(seed);
        assert_eq!(events, generate::events(seed));
        let worlds = [play(&events, None), play(&events, None)].map(|played| Arc::clone(&played.scene.world));
        assert_eq!(worlds[0].ledger(), worlds[1].ledger());
        assert_eq!(worlds[0].journal(), worlds[1].journal());
    }
    assert_ne!(generate::events(1), generate::events(2));
    let all: Vec<Event> = (0..300).flat_map(generate::events).collect();
    for (number, event) in all.iter().enumerate() {
        let line = event.to_string();
        assert!(!line.is_empty() && !line.contains('\n'), "event {number} is not one line: {line}");
    }
}
