//! The story of a run for people: what is wrong, what was tried and measured, what was undone, what to look at next.
//!
//! Plain text that reads well on a phone. Text from outside (names, alarm reasons) is data: control characters are
//! dropped, lengths are bounded, nothing is interpreted.

use crate::words::title;
use domain::execution::{ExecutionRecord, Workflow};
use domain::finding::Finding;
use domain::observed::Observed;
use domain::outcome::{Outcome, Verdict};
use domain::rollout::Rollout;
use domain::text::line;
use engine::ports::{Entry, EntryState};
use engine::run::Run;
use serde_json::{Value, json};
use std::fmt::Write;

/// Findings and changes listed at most; the record holds all.
const ITEMS_MAX: usize = 6;
/// Addresses of the application named at most.
const ADDRESSES_MAX: usize = 2;
/// Longest address that is named in a line.
const ADDRESS_CHARS_MAX: usize = 250;
/// Findings and changes in an event at most: EventBridge takes 256 KiB.
const EVENT_ITEMS_MAX: usize = 50;

/// What the story is told from.
pub struct Facts<'a> {
    /// The run.
    pub record: &'a ExecutionRecord,
    /// Last health score.
    pub score: Option<&'a Observed<f64>>,
    /// Findings of the last analysis, worst first.
    pub findings: &'a [Finding],
    /// What should have been measured and was not, each with its reason.
    pub unmeasured: &'a [String],
    /// Changes of this run and those of dead runs that it took over, oldest first.
    pub changes: &'a [Entry],
    /// What was planned last and held back by a guard, each with the refusal.
    pub held_back: &'a [String],
    /// What was considered last and not planned, each with the reason.
    pub not_done: &'a [String],
    /// Which of these lists could not be read: empty, they say nothing.
    pub unread: &'a Unread,
    /// Why it is told now, one sentence.
    pub reason: &'a str,
    /// The run, which says where the application lives and where its users find it.
    pub run: &'a Run,
}

/// A list of a story that must be read from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is wrong, from the analysis.
    Findings,
    /// What was changed, from the journal.
    Changes,
    /// What guards refused, from their reports.
    HeldBack,
}

/// The lists that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread(Vec<Part>);

impl Unread {
    /// What was read; where that failed, nothing, and the failure is remembered.
    pub fn or_note<T: Default, E>(&mut self, part: Part, read: Result<T, E>) -> T {
        read.unwrap_or_else(|_| {
            self.0.push(part);
            T::default()
        })
    }

    /// Their names in an event, documented in `docs/events.md`.
    pub fn names(&self) -> Vec<&'static str> {
        let name = |part: &Part| match part {
            Part::Findings => "findings",
            Part::Changes => "changes",
            Part::HeldBack => "held_back",
        };
        self.0.iter().map(name).collect()
    }

    /// What stands in place of an empty list.
    fn or(&self, part: Part, none: &'static str) -> &'static str {
        match part {
            _ if !self.0.contains(&part) => none,
            Part::Findings => "not known: the analysis could not be read",
            Part::Changes => "not known: the journal of changes could not be read",
            Part::HeldBack => "not known: the reports of the guards could not be read",
        }
    }
}

/// The whole message.
pub fn tell(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    let record = facts.record;
    paragraph(&mut text, &line(facts.reason));
    if record.workflow_type == Workflow::Rollback {
        // Where all of it was held back, the run has touched nothing.
        if !facts.changes.is_empty() || facts.held_back.is_empty() || facts.unread.0.contains(&Part::Changes) {
            let none = facts.unread.or(Part::Changes, "nothing");
            list(&mut text, "What was to be undone", changes(facts), none);
        }
        held_back(&mut text, "What was ordered and held back", facts);
        end(&mut text, facts);
        return text;
    }
    if matches!(record.workflow_type, Workflow::Cost | Workflow::Performance) {
        work(&mut text, facts);
        end(&mut text, facts);
        return text;
    }
    let score = match facts.score {
        Some(Observed::Known(score)) => format!("Health score now: {score:.1} of 10."),
        Some(Observed::Missing(why)) => format!("Health score now: not measurable ({why})."),
        None => "Health score now: not measured.".to_owned(),
    };
    paragraph(&mut text, &score);
    if record.success_criteria_met {
        list(&mut text, "What was done", changes(facts), "nothing was changed");
    } else {
        list(
            &mut text,
            "What is wrong",
            facts.findings.iter().map(finding),
            facts.unread.or(Part::Findings, "no cause was found in what can be measured"),
        );
        if !facts.unmeasured.is_empty() {
            list(&mut text, "What could not be measured", facts.unmeasured.iter().map(|what| line(what)), "");
        }
        list(&mut text, "What was tried", changes(facts), facts.unread.or(Part::Changes, "nothing was changed"));
        held_back(&mut text, "What was planned and held back", facts);
        if !facts.not_done.is_empty() {
            list(&mut text, "What was considered and not done", facts.not_done.iter().map(|what| line(what)), "");
        }
        list(&mut text, "What to look at next", next_steps(facts).into_iter(), "");
    }
    end(&mut text, facts);
    text
}

