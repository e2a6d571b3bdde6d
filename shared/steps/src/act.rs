//! act: the only step of a cycle that writes to an application. Applies the plan, settles what a crash left, undoes what did
//! not help. Order, guards and journal are the engine's.

use crate::Validation;
use crate::observe::as_configured;
use crate::records::{iteration, running};
use async_trait::async_trait;
use config::ResolvedApp;
use domain::approval;
use domain::change::Change;
use domain::changes::spec;
use domain::execution::{Cycle, IterationRecord};
use domain::guard::Cleared;
use domain::mode::Mode;
use domain::place::{Place, lies_in};
use domain::plan::Plan;
use domain::resource::{Live, Resource};
use domain::snapshot::Snapshot;
use engine::act::{ChangeReport, Context, Ports, Report, Rules, Timing};
use engine::documents;
use engine::ports::{
    Actuator, Alarms, Approvals, Artifacts, CalendarState, Calendars, Circuit, Clock, Entry, EntryState, Executions,
    Journal, Leases, PortError, PortResult, Switch,
};
use engine::run::{Decision, RollbackOrder, Run, artifact_key};
use engine::runtime::measure;
use engine::settle::{self, Settled, Settlement};
use engine::step::StepError;
use engine::undo;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Lines of a preview at most; the report of the actions holds all.
const PREVIEW_LINES_MAX: usize = 12;
/// Longest line of a preview.
const PREVIEW_CHARS_MAX: usize = 400;
/// Seconds that building an index may take, cleaning up after a failure included: a function has 900.
pub const BUILD_S_MAX: u32 = 840;
/// Hours for which questions and their answers are looked at: longer than any answer may count.
const ASKED_H: i64 = 72;

/// What a cycle has decided to do, of all that the artifact `analysis` says.
#[derive(Debug, Deserialize)]
struct Planned {
    plan: Plan,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Carry the plan of this iteration out.
    Apply,
    /// Find out what an interrupted step or run left, and finish undos that were begun.
    Settle,
    /// Undo what did not help in this iteration, and what others left that did not help.
    Undo,
    /// Undo what dead runs left and measurement has judged not to help.
    UndoResidue,
    /// Undo what a person has named, judged or not.
    Rollback,
}

/// Input of the step.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What is asked for.
    pub intent: Intent,
    /// The run.
    pub run: Run,
}

/// What acting needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Seconds of that clock in a real second.
    pub speed: f64,
    /// Real seconds until the platform ends this invocation.
    pub left_s: f64,
    /// The application.
    pub actuator: &'a dyn Actuator,
    /// Changes.
    pub journal: &'a dyn Journal,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Kill switch.
    pub switch: &'a dyn Switch,
    /// Questions to people.
    pub approvals: &'a dyn Approvals,
    /// Change calendars.
    pub calendars: &'a dyn Calendars,
    /// Circuit breakers.
    pub circuit: &'a dyn Circuit,
    /// Plans and reports.
    pub artifacts: &'a dyn Artifacts,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Alarms.
    pub alarms: &'a dyn Alarms,
}

