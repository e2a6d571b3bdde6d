//! What a person sees. Every text goes through the template's escaping; nothing from outside is markup.

use super::answering::Given;
use crate::ask::{expected, way_back};
use crate::story::line;
use askama::Template;
use domain::approval::{Request, RequestState};

/// The page.
#[derive(Template)]
#[template(path = "approval.html")]
pub(super) struct Page {
    title: String,
    text: String,
    question: Option<Question>,
    problem: String,
    by: String,
    remark: String,
}

/// A question in words.
pub(super) struct Question {
    pub(super) app: String,
    pub(super) score: Option<String>,
    pub(super) until: String,
    pub(super) evidence: Vec<String>,
    pub(super) changes: Vec<Row>,
    pub(super) run: String,
}

/// One change in words.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) before: Option<String>,
    pub(super) reason: String,
    pub(super) expected: String,
    pub(super) risk: String,
    pub(super) way_back: &'static str,
    pub(super) cost: Option<String>,
}

impl Question {
    pub(super) fn of(request: &Request) -> Self {
        let changes = request.questions.iter().map(|question| Row {
            id: question.change.to_string(),
            what: line(&question.action.to_string()),
            before: question.before.as_deref().map(line),
            reason: line(&question.reason),
            expected: expected(question),
            risk: question.risk.to_string(),
            way_back: way_back(question.reversal),
            cost: question.cost_usd_cents_month.map(|cents| {
                let sign = if cents < 0 { "-" } else { "" };
                format!("{sign}{}.{:02} USD a month", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            }),
        });
        Self {
            app: request.app.to_string(),
            score: request.score.map(|score| format!("{score:.1}")),
            until: request.expires_at.strftime("%A %-d %B, %H:%M UTC").to_string(),
            evidence: request.evidence.iter().map(|finding| line(finding)).collect(),
            changes: changes.collect(),
            run: request.execution.to_string(),
        }
    }
}

impl Page {
    fn plain(title: &str, text: String) -> Self {
        Self {
            title: title.to_owned(),
            text,
            question: None,
            problem: String::new(),
            by: String::new(),
            remark: String::new(),
        }
    }

    /// A page with nothing to answer.
    pub(super) fn notice(title: &str, text: &str) -> Self {
        Self::plain(title, text.to_owned())
    }

    /// The question, again with what was filled in and what was wrong with it.
    pub(super) fn asking(question: Question, problem: &str, given: &Given) -> Self {
        let title = format!("{}: may I change this?", question.app);
        Self {
            question: Some(question),
            problem: problem.to_owned(),
            by: given.by.clone(),
            remark: given.remark.clone(),
            ..Self::plain(&title, String::new())
        }
    }

    /// What was just answered.
    pub(super) fn taken(request: &Request) -> Self {
        let approved = request.answer.as_ref().map_or(0, |answer| answer.approved.len());
        if approved == 0 {
            return Self::plain(
                "No, then",
                format!("Nothing will be changed on {}. Your no is in the record.", request.app),
            );
        }
        let text = format!(
            "{} is measured once more, then {} made, watched and undone if it does not help. The report follows.",
            request.app,
            if approved == 1 { "the change is".to_owned() } else { format!("{approved} changes are") }
        );
        Self::plain("Thank you", text)
    }

    /// What was just answered, while the run sleeps on.
    pub(super) fn taken_later(request: &Request) -> Self {
        let until = request.expires_at.strftime("%H:%M UTC");
        Self::plain("Thank you", format!("Your answer is written down. The run takes it up at {until} at the latest."))
    }

    /// A question that needs no answer any more.
    pub(super) fn closed(request: &Request) -> Self {
        match (&request.answer, request.state) {
            (Some(answer), RequestState::Answered) => {
                let said = if answer.approved.is_empty() { "no" } else { "yes" };
                let text = format!(
                    "{} said {said} {} at {}.",
                    answer.by,
                    answer.via,
                    answer.at.strftime("%H:%M UTC on %-d %B")
                );
                Self::plain("This was answered already", text)
            }
            _ => Self::notice("Too late", "Nobody answered in time, which means no: nothing was changed."),
        }
    }
}
