//! Reads the same minutes of earlier weeks for the changes that are to be judged. Reads only; what can't be read is missing, and
//! then the verdict knows what it knew without. Which minutes of which signals, and what they mean, is `domain`'s.

use config::ResolvedApp;
use domain::health::Ask;
use domain::snapshot::{Snapshot, Week};
use engine::ports::{Entry, EntryState};
use jiff::Timestamp;
use steps::observe::{PERIOD_S, World, queries};

/// The weeks before a snapshot by which these changes are judged. The journal tells when the maintainer itself was at work then.
pub async fn weeks(
    judged: &[Entry],
    journal: &[Entry],
    after: &Snapshot,
    app: &ResolvedApp,
    world: &World<'_>,
) -> Vec<Week> {
    let made: Vec<_> =
        judged.iter().map(|entry| (&entry.change, entry.applied_at.unwrap_or(entry.intended_at))).collect();
    let Some(ask) = Ask::of(&made, after, &app.policy, app.limits.snapshot_age_s_max) else { return Vec::new() };
    let changed: Vec<(Timestamp, String)> = journal.iter().flat_map(at_work).collect();
    let readings = ask.readings(&after.resources);
    let queries = queries(&readings);
    let mut weeks = Vec::new();
    for minutes in ask.minutes(&app.time_zone) {
        let answers = world.telemetry.read(&queries, minutes.from, minutes.to, PERIOD_S).await;
        weeks.push(minutes.week(&readings, answers, &changed));
    }
    weeks
}

/// When the maintainer changed something, and when it took that back.
fn at_work(entry: &Entry) -> Vec<(Timestamp, String)> {
    let change = entry.change.in_words();
    let made = (entry.state != EntryState::NotApplied).then(|| {
        (entry.applied_at.unwrap_or(entry.intended_at), format!("the maintainer itself did \"{change}\" then"))
    });
    let undone = entry
        .settled_at
        .filter(|_| entry.state == EntryState::Undone)
        .map(|at| (at, format!("the maintainer itself undid \"{change}\" then")));
    made.into_iter().chain(undone).collect()
}
