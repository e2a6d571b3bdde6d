//! The person of a scenario who stops a run in the console, and starts another one later.

use super::{PlayError, Stage};
use crate::player::records::JournalState;
use crate::player::watch::Watch;
use domain::execution::{Cycle, Status};
use lifecycle::explain::beats::Tone;

/// A run that a person stopped.
pub(super) struct Stopped {
    pub(super) execution: String,
    /// Virtual minute from which on the next one is started by hand.
    again_at_min: f64,
    is_started_again: bool,
}

impl Stage<'_> {
    /// The person who stops a run that has changed something, and starts another one later.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub(super) async fn stop_in_console(&mut self, watch: &Watch) -> Result<(), PlayError> {
        let Some(stop) = &self.scenario.stop else { return Ok(()) };
        let (minute, again_after_min) = (self.minute(), stop.again_after_min);
        match &mut self.stopped {
            None => {
                let running = watch.runs.iter().find(|run| run.status == Status::Running);
                let Some(run) =
                    running.filter(|_| watch.journal.iter().any(|entry| entry.state == JournalState::Applied))
                else {
                    return Ok(());
                };
                self.stack.stop(&run.execution_arn).await?;
                let execution = run.execution_id.to_string();
                let text = format!("stopped {execution} in the console, its change is made and not judged");
                self.stopped =
                    Some(Stopped { execution, again_at_min: minute + again_after_min, is_started_again: false });
                self.tell("person", &text, Tone::Plain)?;
            }
            Some(stopped) if !stopped.is_started_again && minute >= stopped.again_at_min => {
                stopped.is_started_again = true;
                let input = serde_json::json!({ "app": watch.app });
                self.start_by_hand(Cycle::Health, &input).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }
}