/// Does what is asked for. Repeating it finds in the journal what was done before.
///
/// # Errors
/// When the lease is lost, the journal can't be used, or what the step rests on is not there.
pub async fn act(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let mut run = request.run;
    let actuator = InPlace { inner: world.actuator, app, place: run.place.clone(), home: run.home() };
    let mode = |change: &Change| mode_for(change, app);
    let requests = match request.intent {
        Intent::Apply => asked(&run, world).await?,
        Intent::Settle | Intent::Undo | Intent::UndoResidue | Intent::Rollback => Vec::new(),
    };
    let now = world.clock.now();
    let consent = |change: &Change, live: &Live| {
        approval::consent(change, live, &run.execution_id, &requests, &app.approval, now)
    };
    let applies = request.intent == Intent::Apply;
    let calendar = if applies { closed_calendar(app, world).await } else { None };
    let freeze = |at: Timestamp| app.frozen_at(at).map(str::to_owned);
    let surge = |at: Timestamp| app.surge_at(at);
    let other_owner = |resource: &Resource| app.other_owner(resource);
    let circuit_closed_at = if applies { world.circuit.closed_at(&run.app).await? } else { None };
    let context = Context {
        ports: Ports {
            clock: world.clock,
            actuator: &actuator,
            journal: world.journal,
            leases: world.leases,
            switch: world.switch,
            executions: world.executions,
            alarms: world.alarms,
        },
        run: &run,
        rules: Rules {
            limits: &app.limits,
            mode: &mode,
            consent: &consent,
            earn_after: app.approval.earn_after,
            freeze: &freeze,
            surge: &surge,
            other_owner: &other_owner,
            calendar_closed: calendar.as_deref(),
            circuit_closed_at,
            timing: timing(world.speed, run.cycle),
        },
        deadline: deadline(world),
    };
    let mut is_for_nothing = false;
    let report = match request.intent {
        Intent::Apply => Some(apply(&context, world).await?),
        Intent::Settle => {
            is_for_nothing = settle_all(&context, world).await?;
            None
        }
        Intent::Undo => take_back(&context, world).await.map(|()| None)?,
        Intent::UndoResidue => take_residue_back(&context, world).await.map(|()| None)?,
        Intent::Rollback => {
            let rolled_back = roll_back(&context, world).await?;
            (run.decision, run.conclusion, run.preview) = rolled_back;
            return Ok(run);
        }
    };
    run.decision = Decision::Done;
    run.wait_s = run.wait_s.max(app.wait_s(run.cycle));
    if is_for_nothing || report.as_ref().is_some_and(Report::was_in_vain) {
        // There is no effect to wait for, only certainty.
        run.wait_s = run.wait_s.min(timing(world.speed, run.cycle).in_flight_s());
    }
    if let Some(report) = report {
        if run.cycle != Cycle::Health && report.applied().next().is_none() && report.stopped.is_none() {
            // Nothing was changed, so there is nothing to watch or to measure again.
            run.wait_s = 0;
        }
        go_on(&mut run, &report, app);
    }
    Ok(run)
}

/// The mode of a change. A canary is the first part of a change of many: it needs what either of them needs.
fn mode_for(change: &Change, app: &ResolvedApp) -> Mode {
    let of = |kind| app.mode_for(spec(kind).risk, kind);
    of(change.action.kind()).min(of(change.remedy()))
}

/// What follows from what became of the plan: usually the wait; a preview ends the run; and where nothing could be done
/// without a person, one is asked at once.
fn go_on(run: &mut Run, report: &Report, app: &ResolvedApp) {
    if run.mode == Some(Mode::Observe) {
        run.preview = preview(report);
        run.conclusion = Some(format!("told to observe: {} change(s) planned, none made", report.changes.len()));
        run.decision = Decision::Previewed;
        return;
    }
    let alone = report.applied().next().is_none() && report.stopped.is_none();
    if alone && report.askable().next().is_some() && run.asked_in != Some(run.iteration) {
        run.asked_in = Some(run.iteration);
        run.answer_within_s = Some(app.approval.answer_within_s);
        run.decision = Decision::Ask;
    }
}

/// One line per change, as many as a person reads.
fn preview(report: &Report) -> Vec<String> {
    bounded(report.changes.iter().map(ChangeReport::would_be))
}

fn bounded(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let lines = lines.into_iter().take(PREVIEW_LINES_MAX);
    lines.map(|line| line.chars().take(PREVIEW_CHARS_MAX).collect()).collect()
}

/// Why a change calendar of the application forbids changes now, if one does.
async fn closed_calendar(app: &ResolvedApp, world: &World<'_>) -> Option<String> {
    if app.change_calendars.is_empty() {
        return None;
    }
    match world.calendars.state(&app.change_calendars).await {
        CalendarState::Open => None,
        CalendarState::Closed(why) => Some(why),
    }
}

