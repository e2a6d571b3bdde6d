//! validate: the same statements again, after as much traffic, and for each change whether it helped. The verdicts are `domain`'s.

use crate::identify::Decided;
use crate::profile::{Opened, Profiles, profiles};
use config::ResolvedApp;
use domain::change::Action;
use domain::observed::Observed;
use domain::outcome::{Outcome, Verdict};
use domain::performance::catalog::IndexFacts;
use domain::performance::statistics::is_stale;
use domain::performance::{Measured, Target, verify, without_measurement};
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Databases, Entry, EntryState, Executions, Journal, Leases};
use engine::run::{Decision, Run};
use engine::runtime::measure;
use engine::settle;
use engine::step::StepError;
use engine::verdict;
use serde::Deserialize;
use steps::Validation;
use steps::observe::{self, observe};
use steps::records::{iteration, keep_lease, running};

/// What is to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// The changes of this iteration, after the window.
    Iteration,
    /// What dead runs have left, before this run begins.
    Residue,
}

/// Input of the step.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What is to be judged.
    pub intent: Intent,
    /// The run.
    pub run: Run,
}

/// What validate needs of the world.
pub struct World<'a> {
    /// The application.
    pub see: observe::World<'a>,
    /// Its databases.
    pub databases: &'a dyn Databases,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Snapshots and verdicts.
    pub artifacts: &'a dyn Artifacts,
    /// Records and results.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
}

/// What was measured before and after, for all changes of an iteration.
struct Both {
    decided: Decided,
    before: Profiles,
    after: Profiles,
    users_before: Snapshot,
    users_after: Snapshot,
}

/// Measures and judges.
///
/// # Errors
/// When the lease is lost, or a port fails.
pub async fn validate(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let Request { intent, mut run } = request;
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let journal = world.journal.since(&run.app, settle::look_back(world.see.clock.now())).await?;
    let (mine, left): (Vec<Entry>, Vec<Entry>) = journal
        .into_iter()
        .filter(|entry| concerns(entry, &run, intent))
        .partition(|entry| is_of_iteration(entry, &run));
    let mut outcomes = Vec::new();
    let mut to_undo = false;
    if !(mine.is_empty() && left.is_empty()) {
        let both = if mine.is_empty() { None } else { measure_again(&run, app, world).await? };
        let now = match &both {
            Some(both) => both.users_after.clone(),
            None => observe(app, run.place.as_ref(), &world.see).await?,
        };
        let made = mine.len();
        for entry in mine.into_iter().chain(left) {
            if !matches!(entry.state, EntryState::Applied | EntryState::Kept) {
                // What became of it is not known, or its undo was interrupted: the step that may write finds out.
                to_undo = true;
                continue;
            }
            let outcome = judge(&entry, &run, both.as_ref(), &now, app);
            let (outcome, stays) = note_verdict(entry, outcome, &run, world).await?;
            to_undo |= !stays;
            outcomes.push(outcome);
        }
        note(&run, intent, &now, made, &outcomes, world).await?;
    }
    let labels = &[("App", run.app.as_str())];
    for _ in outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified) {
        measure(labels, "ChangesVerified", 1.0, "Count");
    }
    run.decision = if to_undo { Decision::Undo } else { Decision::Keep };
    let name = if intent == Intent::Iteration { "validation" } else { "residue" };
    documents::put(world.artifacts, &run.key(name), &Validation { cycle: run.cycle, score: None, outcomes }).await?;
    Ok(run)
}

/// Open entries of this cycle, and of this iteration those too that a repeated step has judged before.
fn concerns(entry: &Entry, run: &Run, intent: Intent) -> bool {
    let of_iteration = is_of_iteration(entry, run);
    let is_judged = of_iteration && entry.state == EntryState::Kept && entry.outcome.is_some();
    run.answers_for(entry.workflow)
        && (entry.state.is_open() || is_judged)
        && (intent == Intent::Iteration || !of_iteration)
}

fn is_of_iteration(entry: &Entry, run: &Run) -> bool {
    entry.execution == run.execution_id && entry.iteration == run.iteration
}

/// The window after the changes ends.
async fn measure_again(run: &Run, app: &ResolvedApp, world: &World<'_>) -> Result<Option<Both>, StepError> {
    let opened: Option<Opened> = documents::get(world.artifacts, &run.key("opened_after")).await?;
    let Some(opened) = opened else { return Ok(None) };
    let decided: Decided = documents::need(world.artifacts, &run.key("analysis")).await?;
    let before: Profiles = documents::need(world.artifacts, &run.key("profile")).await?;
    let users_before: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
    let after = profiles(&opened, app, world.databases, true).await?;
    let users_after = observe(app, run.place.as_ref(), &world.see).await?;
    documents::put(world.artifacts, &run.key("profile_after"), &after).await?;
    documents::put(world.artifacts, &run.key("after"), &users_after).await?;
    Ok(Some(Both { decided, before, after, users_before, users_after }))
}

