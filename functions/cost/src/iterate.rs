//! iterate: another phase, done, or a person must look. The decision is `domain::cost`'s.

use domain::cost::{self, Next};
use engine::ports::Executions;
use engine::run::{Decision, Run};
use engine::step::StepError;
use steps::records::running;

/// Decides how the run goes on.
///
/// # Errors
/// When the record can't be read.
pub async fn iterate(mut run: Run, executions: &dyn Executions) -> Result<Run, StepError> {
    let record = running(&run, executions).await?;
    match cost::iterate(&record.iterations) {
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