/// What was asked about this application lately; a no, too, is remembered that long.
async fn asked(run: &Run, world: &World<'_>) -> Result<Vec<approval::Request>, StepError> {
    let since = world.clock.now().checked_sub(SignedDuration::from_hours(ASKED_H)).unwrap_or(Timestamp::MIN);
    Ok(world.approvals.since(&run.app, since).await?)
}

async fn apply(context: &Context<'_>, world: &World<'_>) -> Result<Report, StepError> {
    let run = context.run;
    let snapshot: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
    let decided: Planned = documents::need(world.artifacts, &run.key("analysis")).await?;
    let report = engine::act::carry_out(context, &decided.plan, &snapshot).await?;
    let mut record = running(run, world.executions).await?;
    let entry = iteration(&mut record, run.iteration, snapshot.taken_at);
    entry.applied = count(report.applied().count());
    entry.refused = count(report.refused().count());
    entry.answer_lost = report.was_in_vain();
    let app = &[("App", run.app.as_str())];
    measure(app, "ChangesApplied", f64::from(entry.applied), "Count");
    measure(app, "ChangesRefused", f64::from(entry.refused), "Count");
    world.executions.save(&record).await?;
    documents::put(world.artifacts, &run.key("actions"), &report).await?;
    Ok(report)
}

/// First the changes of dead runs, then this run's own whose answer was lost. True when nothing was changed in this iteration:
/// the step that should have done it has died over it.
async fn settle_all(context: &Context<'_>, world: &World<'_>) -> Result<bool, StepError> {
    let residue = settle::residue(context).await?;
    let own = settle::own(context).await?;
    let wait_s = residue.retry_after_s().max(own.retry_after_s());
    documents::put(world.artifacts, &context.run.key("settled"), &(&residue, &own)).await?;
    let is_for_nothing = count_again(context, world).await?;
    match wait_s {
        Some(wait_s) => {
            Err(StepError::Transient(format!("a change may still be on its way; it can be settled in {wait_s} s")))
        }
        None => Ok(is_for_nothing),
    }
}

async fn take_back(context: &Context<'_>, world: &World<'_>) -> Result<(), StepError> {
    let run = context.run;
    let validation: Validation = documents::need(world.artifacts, &run.key("validation")).await?;
    let found_out = settle::own(context).await?.after(settle::residue(context).await?.changes);
    // Closes what stands, also what was only just found to have happened; the rest goes back.
    let _kept = undo::keep(context, &validation.outcomes).await?;
    let mut undone = undo::carry_out(context, &validation.outcomes).await?;
    undone.changes.extend(undo::residue(context).await?.changes);
    let undone = undone.after(found_out.taken_back());
    note_undone(context, world, &undone).await?;
    count_again(context, world).await?;
    finished(&undone)
}

/// Writes down what was undone, after what an earlier delivery of this step has written down.
async fn note_undone(context: &Context<'_>, world: &World<'_>, undone: &Settlement) -> Result<(), StepError> {
    publish(context, undone);
    let key = context.run.key("undone");
    let earlier: Settlement = documents::get(world.artifacts, &key).await?.unwrap_or_default();
    documents::put(world.artifacts, &key, &undone.clone().after(earlier.changes)).await
}

/// An undo that a moment's trouble has interrupted is an error that is worth another try: the same again compares first, and
/// restores nothing twice.
fn finished(undone: &Settlement) -> Result<(), StepError> {
    undone.unfinished().map_or(Ok(()), |line| {
        Err(StepError::Transient(format!("the undo of \"{}\" is not finished: {}", line.what, line.end.why())))
    })
}

async fn take_residue_back(context: &Context<'_>, world: &World<'_>) -> Result<(), StepError> {
    let found_out = settle::residue(context).await?;
    let undone = undo::residue(context).await?.after(found_out.taken_back());
    publish(context, &undone);
    let key = context.run.key("residue_undone");
    let earlier: Settlement = documents::get(world.artifacts, &key).await?.unwrap_or_default();
    documents::put(world.artifacts, &key, &undone.clone().after(earlier.changes)).await?;
    finished(&undone)
}

