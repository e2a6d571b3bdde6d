//! What a person sees. Every text goes through the template's escaping; nothing from outside is markup.

use super::answering::{BY_MAX, Given, REMARK_MAX};
use crate::answer::clean;
use crate::ask::{expected, way_back};
use crate::story::is_web_address;
use crate::words::{about, plural, title};
use askama::Template;
use domain::approval::{Answer, Question as Asked, Request, RequestState};
use domain::change::Reversal;
use domain::mode::Risk;
use domain::text::line;
use jiff::Timestamp;

/// The style sheet. It stands in the page itself, and the page's policy allows this text and no other.
pub(super) const STYLE: &str = include_str!("../../templates/approval.css");

/// The page.
#[derive(Template)]
#[template(path = "approval.html")]
pub(super) struct Page {
    title: String,
    text: String,
    question: Option<Question>,
    /// What was asked for, each with what was decided.
    decided: Vec<(String, &'static str)>,
    problem: String,
    by: String,
    remark: String,
}

/// A question in words.
pub(super) struct Question {
    pub(super) app: String,
    pub(super) score: Option<String>,
    /// What the cycle has found, where a health score does not say it.
    pub(super) about: Option<String>,
    /// Title over the evidence.
    pub(super) title: &'static str,
    /// Account and Region of the application.
    pub(super) place: Option<String>,
    /// Addresses of the application that a browser opens.
    pub(super) endpoints: Vec<String>,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) evidence: Vec<String>,
    pub(super) changes: Vec<Row>,
    pub(super) run: String,
}

/// One change in words.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) resource: String,
    pub(super) before: Option<String>,
    pub(super) reason: String,
    pub(super) expected: String,
    pub(super) risk: String,
    pub(super) way_back: &'static str,
    /// It takes a deliberate tick: its risk is high, or nothing brings the state before back.
    pub(super) is_grave: bool,
    pub(super) is_ticked: bool,
    pub(super) cost: Option<String>,
}

