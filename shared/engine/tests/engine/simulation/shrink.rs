//! Makes a list of events shorter as long as the same goes wrong, and tells it.
//!
//! A delta debugger of its own: the list is the input, so there is no need of a strategy that could make it again.

use super::events::Event;
use testkit::check::Violation;

/// Simulations that are tried at most.
const TRIES_MAX: usize = 4_000;

/// The shortest list that was found, with what goes wrong.
pub fn shrink(
    events: Vec<Event>,
    violation: Violation,
    fails: impl Fn(&[Event]) -> Option<Violation>,
) -> (Vec<Event>, Violation) {
    let mut left = TRIES_MAX;
    let (mut best, mut told) = (events, violation);
    let mut tries = |candidate: &[Event], promise: &str| {
        left = left.checked_sub(1)?;
        fails(candidate).filter(|found| found.promise == promise)
    };
    loop {
        let mut is_better = false;
        let mut size = best.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < best.len() {
                let mut candidate = best.clone();
                candidate.drain(at..(at + size).min(best.len()));
                match tries(&candidate, told.promise) {
                    Some(found) => (best, told, is_better) = (candidate, found, true),
                    None => at += size,
                }
            }
            size /= 2;
        }
        for at in 0..best.len() {
            while let Some((candidate, found)) = best[at].simpler().into_iter().find_map(|event| {
                let mut candidate = best.clone();
                candidate[at] = event;
                let found = tries(&candidate, told.promise)?;
                Some((candidate, found))
            }) {
                (best, told, is_better) = (candidate, found, true);
            }
        }
        if !is_better {
            return (best, told);
        }
    }
}

/// The story, one line an event, and what is wrong at its end.
pub fn story(events: &[Event], violation: &Violation) -> String {
    let mut story = String::new();
    for (number, event) in events.iter().enumerate() {
        story.push_str(&format!("{:>3}. {event}\n", number + 1));
    }
    story.push_str(&format!("wrong: {}: {}\n", violation.promise, violation.told));
    story
}
