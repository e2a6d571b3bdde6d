//! The widget of the CloudWatch dashboard: open questions with buttons, and the newest runs.
//!
//! CloudWatch calls the function with the IAM rights of whoever looks at the dashboard, and calls it again, with the
//! parameters of the button, when one is pressed. It drops scripts, and `iframe` and `use`; a button is an anchor of the
//! class `btn` with a `cwdb-action` right after it, and what is typed in the form comes along as `forms.all`. All of this
//! as in "Details about custom widgets" and "Interactivity in the custom widget" of the CloudWatch user guide.

use super::World;
use super::answering::{BY_MAX, Ending, Given, REMARK_MAX, take};
use super::view::Question;
use crate::answer::clean;
use crate::words::plural;
use askama::Template;
use domain::approval::{Request, Via};
use domain::execution::{ExecutionRecord, Status, Workflow};
use domain::ids::{AppId, RequestId};
use engine::ports::PortResult;
use engine::step::StepError;
use futures::future::join_all;
use jiff::Timestamp;
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
    by: String,
    remark: String,
    open: Vec<Open>,
    runs: Vec<Row>,
    function_arn: String,
}

struct Open {
    question: Question,
    /// What CloudWatch asks before it passes a yes on.
    confirmation: String,
    /// Parameters of the buttons, JSON.
    yes: String,
    no: String,
}

struct Row {
    app: String,
    began: String,
    status: &'static str,
    /// What ran: the health cycle with the score that it left, or the name of another.
    of: String,
    conclusion: String,
}

/// The widget, after the button of this call has done its work.
///
/// # Errors
/// When a port fails.
pub(super) async fn render(event: &Value, world: &World<'_>) -> Result<String, StepError> {
    let filled = |name: &str| {
        let field = format!("/widgetContext/forms/all/{name}");
        event.pointer(&field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (by, remark) = (filled("by"), filled("remark"));
    let (note, is_taken) = pressed(event, &by, &remark, world).await?;
    let (open, runs) = futures::join!(world.approvals.open(OPEN_MAX), newest(world));
    let now = world.clock.now();
    let open = open?.into_iter().filter(|request| now < request.expires_at).map(|request| row(&request, now)).collect();
    let widget = Widget {
        note,
        by: clean(&by, BY_MAX),
        remark: if is_taken { String::new() } else { clean(&remark, REMARK_MAX) },
        open,
        runs: runs?.iter().map(Row::of).collect(),
        function_arn: world.function_arn.to_owned(),
    };
    widget.render().map_err(|error| StepError::Bug(format!("the widget can't be shown: {error}")))
}

/// Takes the answer of a pressed button: what to say about it, and whether it counts.
async fn pressed(event: &Value, by: &str, remark: &str, world: &World<'_>) -> Result<(String, bool), StepError> {
    let Some(answer) = event.get("answer") else { return Ok((String::new(), false)) };
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let changes = answer.get("changes").and_then(Value::as_array);
    let given = Given {
        decision: text("decision"),
        changes: changes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        by: by.to_owned(),
        remark: remark.to_owned(),
    };
    let (app, id) = (AppId::new(text("app")), RequestId::new(text("request")));
    let ending = take(&app, &id, &given, Via::Dashboard, world).await?;
    let is_taken = matches!(ending, Ending::Taken(_) | Ending::TakenLater(_));
    let note = match ending {
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
    };
    Ok((note, is_taken))
}

fn row(request: &Request, now: Timestamp) -> Open {
    let answer = |decision: &str| {
        let changes: Vec<&str> = request.questions.iter().map(|question| question.change.as_str()).collect();
        let parameters =
            json!({"answer": {"app": request.app, "request": request.id, "decision": decision, "changes": changes}});
        // Whether the dashboard reads them as text or as markup, they are the same.
        parameters.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
    };
    let question = Question::of(request, now);
    let graves = match question.graves() {
        0 => String::new(),
        some => format!(", {some} of high risk"),
    };
    let confirmation = format!("Make {} on {}{graves}?", plural(question.changes.len(), "change"), question.app);
    Open { question, confirmation, yes: answer("approve"), no: answer("deny") }
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
            app: domain::text::line(record.app.as_str()),
            began: record.started_at.strftime("%-d %b %H:%M").to_string(),
            status: match record.status {
                Status::Running => "running",
                Status::Completed => "well",
                Status::Failed => "failed",
                Status::Escalated => "needs a person",
            },
            of: match record.workflow_type {
                Workflow::Health => {
                    format!("health {}", score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}")))
                }
                Workflow::Cost => "cost".to_owned(),
                Workflow::Performance => "performance".to_owned(),
                Workflow::Rollback => "rollback".to_owned(),
            },
            conclusion: record.conclusion.as_deref().map(domain::text::line).unwrap_or_default(),
        }
    }
}