/// Resources of the application, for the alarms that concern it: those of the snapshot on which the newest of the named
/// changes rests, and where it is gone those that the changes modify.
async fn resources(run: &Run, order: &RollbackOrder, world: &World<'_>) -> Result<Vec<Resource>, StepError> {
    let entries = world.journal.since(&run.app, Timestamp::UNIX_EPOCH).await?;
    let named: Vec<&Entry> = entries.iter().filter(|entry| order.changes.contains(entry.id())).collect();
    if let Some(newest) = named.last() {
        let key = artifact_key(&run.app, &newest.execution, newest.iteration, "snapshot");
        if let Ok(Some(snapshot)) = documents::get::<Snapshot>(world.artifacts, &key).await {
            return Ok(snapshot.resources);
        }
    }
    Ok(named.into_iter().map(|entry| entry.prior.clone()).collect())
}

/// Undoes what a person has named, as far as nobody else has changed it since. Gives what follows, how it went in one
/// sentence, and for a run that was told to observe what would be done.
async fn roll_back(
    context: &Context<'_>,
    world: &World<'_>,
) -> Result<(Decision, Option<String>, Vec<String>), StepError> {
    let run = context.run;
    let order: RollbackOrder = documents::need(world.artifacts, &run.key("order")).await?;
    let resources = resources(run, &order, world).await?;
    if run.mode == Some(Mode::Observe) {
        let lines = undo::preview(context, &order.changes, &resources).await?;
        let conclusion = format!("told to observe: {} change(s) looked at, none undone", lines.len());
        return Ok((Decision::Previewed, Some(conclusion), bounded(lines)));
    }
    let found_out = settle::residue(context).await?;
    if let Some(wait_s) = found_out.retry_after_s() {
        return Err(StepError::Transient(format!("a change may still be on its way; it can be settled in {wait_s} s")));
    }
    let why =
        if order.remark.is_empty() { "rolled back by hand" } else { &format!("rolled back by hand: {}", order.remark) };
    let report = undo::ordered(context, &order.changes, &resources, why).await?;
    // From the journal: an earlier delivery of this step may have undone a part, and died before it could tell.
    let entries = world.journal.since(&run.app, Timestamp::UNIX_EPOCH).await?;
    let named: Vec<&Entry> = entries.iter().filter(|entry| order.changes.contains(entry.id())).collect();
    let by_this_run = named
        .iter()
        .filter(|entry| entry.state == EntryState::Undone && entry.taken_over_by.as_ref() == Some(&run.execution_id));
    let earlier: Vec<Settled> = by_this_run.map(|entry| Settled::of(entry, context.now())).collect();
    let report = report.after(found_out.taken_back()).after(earlier);
    note_undone(context, world, &report).await?;
    finished(&report)?;
    let undone = named.iter().filter(|entry| entry.state == EntryState::Undone).count();
    let mut record = running(run, world.executions).await?;
    let began = record.started_at;
    iteration(&mut record, run.iteration, began).undone = count(undone);
    world.executions.save(&record).await?;
    let left = named.iter().filter(|entry| entry.state != EntryState::Undone).map(|entry| {
        let line = report.changes.iter().find(|line| line.change == *entry.id());
        format!("; not {}: {}", entry.change.action, line.map_or(entry.note.clone(), |line| line.end.why()))
    });
    let conclusion = format!("{undone} of {} change(s) undone{}", named.len(), left.collect::<String>());
    let decision = if undone == named.len() { Decision::Succeeded } else { Decision::Escalate };
    Ok((decision, Some(conclusion), Vec::new()))
}

