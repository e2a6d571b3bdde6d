//! Carries a plan out, change by change: lease, kill switch, live state, guards, intent, call, result.
//!
//! Makes no choice of its own: what is not in the plan is not done, and what a guard refuses is reported. A change is
//! applied at most once, however often the step is delivered and wherever it is interrupted: an entry of the journal that
//! is already there is settled from the live state, never applied again. The order and its reasons are in
//! `docs/changes-and-guards.md`.

mod context;
mod report;
mod step;

pub(crate) use context::earlier;
pub use context::{ActError, CLOCK_OFF_MAX_S, ConsentTo, Context, FreezeAt, ModeOf, Ports, Rules, SurgeAt, Timing};
pub use report::{ChangeReport, ChangeResult, Report, Stop};

use domain::plan::Plan;
use domain::snapshot::Snapshot;

/// Makes the changes of a plan in their order, as far as the guards let it, and reports what became of each.
///
/// # Errors
/// [`ActError`] when the lease, the journal or another delivery of the same step forbids to go on. What was done until
/// then is in the journal, and delivering the step again finds it there.
pub async fn carry_out(context: &Context<'_>, plan: &Plan, snapshot: &Snapshot) -> Result<Report, ActError> {
    let mut report = Report::begin(context.run, context.now());
    for change in &plan.changes {
        if report.stopped.is_none() && context.is_out_of_time() {
            report.stopped = Some(Stop::OutOfTime);
        }
        if report.stopped.is_some() {
            report.changes.push(ChangeReport::of(change, context.now(), ChangeResult::NotTried));
            continue;
        }
        let line = step::make(context, change, snapshot).await?;
        if matches!(line.result, ChangeResult::Unsettled { .. }) {
            report.stopped = Some(Stop::Unsettled { change: change.id.clone() });
        }
        tracing::info!(change = %line.change, what = %line.what, result = ?line.result, "change");
        report.changes.push(line);
    }
    report.ended_at = context.now();
    Ok(report)
}
