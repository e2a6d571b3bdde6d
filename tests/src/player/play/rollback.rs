//! The person of a scenario who orders the rollback of a run, and orders it again when another run was in the way.

use super::{PlayError, Stage};
use crate::player::records::JournalState;
use crate::player::watch::Watch;
use lifecycle::explain::beats::Tone;

/// How far the order has come.
#[derive(Debug, Default)]
pub(super) enum Order {
    /// Not given yet.
    #[default]
    Due,
    /// Given for this run; the execution with this ARN answers it.
    Given { run: String, arn: String },
    /// Refused because another run has the application under care: to be given again when none has.
    InTheWay { run: String },
    /// It was taken, whatever has come of it.
    Taken,
}

impl Stage<'_> {
    /// Orders the rollback of the first run that has changed something when its time has come, and sees what is said to it.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub(super) async fn order_rollback(&mut self, watch: &Watch) -> Result<(), PlayError> {
        let Some(rollback) = &self.scenario.rollback else { return Ok(()) };
        match &self.rollback {
            Order::Due => {
                let changed = watch.journal.iter().find(|entry| entry.state == JournalState::Kept);
                let Some(run) = changed.map(|entry| entry.execution.clone()) else { return Ok(()) };
                // Counted from its own end: later runs may come at any time, and so often that none has ended for long.
                let is_due = |ended_s: f64| self.minute() - (ended_s - self.start_s) / 60.0 >= rollback.after_min;
                if watch.ended_s_of(&run).is_some_and(is_due) {
                    self.give(run).await?;
                }
            }
            Order::InTheWay { run } if !watch.is_running() => self.give(run.clone()).await?,
            Order::Given { run, arn } => match self.stack.refusal(arn).await? {
                Some((error, why)) if error == CONFLICT => {
                    self.rollback = Order::InTheWay { run: run.clone() };
                    self.tell("by hand", &format!("refused for now: {why}"), Tone::Dim)?;
                }
                Some(_) => self.rollback = Order::Taken,
                None if watch.runs.iter().any(|begun| begun.execution_arn == *arn) => self.rollback = Order::Taken,
                None => {}
            },
            Order::InTheWay { .. } | Order::Taken => {}
        }
        Ok(())
    }

    async fn give(&mut self, run: String) -> Result<(), PlayError> {
        self.tell("by hand", &format!("roll back run {run}"), Tone::Plain)?;
        let arn = self.stack.roll_back(&run).await?;
        self.rollback = Order::Given { run, arn };
        Ok(())
    }
}

/// What the state machine ends with when another run holds the application.
const CONFLICT: &str = "Step.Conflict";