/// Counts what was made and undone, from the journal: the step that did it may have died before it could, or lost the answer.
/// True when the current iteration has not come to its second measurement and nothing was made in it.
async fn count_again(context: &Context<'_>, world: &World<'_>) -> Result<bool, StepError> {
    let run = context.run;
    let mut record = running(run, world.executions).await?;
    let entries = world.journal.since(&run.app, settle::look_back(world.clock.now())).await?;
    for iteration in &mut record.iterations {
        let mine = |entry: &&Entry| entry.execution == run.execution_id && entry.iteration == iteration.iteration;
        let made = entries.iter().filter(mine).filter(|entry| entry.applied_at.is_some());
        iteration.applied = iteration.applied.max(count(made.count()));
        let undone = entries.iter().filter(mine).filter(|entry| entry.state == EntryState::Undone);
        iteration.undone = count(undone.count());
    }
    let is_current = |iteration: &&mut IterationRecord| iteration.iteration == run.iteration;
    let mut is_for_nothing = false;
    if let Some(current) = record.iterations.iter_mut().find(is_current)
        && current.measured_at.is_none()
    {
        is_for_nothing = current.applied == 0;
        current.answer_lost = is_for_nothing;
    }
    world.executions.save(&record).await?;
    Ok(is_for_nothing)
}

/// What a step has undone, as a metric of the application.
fn publish(context: &Context<'_>, undone: &Settlement) {
    measure(&[("App", context.run.app.as_str())], "ChangesUndone", f64::from(count(undone.undone())), "Count");
}

/// Time-outs of calls are real time; on a clock that runs faster they last longer.
fn timing(speed: f64, cycle: Cycle) -> Timing {
    let plain = match cycle {
        Cycle::Health | Cycle::Cost => Timing::default(),
        // One call builds a whole index.
        Cycle::Performance => Timing { call_max_s: BUILD_S_MAX, ..Timing::default() },
    };
    // A speed is small and positive; what does not fit saturates.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is at least the plain value"
    )]
    let scaled = |seconds: u32| (f64::from(seconds) * speed.max(1.0)).ceil() as u32;
    if speed <= 1.0 {
        return plain;
    }
    // Calls on one machine answer in a fraction of what AWS may take, so a tenth of the time is still generous.
    let local = |seconds: u32| scaled(seconds).div_ceil(10).max(seconds);
    Timing {
        apply_within_s: local(plain.apply_within_s),
        // Building an index here takes seconds, not the quarter of an hour that it may take there.
        call_max_s: if cycle == Cycle::Performance { plain.call_max_s } else { local(plain.call_max_s) },
        reserve_s: local(plain.reserve_s),
        // All of them are on one machine, with one clock.
        skew_s: 0,
    }
}

fn deadline(world: &World<'_>) -> Timestamp {
    let left = SignedDuration::try_from_secs_f64(world.left_s * world.speed).unwrap_or(SignedDuration::ZERO);
    world.clock.now().checked_add(left).unwrap_or(Timestamp::MAX)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The actuator of the application's place, with what the configuration says about a resource that AWS does not know. It
/// reads nothing that lies elsewhere, and what can't be read is never changed: a change that was made before the application
/// moved is not mistaken for one of its namesake here.
struct InPlace<'a> {
    inner: &'a dyn Actuator,
    app: &'a ResolvedApp,
    place: Option<Place>,
    home: Option<Place>,
}

#[async_trait]
impl Actuator for InPlace<'_> {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        if !lies_in(&resource.id, self.place.as_ref(), self.home.as_ref()) {
            let place = self.place.as_ref().or(self.home.as_ref());
            let place = place.map_or_else(|| "the place of the deployment".to_owned(), Place::to_string);
            return Err(PortError::Gone {
                operation: format!("read {} before a change", resource.id),
                what: format!("in {place}, where {} lives now, it", self.app.id),
            });
        }
        let mut live = self.inner.live(resource).await?;
        as_configured(&mut live, self.app);
        Ok(live)
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        self.inner.apply(cleared).await
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        self.inner.restore(change, prior).await
    }
}