fn judge(entry: &Entry, run: &Run, both: Option<&Both>, now: &Snapshot, app: &ResolvedApp) -> Outcome {
    if let (EntryState::Kept, Some(outcome)) = (entry.state, &entry.outcome) {
        // Judged by a step that may have died before it wrote the result: written again, which changes nothing.
        return outcome.clone();
    }
    let change = &entry.change;
    if !is_of_iteration(entry, run) {
        return without_measurement(
            change,
            now,
            "the run that made it has died, so that nothing was measured after it",
        );
    }
    let Some(both) = both else { return without_measurement(change, now, "no window was opened after it") };
    let Some(target) = both.decided.targets.iter().find(|target| target.change == change.id) else {
        return without_measurement(change, now, "the plan does not say what it was for");
    };
    let unknown = Observed::Missing(domain::observed::Missing::Gone);
    let seen = Measured {
        target,
        before: both.before.get(&target.database).map_or(&unknown, |profile| &profile.window),
        after: both.after.get(&target.database).map_or(&unknown, |profile| &profile.window),
        users_before: &both.users_before,
        users_after: &both.users_after,
        stands: stands(&change.action, target, &both.after),
        scans: there(&change.action, target, &both.after).flatten().map(|index| index.scans),
    };
    verify(change, &seen, &app.performance)
}

/// Whether the change still stands, by the catalog after the window.
fn stands(action: &Action, target: &Target, after: &Profiles) -> Result<(), &'static str> {
    if let Action::AnalyzeTable { schema, table, .. } = action {
        let catalog = after.get(&target.database).and_then(|profile| profile.catalog.known());
        return match catalog.and_then(|catalog| catalog.table(Some(schema), table)) {
            Some(table) if is_stale(table.rows, table.modified_since_analyze) => {
                Err("as many rows have changed again since it was analyzed")
            }
            Some(_) => Ok(()),
            None => Err("how old the statistics are could not be read"),
        };
    }
    match there(action, target, after) {
        None => Err("whether the index is there could not be read"),
        Some(None) => Err("the index is not there any more"),
        Some(Some(index)) if index.is_valid => Ok(()),
        Some(Some(_)) => Err("the build was interrupted, no query uses what it left"),
    }
}

/// The index in the catalog after the window, if it is there; `None` where the table could not be read.
fn there<'a>(action: &Action, target: &Target, after: &'a Profiles) -> Option<Option<&'a IndexFacts>> {
    let Action::CreateIndex { index, .. } = action else { return None };
    let catalog = after.get(&target.database)?.catalog.known()?;
    let table = catalog.table(Some(&index.schema), &index.table)?;
    Some(table.indexes.iter().find(|there| there.name == index.name()))
}

/// Writes a verdict to the journal and to the results.
async fn note_verdict(
    entry: Entry,
    outcome: Outcome,
    run: &Run,
    world: &World<'_>,
) -> Result<(Outcome, bool), StepError> {
    tracing::info!(change = %entry.change.id, verdict = %outcome.verdict, keep = outcome.keep, "{}", outcome.why);
    world.executions.result(&entry.execution, entry.iteration, &outcome).await?;
    if entry.state == EntryState::Kept {
        return Ok((outcome, true));
    }
    let entry = verdict::note(world.journal, run, entry, &outcome, world.see.clock.now()).await?;
    Ok((outcome, entry.state == EntryState::Kept))
}

async fn note(
    run: &Run,
    intent: Intent,
    after: &Snapshot,
    made: usize,
    outcomes: &[Outcome],
    world: &World<'_>,
) -> Result<(), StepError> {
    let mut record = running(run, world.executions).await?;
    let from = settle::look_back(world.see.clock.now());
    let taken_over = world.journal.since(&run.app, from).await?.into_iter();
    let taken_over = taken_over.filter(|entry| entry.taken_over_by.as_ref() == Some(&run.execution_id));
    record.residue = taken_over.map(|entry| entry.id().clone()).collect();
    if intent == Intent::Iteration {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let entry = iteration(&mut record, run.iteration, after.taken_at);
        // A step that died could not count what it had done; the journal can.
        entry.applied = entry.applied.max(count(made));
        entry.measured_at = Some(after.taken_at);
        entry.verified = count(outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified).count());
    }
    Ok(world.executions.save(&record).await?)
}