impl Row {
    fn of(asked: &Asked) -> Self {
        let is_grave = asked.reversal == Reversal::Irreversible || asked.risk == Risk::High;
        Self {
            id: asked.change.to_string(),
            what: capital(&line(&asked.in_words())),
            resource: line(asked.resource.as_str()),
            before: asked.before.as_deref().map(said),
            reason: said(&asked.reason),
            expected: said(&expected(asked)),
            risk: asked.risk.to_string(),
            way_back: way_back(asked.reversal),
            is_grave,
            is_ticked: !is_grave,
            cost: asked.cost_usd_cents_month.map(|cents| {
                let more = if cents < 0 { "less" } else { "more" };
                format!("{}.{:02} USD a month {more}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            }),
        }
    }
}

impl Question {
    pub(super) fn of(request: &Request, now: Timestamp) -> Self {
        Self {
            app: line(request.app.as_str()),
            score: request.score.map(|score| format!("{score:.1}")),
            about: about(request.cycle).map(|about| format!("{}.", capital(about))),
            title: title(request.cycle),
            place: request
                .place
                .as_ref()
                .map(|place| line(&format!("AWS account {}, {}", place.account, place.region))),
            endpoints: request.endpoints.iter().filter(|address| is_web_address(address)).cloned().collect(),
            until: request.expires_at.strftime("%A %-d %B, %H:%M UTC").to_string(),
            left: left(request.expires_at.as_second().saturating_sub(now.as_second())),
            evidence: request.evidence.iter().map(|finding| said(finding)).collect(),
            changes: request.questions.iter().map(Row::of).collect(),
            run: request.execution.to_string(),
        }
    }

    /// Changes that take a deliberate tick.
    pub(super) fn graves(&self) -> usize {
        self.changes.iter().filter(|change| change.is_grave).count()
    }
}

/// A line in which no number is torn from its per cent.
fn said(text: &str) -> String {
    line(text).replace(" %", "\u{a0}%")
}

/// How long a person still has: `1 hour 20 minutes`. Rounded down, so that nobody comes too late by it.
fn left(seconds: i64) -> String {
    let minutes = usize::try_from(seconds / 60).unwrap_or(0);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => plural(minutes, "minute"),
        (hours, 0) => plural(hours, "hour"),
        (hours, minutes) if hours < 24 => format!("{} {}", plural(hours, "hour"), plural(minutes, "minute")),
        (hours, _) => plural(hours, "hour"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl Page {
    fn plain(title: &str, text: String) -> Self {
        Self {
            title: title.to_owned(),
            text,
            question: None,
            decided: Vec::new(),
            problem: String::new(),
            by: String::new(),
            remark: String::new(),
        }
    }

    /// A page with nothing to answer.
    pub(super) fn notice(title: &str, text: &str) -> Self {
        Self::plain(title, text.to_owned())
    }

    /// The question.
    pub(super) fn asking(question: Question) -> Self {
        let title = format!("May I change {}?", question.app);
        Self { question: Some(question), ..Self::plain(&title, String::new()) }
    }

    /// The question again, as it was filled in, with what was wrong with that.
    pub(super) fn asking_again(mut question: Question, problem: &str, given: &Given) -> Self {
        for change in &mut question.changes {
            change.is_ticked = given.changes.contains(&change.id);
        }
        Self {
            problem: problem.to_owned(),
            by: clean(&given.by, BY_MAX),
            remark: clean(&given.remark, REMARK_MAX),
            ..Self::asking(question)
        }
    }

    /// What was just answered.
    pub(super) fn taken(request: &Request) -> Self {
        let approved = request.answer.as_ref().map_or(0, |answer| answer.approved.len());
        let app = line(request.app.as_str());
        let page = if approved == 0 {
            Self::plain("No, then", format!("Nothing will be changed on {app}. Your no is in the record."))
        } else {
            let made = if approved == 1 { "The change is".to_owned() } else { format!("{approved} changes are") };
            let text = format!(
                "{app} is measured once more. {made} made if still needed and no guard refuses. Then it is measured again, and \
                 what does not help is undone, where that is possible. A report follows."
            );
            Self::plain("Thank you", text)
        };
        Self { decided: decided(request), ..page }
    }

    /// What was just answered, while the run sleeps on.
    pub(super) fn taken_later(request: &Request) -> Self {
        let until = request.expires_at.strftime("%H:%M UTC");
        let text = format!("Your answer is written down. The run takes it up at {until} at the latest.");
        Self { decided: decided(request), ..Self::plain("Thank you", text) }
    }

    /// A question that needs no answer any more.
    pub(super) fn closed(request: &Request) -> Self {
        match (&request.answer, request.state) {
            (Some(answer), RequestState::Answered) => {
                let page = Self::plain("This was answered already", in_words(answer));
                Self { decided: decided(request), ..page }
            }
            _ => Self::notice("Too late", "Nobody answered in time, which means no: nothing was changed."),
        }
    }
}

/// Who said what.
fn in_words(answer: &Answer) -> String {
    let yes_or_no = if answer.approved.is_empty() { "no" } else { "yes" };
    let at = answer.at.strftime("%H:%M UTC on %-d %B");
    let remark = if answer.remark.is_empty() { String::new() } else { format!(" “{}”", line(&answer.remark)) };
    format!("{} said {yes_or_no} {} at {at}.{remark}", line(&answer.by), answer.via)
}

/// Each change with what the answer says about it.
fn decided(request: &Request) -> Vec<(String, &'static str)> {
    let Some(answer) = &request.answer else { return Vec::new() };
    let decided = request.questions.iter().map(|asked| {
        let verdict = if answer.approved.contains(&asked.change) { "yes" } else { "no" };
        (capital(&line(&asked.in_words())), verdict)
    });
    decided.collect()
}
