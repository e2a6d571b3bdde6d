//! explain: the whole story of a run, from its records alone, as text and as JSON.
//!
//! Reads the record, the journal and every document of the run, also years after it, and changes nothing but the two
//! documents `story.txt` and `story.json` beside them.

pub mod beats;
mod text;

use beats::{Beat, DOCUMENTS};
use config::order::{Order, Subject};
use domain::execution::ExecutionRecord;
use domain::ids::{AppId, ExecutionId};
use engine::documents;
use engine::ports::{Artifacts, Entry, Executions, Journal};
use engine::run::{artifact_key, story_key};
use engine::step::StepError;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Bytes of the answer at most: Step Functions passes on 256 KiB. What does not fit is in the documents.
const ANSWER_BYTES_MAX: usize = 200_000;
/// Characters of text in the answer at most.
const TEXT_CHARS_MAX: usize = 50_000;

/// What explain needs of the world.
pub struct World<'a> {
    /// Records.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
    /// Documents.
    pub artifacts: &'a dyn Artifacts,
}

/// The answer: the story, or where the rest of it lies.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Run.
    pub execution_id: ExecutionId,
    /// Application.
    pub app: AppId,
    /// The story for people.
    pub text: String,
    /// The same for programs; left out where it is too large for an execution's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
    /// Keys of both, whole, in the artifact bucket.
    pub documents: [String; 2],
}

/// The story of a run, `docs/rollback-and-explain.md`.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// Of this shape.
    pub version: u32,
    /// Its record, as in `workflow_executions`.
    pub run: ExecutionRecord,
    /// What happened, in order.
    pub chapters: Vec<Chapter>,
    /// Changes of the run, and those of others that it answered for, as in the journal.
    pub changes: Vec<Entry>,
}

/// One step of the story.
#[derive(Clone, Debug, Serialize)]
pub struct Chapter {
    /// Iteration.
    pub iteration: u32,
    /// When it happened, as far as the documents say so.
    pub at: Option<Timestamp>,
    /// What happened.
    #[serde(flatten)]
    pub beat: Beat,
    /// Key of the document that says it, in the artifact bucket.
    pub document: String,
}

/// Tells the story of a run.
///
/// # Errors
/// [`StepError::Config`] when the input is not understood or names a run that nobody knows; else when a port fails.
pub async fn explain(input: &Value, world: &World<'_>) -> Result<Answer, StepError> {
    let order = Order::parse(input).map_err(|error| StepError::Config(error.to_string()))?;
    let id = match order.subject {
        Subject::Run(id) => id,
        // A change is a part of a run: its story is that of the run.
        Subject::Change(app, change) => {
            let entries = world.journal.since(&app, Timestamp::UNIX_EPOCH).await?;
            let entry = entries.into_iter().find(|entry| *entry.id() == change);
            let unknown = || StepError::Config(format!("\"{app}\" has no change \"{change}\" in its journal"));
            entry.ok_or_else(unknown)?.execution
        }
    };
    let run = world.executions.read(&id).await?;
    let run = run.ok_or_else(|| StepError::Config(format!("no run is called \"{id}\"")))?;
    let mut changes = world.journal.since(&run.app, Timestamp::UNIX_EPOCH).await?;
    changes.retain(|entry| entry.concerns(&id));
    let story = Story { version: 1, chapters: chapters(&run, world).await?, run, changes };
    let text = text::tell(&story);
    let keys = ["txt", "json"].map(|kind| story_key(&story.run.app, &id, kind));
    world.artifacts.put(&keys[0], text.clone().into_bytes()).await?;
    documents::put(world.artifacts, &keys[1], &story).await?;
    Ok(answer(story, text, keys))
}

fn answer(story: Story, text: String, documents: [String; 2]) -> Answer {
    let mut shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push_str("…\n(the rest is in the artifact bucket)\n");
    }
    let bytes = serde_json::to_vec(&story).map_or(usize::MAX, |body| body.len());
    let fits = bytes.saturating_add(2 * shown.len()) <= ANSWER_BYTES_MAX;
    Answer {
        execution_id: story.run.execution_id.clone(),
        app: story.run.app.clone(),
        text: shown,
        story: fits.then_some(story),
        documents,
    }
}

/// What every document of the run says, in order of time. A document that is gone leaves a gap, no failure.
async fn chapters(run: &ExecutionRecord, world: &World<'_>) -> Result<Vec<Chapter>, StepError> {
    let iterations = run.iterations.iter().map(|iteration| iteration.iteration).max().unwrap_or(0).max(1);
    let mut chapters: Vec<Chapter> = Vec::new();
    for iteration in 1..=iterations {
        let began = chapters.len();
        for document in &DOCUMENTS {
            let key = artifact_key(&run.app, &run.execution_id, iteration, document.name);
            let body: Option<Value> = documents::get(world.artifacts, &key).await?;
            let Some(body) = body else { continue };
            let unreadable = || {
                Beat::new("record", format!("{} has another shape than documented", document.name), beats::Tone::Bad)
            };
            let beat = (document.beat)(&body).unwrap_or_else(unreadable);
            // A step without a time of its own came right after the one before it.
            let at = (document.at)(&body).or_else(|| chapters.last().and_then(|before: &Chapter| before.at));
            chapters.push(Chapter { iteration, at, beat, document: key });
        }
        if let Some(of_iteration) = chapters.get_mut(began..) {
            // Stable: after an interruption the settling came later than the step that it settled.
            of_iteration.sort_by_key(|chapter| chapter.at);
        }
    }
    Ok(chapters)
}
