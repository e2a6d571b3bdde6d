//! Compares the end of a scenario with what its file expects. Every line carries the number that was found.

use super::records::JournalState;
use super::watch::Watch;
use super::world::Seen;
use crate::scenario::{Bounds, Expect, ExpectedStatus, WorldExpect};
use domain::change::ChangeKind;
use domain::changes;
use domain::execution::Status;
use std::collections::{BTreeMap, BTreeSet};

/// One expectation and whether it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// It holds.
    pub holds: bool,
    /// What was expected and what was found.
    pub text: String,
}

/// All expectations of one application.
pub fn check(expect: &Expect, watch: &Watch, seen: &Seen, first_instances: &BTreeSet<String>) -> Vec<Finding> {
    let mut found = vec![status(expect, watch)];
    let mut add = |holds: bool, text: String| found.push(Finding { holds, text });
    let runs = count(watch.runs.len());
    if let Some(bounds) = expect.runs {
        add(bounds.hold(runs), format!("runs: {runs}, expected {bounds}"));
    }
    for rule in &expect.findings {
        let named: Vec<&str> = watch.rules.iter().map(String::as_str).collect();
        add(watch.rules.contains(rule), format!("finding {rule}: the analyses named {}", listed(&named)));
    }
    changes_made(expect, watch, &mut add);
    if let Some(wanted) = expect.alarms_named {
        let names = watch.runs.iter().map(|run| run.alarms.len()).max().unwrap_or(0);
        add(names >= wanted, format!("alarms named by a run: {names}, expected at least {wanted}"));
    }
    if let Some(wanted) = expect.escalation_sent {
        let sent = watch.was_escalated();
        let words = |sent: bool| if sent { "sent" } else { "not sent" };
        add(sent == wanted, format!("escalation {}, expected {}", words(sent), words(wanted)));
    }
    for text in &expect.told {
        let words = if watch.was_told(text) { "told" } else { "not told" };
        add(watch.was_told(text), format!("\"{text}\": {words} to people, expected told"));
    }
    if let Some(bounds) = expect.messages {
        let messages = count(watch.told.len());
        add(bounds.hold(messages), format!("messages to people: {messages}, expected {bounds}"));
    }
    world(&expect.world, seen, first_instances, &mut add);
    found
}

fn status(expect: &Expect, watch: &Watch) -> Finding {
    let last = watch.last_run().map(|run| run.status);
    let holds = match expect.status {
        ExpectedStatus::Completed => last == Some(Status::Completed),
        ExpectedStatus::Escalated => last == Some(Status::Escalated),
        ExpectedStatus::Failed => last == Some(Status::Failed),
        ExpectedStatus::Ended => matches!(last, Some(Status::Completed | Status::Escalated)),
        ExpectedStatus::None => last.is_none(),
    };
    let words = last.map_or("no run at all".to_owned(), |status| format!("{status:?}").to_lowercase());
    Finding { holds, text: format!("status: {words}, expected {}", format!("{:?}", expect.status).to_lowercase()) }
}

fn changes_made(expect: &Expect, watch: &Watch, add: &mut impl FnMut(bool, String)) {
    let tally = |of: &dyn Fn(JournalState) -> bool| {
        let mut kinds: BTreeMap<ChangeKind, u32> = BTreeMap::new();
        for entry in watch.journal.iter().filter(|entry| of(entry.state)) {
            *kinds.entry(entry.change.action.kind()).or_default() += 1;
        }
        kinds
    };
    let made = tally(&JournalState::happened);
    let kinds: BTreeSet<ChangeKind> = made.keys().chain(expect.changes.keys()).copied().collect();
    if kinds.is_empty() {
        add(true, "changes: none, expected none".to_owned());
    }
    for kind in kinds {
        let times = made.get(&kind).copied().unwrap_or(0);
        let bounds = expect.changes.get(&kind).copied().unwrap_or(Bounds { at_least: None, at_most: Some(0) });
        add(bounds.hold(times), format!("{} made: {times}, expected {bounds}", changes::spec(kind).name));
    }
    let undone = tally(&|state| state == JournalState::Undone);
    for (kind, bounds) in &expect.undone {
        let times = undone.get(kind).copied().unwrap_or(0);
        add(bounds.hold(times), format!("{} undone: {times}, expected {bounds}", changes::spec(*kind).name));
    }
    for (verdict, bounds) in &expect.verdicts {
        let outcomes = watch.journal.iter().filter_map(|entry| entry.outcome.as_ref());
        let times = count(outcomes.filter(|outcome| outcome.verdict == *verdict).count());
        add(bounds.hold(times), format!("changes {verdict}: {times}, expected {bounds}"));
    }
    let open = count(watch.journal.iter().filter(|entry| entry.state.is_open()).count());
    add(open == expect.open, format!("changes left open: {open}, expected {}", expect.open));
}