/// What a run of a cycle beside the health cycle has done, what stands of it and what that saves a month, and what it has left.
fn work(text: &mut String, facts: &Facts<'_>) {
    if let Some(sentence) = saved(facts.changes, facts.unread.0.contains(&Part::Changes)) {
        paragraph(text, &sentence);
    }
    list(text, "What was done", changes(facts), facts.unread.or(Part::Changes, "nothing was changed"));
    held_back(text, "What was planned and held back", facts);
    let none = facts.unread.or(Part::Findings, "");
    if !facts.findings.is_empty() || !none.is_empty() {
        list(
            text,
            title(facts.record.workflow_type.cycle()),
            facts.findings.iter().map(|finding| line(&finding.summary)),
            none,
        );
    }
    if !facts.unmeasured.is_empty() {
        list(text, "What could not be looked at", facts.unmeasured.iter().map(|what| line(what)), "");
    }
}

/// What these changes save a month; none where they save nothing, as a mark for deletion does.
fn saved(changes: &[Entry], are_unread: bool) -> Option<String> {
    if are_unread {
        return Some("What it saves is not known: the journal of changes could not be read.".to_owned());
    }
    let sum = |state: EntryState| {
        let in_state = changes.iter().filter(|entry| entry.state == state);
        -in_state.filter_map(|entry| entry.change.cost_usd_cents_month).map(|cents| cents.min(0)).sum::<i64>()
    };
    let dollars = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    match (sum(EntryState::Kept), sum(EntryState::Undone)) {
        (0, 0) => None,
        (0, undone) => Some(format!("Saves nothing: {} USD a month were taken back.", dollars(undone))),
        (kept, undone) => {
            let back = if undone > 0 { format!("; {} USD were taken back", dollars(undone)) } else { String::new() };
            Some(format!("Saves about {} USD a month{back}. The bill will show it within days.", dollars(kept)))
        }
    }
}

fn held_back(text: &mut String, title: &str, facts: &Facts<'_>) {
    let none = facts.unread.or(Part::HeldBack, "");
    if !facts.held_back.is_empty() || !none.is_empty() {
        list(text, title, facts.held_back.iter().map(|what| line(what)), none);
    }
}

/// How it began, and where to look.
fn end(text: &mut String, facts: &Facts<'_>) {
    let record = facts.record;
    let lives = facts.run.lives_in().map(|place| format!("Where it lives: {}\n", line(&place.to_string())));
    let _infallible = write!(
        text,
        "How it began: {}\n{}Run: {}\nIn the console: {}\n",
        line(&record.trigger),
        lives.unwrap_or_default(),
        record.execution_id,
        console_link(&record.execution_arn)
    );
}

fn paragraph(text: &mut String, sentence: &str) {
    text.push_str(sentence);
    text.push_str("\n\n");
}

fn list(text: &mut String, title: &str, items: impl Iterator<Item = String>, none: &str) {
    let items: Vec<String> = items.collect();
    let _infallible = writeln!(text, "{title}:");
    if items.is_empty() {
        let _infallible = writeln!(text, "- {none}");
    }
    for item in items.iter().take(ITEMS_MAX) {
        let _infallible = writeln!(text, "- {item}");
    }
    if items.len() > ITEMS_MAX {
        let _infallible = writeln!(text, "- and {} more, see the record", items.len() - ITEMS_MAX);
    }
    text.push('\n');
}

fn finding(finding: &Finding) -> String {
    line(&format!("{} ({}): {}", finding.rule, finding.severity, finding.summary))
}

fn changes<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = String> + use<'a> {
    let own = &facts.record.execution_id;
    facts.changes.iter().map(move |entry| {
        if entry.execution == *own {
            change(entry)
        } else {
            line(&format!("left by run {}: {}", entry.execution, change(entry)))
        }
    })
}

