//! iterate: go on, succeeded, or a person must look. The decision is `domain`'s.

use config::ResolvedApp;
use domain::health::{self, Next};
use engine::ports::{Clock, Executions};
use engine::run::{Decision, Run};
use engine::step::StepError;
use steps::records::running;

/// What iterate needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Records.
    pub executions: &'a dyn Executions,
}

/// Decides how the run goes on.
///
/// # Errors
/// When the record can't be read.
pub async fn iterate(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let record = running(&run, world.executions).await?;
    match health::iterate(&record.iterations, &app.policy, world.clock.now()) {
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