fn world(expect: &WorldExpect, seen: &Seen, first: &BTreeSet<String>, add: &mut impl FnMut(bool, String)) {
    let left = f64::from(count(first.intersection(&seen.instances).count()));
    for (name, range, value) in [
        ("servers wanted", expect.servers, seen.servers),
        ("tasks wanted", expect.tasks, seen.tasks),
        ("instances of the start that are left", expect.first_instances_left, left),
    ] {
        if let Some(range) = range {
            add(range.holds(value), format!("{name}: {value}, expected {} to {}", range.min, range.max));
        }
    }
    for (name, wanted) in &expect.disks {
        let found = seen.disks.get(name).map_or("gone", String::as_str);
        add(found == wanted, format!("type of disk {name}: {found}, expected {wanted}"));
    }
    for (name, wanted) in &expect.scheduled {
        let found = seen.scheduled.get(name).copied().unwrap_or(0);
        add(found == *wanted, format!("scheduled actions of {name}: {found}, expected {wanted}"));
    }
    if let Some(wanted) = expect.indexed {
        let found = seen.indexed.map_or("it does not answer".to_owned(), |found| found.to_string());
        add(seen.indexed == Some(wanted), format!("orders indexed: {found}, expected {wanted}"));
    }
    if let Some(wanted) = expect.cache_poisoned {
        let found = seen.cache_poisoned.map_or("it does not answer".to_owned(), |found| found.to_string());
        add(seen.cache_poisoned == Some(wanted), format!("cache poisoned: {found}, expected {wanted}"));
    }
    for (name, level, limit, below) in [
        ("p95 in ms", "p95_ms", expect.p95_ms_below, true),
        ("p95 in ms", "p95_ms", expect.p95_ms_above, false),
        ("errors in %", "error_pct", expect.error_pct_below, true),
        ("CPU in %", "cpu_pct", expect.cpu_pct_below, true),
        ("memory in %", "memory_pct", expect.memory_pct_below, true),
        ("messages that wait", "queue_depth", expect.queue_depth_below, true),
    ] {
        let Some(limit) = limit else { continue };
        let side = if below { "below" } else { "above" };
        match seen.levels.get(level) {
            Some(value) => add((*value < limit) == below, format!("{name}: {value:.2}, expected {side} {limit}")),
            None => add(false, format!("{name}: not published, expected {side} {limit}")),
        }
    }
}

fn listed(words: &[&str]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn an_expectation_that_does_not_hold_says_what_was_found() {
        let text = "
name: x
about: x
time_limit_min: 9
apps:
  shop:
    expect: {status: completed, world: {servers: {min: 6, max: 10}, p95_ms_below: 200}}
";
        let expect = &parse(text, "x").unwrap().apps["shop"].expect;
        let seen = Seen { servers: 4.0, ..Seen::default() };
        let failed: Vec<String> = check(expect, &Watch::new("shop"), &seen, &BTreeSet::new())
            .into_iter()
            .filter(|finding| !finding.holds)
            .map(|finding| finding.text)
            .collect();
        assert_eq!(
            failed,
            [
                "status: no run at all, expected completed",
                "servers wanted: 4, expected 6 to 10",
                "p95 in ms: not published, expected below 200"
            ]
        );
    }
}
