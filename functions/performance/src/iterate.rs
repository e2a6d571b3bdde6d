//! iterate: another bottleneck, done, or a person must look. The decision is `domain`'s.

use config::ResolvedApp;
use domain::performance::{Next, iterate as decide};
use engine::documents;
use engine::ports::{Artifacts, Executions};
use engine::run::{Decision, Run};
use engine::step::StepError;
use steps::Validation;
use steps::records::running;

/// What iterate needs of the world.
pub struct World<'a> {
    /// Records.
    pub executions: &'a dyn Executions,
    /// Verdicts.
    pub artifacts: &'a dyn Artifacts,
}

/// Decides how the run goes on.
///
/// # Errors
/// When the record or the verdicts can't be read.
pub async fn iterate(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let record = running(&run, world.executions).await?;
    let last: Option<Validation> = documents::get(world.artifacts, &run.key("validation")).await?;
    let outcomes = last.map(|validation| validation.outcomes).unwrap_or_default();
    match decide(&record.iterations, &outcomes, &app.performance) {
        Next::Continue => {
            run.decision = Decision::Continue;
            run.iteration += 1;
        }
        Next::Succeeded { why } => {
            run.decision = Decision::Succeeded;
            run.conclusion = Some(why);
        }
        Next::Escalate { why } => {
            run.decision = Decision::Escalate;
            run.conclusion = Some(why);
        }
    }
    Ok(run)
}
