//! The widget of the CloudWatch dashboard: open questions with buttons, and the newest runs.
//!
//! CloudWatch calls the function with the IAM rights of whoever looks at the dashboard, and calls it again, with the
//! parameters of the button, when one is pressed. It drops scripts; a button is an anchor with a `cwdb-action` after it.

use super::World;
use super::answering::{Ending, Given, take};
use super::view::Question;
use askama::Template;
use domain::approval::{Request, Via};
use domain::execution::{ExecutionRecord, Status};
use domain::ids::{AppId, RequestId};
use engine::ports::PortResult;
use engine::step::StepError;
use futures::future::join_all;
use serde_json::{Value, json};

/// What CloudWatch shows to who asks for the widget's documentation, in Markdown.
pub(super) const DESCRIPTION: &str =
    "Open approvals and recent runs of the infrastructure maintainer. It takes no parameters.";
/// Open questions at most.
const OPEN_MAX: u32 = 10;
/// Runs at most.
const RUNS_MAX: u32 = 12;

#[derive(Template)]
#[template(path = "widget.html")]
struct Widget {
    note: String,
    open: Vec<Open>,
    runs: Vec<Row>,
    function_arn: String,
}

struct Open {
    question: Question,
    /// Parameters of the buttons, JSON.
    yes: String,
    no: String,
}

struct Row {
    app: String,
    began: String,
    status: &'static str,
    score: String,
    conclusion: String,
}

/// The widget, after the button of this call has done its work.
///
/// # Errors
/// When a port fails.
pub(super) async fn render(event: &Value, world: &World<'_>) -> Result<String, StepError> {
    let note = pressed(event, world).await?;
    let (open, runs) = futures::join!(world.approvals.open(OPEN_MAX), newest(world));
    let now = world.clock.now();
    let open = open?.into_iter().filter(|request| now < request.expires_at).map(|request| row(&request)).collect();
    let widget =
        Widget { note, open, runs: runs?.iter().map(Row::of).collect(), function_arn: world.function_arn.to_owned() };
    widget.render().map_err(|error| StepError::Bug(format!("the widget can't be shown: {error}")))
}

/// Takes the answer of a pressed button; what to say about it.
async fn pressed(event: &Value, world: &World<'_>) -> Result<String, StepError> {
    let Some(answer) = event.get("answer") else { return Ok(String::new()) };
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let filled = |name: &str| {
        let field = format!("/widgetContext/forms/all/{name}");
        event.pointer(&field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let changes = answer.get("changes").and_then(Value::as_array);
    let given = Given {
        decision: text("decision"),
        changes: changes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        by: filled("by"),
        remark: filled("remark"),
    };
    let (app, id) = (AppId::new(text("app")), RequestId::new(text("request")));
    Ok(match take(&app, &id, &given, Via::Dashboard, world).await? {
        Ending::Taken(request) => {
            let said = request.answer.as_ref().is_some_and(|answer| !answer.approved.is_empty());
            format!("{}: {}.", request.app, if said { "yes, the run goes on" } else { "no, nothing is changed" })
        }
        Ending::TakenLater(request) => {
            format!("{}: written down; the run takes it up when the question expires.", request.app)
        }
        Ending::Closed(request) => format!("{}: that question is closed already.", request.app),
        Ending::NotUnderstood(_, why) => why.to_owned(),
        Ending::NobodyWaits(request) => format!("{}: the run has ended meanwhile; nothing was changed.", request.app),
        Ending::Unknown => "There is no such question any more.".to_owned(),
    })
}

fn row(request: &Request) -> Open {
    let answer = |decision: &str| {
        let changes: Vec<&str> = request.questions.iter().map(|question| question.change.as_str()).collect();
        json!({"answer": {"app": request.app, "request": request.id, "decision": decision, "changes": changes}})
            .to_string()
    };
    Open { question: Question::of(request), yes: answer("approve"), no: answer("deny") }
}

/// Records of the newest runs. An execution that only starts others has none.
async fn newest(world: &World<'_>) -> PortResult<Vec<ExecutionRecord>> {
    let ids = world.runs.newest(RUNS_MAX).await?;
    let records = join_all(ids.iter().map(|id| world.executions.read(id))).await;
    let records: PortResult<Vec<Option<ExecutionRecord>>> = records.into_iter().collect();
    Ok(records?.into_iter().flatten().collect())
}

impl Row {
    fn of(record: &ExecutionRecord) -> Self {
        let score = record.iterations.iter().rev().find_map(|iteration| iteration.score_after.or(iteration.score));
        Self {
            app: record.app.to_string(),
            began: record.started_at.strftime("%-d %b %H:%M").to_string(),
            status: match record.status {
                Status::Running => "running",
                Status::Completed => "well",
                Status::Failed => "failed",
                Status::Escalated => "needs a person",
            },
            score: score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}")),
            conclusion: record.conclusion.as_deref().map(crate::story::line).unwrap_or_default(),
        }
    }
}