/// A change with what it did: before, after, interval, verdict, and whether it still stands.
fn change(entry: &Entry) -> String {
    let stands = match entry.state {
        EntryState::Intended => "its outcome is not known yet",
        EntryState::Applied => "made, not verified",
        EntryState::NotApplied => "did not take effect",
        EntryState::Kept => "kept",
        EntryState::UndoIntended => "its undo is under way",
        EntryState::Undone => "undone",
        EntryState::Superseded => "somebody else has changed the value since, left as it is",
    };
    let measured = |outcome: &Outcome| format!(": {}, {}", outcome.verdict, outcome.why);
    let measured = entry.outcome.as_ref().map_or_else(String::new, measured);
    // Where it was measured and closed, the measurement says it all; everything else needs its reason.
    let is_told = entry.outcome.is_some() && matches!(entry.state, EntryState::Kept | EntryState::Undone);
    let note = if is_told || entry.note.is_empty() { String::new() } else { format!(" ({})", entry.note) };
    line(&format!("{}{measured}; {stands}{}{note}", entry.change.in_words(), of_the_others(entry)))
}

/// What a canary that was judged means for the others.
fn of_the_others(entry: &Entry) -> &'static str {
    let is_canary = entry.change.rollout.as_ref().is_some_and(Rollout::is_canary);
    match entry.outcome.as_ref().map(|outcome| outcome.verdict) {
        Some(Verdict::Inconclusive | Verdict::Regressed) if is_canary => ", the others were left as they are",
        _ => "",
    }
}

fn next_steps(facts: &Facts<'_>) -> Vec<String> {
    let mut steps: Vec<String> = facts
        .findings
        .iter()
        .take(3)
        .map(|finding| line(&format!("{}: {}", finding.resource, domain::health::next_step(&finding.rule))))
        .collect();
    if facts.changes.iter().any(|entry| entry.state == EntryState::Superseded) {
        steps.push("who changed the values that the maintainer had set, and why (CloudTrail)".to_owned());
    }
    if steps.is_empty() {
        steps.push("the dashboards of the application".to_owned());
    }
    let addresses = facts.run.endpoints.iter().filter(|address| is_web_address(address));
    // An address that is cut leads nowhere.
    let whole = addresses.filter(|address| address.chars().count() <= ADDRESS_CHARS_MAX);
    steps.extend(whole.take(ADDRESSES_MAX).map(|address| line(&format!("what its users see: {address}"))));
    steps
}

/// True for an address that a browser opens as a page, and that shows itself as it is. What else may be an address, such as
/// `javascript:`, never becomes a link.
pub(crate) fn is_web_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && text.chars().all(|c| c.is_ascii_graphic())
}

/// Findings as in an event, documented in `docs/events.md`.
pub fn findings_detail(findings: &[Finding]) -> Value {
    let item = |finding: &Finding| {
        json!({
            "rule": finding.rule, "resource": finding.resource, "severity": finding.severity,
            "confidence": finding.confidence, "summary": line(&finding.summary),
        })
    };
    findings.iter().take(EVENT_ITEMS_MAX).map(item).collect()
}

/// Changes as in an event, documented in `docs/events.md`.
pub fn changes_detail(changes: &[Entry]) -> Value {
    let item = |entry: &Entry| {
        let outcome = entry.outcome.as_ref();
        json!({
            "change_id": entry.change.id, "kind": entry.change.action.kind(), "resource": entry.change.resource,
            "made_by": entry.execution, "state": entry.state, "verdict": outcome.map(|outcome| outcome.verdict),
            "before": outcome.and_then(|outcome| outcome.before), "after": outcome.and_then(|outcome| outcome.after),
            "interval": outcome.and_then(|outcome| outcome.interval),
        })
    };
    changes.iter().take(EVENT_ITEMS_MAX).map(item).collect()
}

/// Link to the execution in the AWS console, in the Region that its ARN names.
pub fn console_link(execution_arn: &str) -> String {
    let region = execution_arn.split(':').nth(3).unwrap_or("us-east-1");
    format!(
        "https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{execution_arn}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_a_journal_that_cannot_be_read_is_no_saving_of_nothing() {
        assert!(saved(&[], true).is_some_and(|said| said.contains("not known")));
        assert_eq!(saved(&[], false), None, "nothing is said of a bill that will show nothing");
    }

    #[test]
    fn the_link_leads_to_the_region_of_the_execution() {
        let link = console_link("arn:aws:states:eu-west-1:123456789012:execution:m-health:run-1");
        assert!(link.starts_with("https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/"), "{link}");
    }
}
