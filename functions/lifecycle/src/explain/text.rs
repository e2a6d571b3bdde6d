//! The story of a run as plain text: reads well in a terminal and in the console.

use super::{Chapter, Story};
use domain::execution::{AnswerRecord, Status};
use domain::settle::{after_in_words, before_in_words};
use domain::text::line;
use engine::ports::{Entry, EntryState};
use jiff::Timestamp;
use std::fmt::Write;

/// Width of the column of times.
const TIME: usize = 10;
/// Width of the column of steps.
const STEP: usize = 10;

/// The whole text.
pub(super) fn tell(story: &Story) -> String {
    let mut text = String::new();
    head(&mut text, story);
    let mut iteration = 0;
    for chapter in &story.chapters {
        if chapter.iteration != iteration {
            iteration = chapter.iteration;
            put(&mut text, &format!("\nIteration {iteration}"));
        }
        tell_chapter(&mut text, chapter);
    }
    if !story.run.answers.is_empty() {
        put(&mut text, "\nQuestions to people");
        story.run.answers.iter().for_each(|answer| put(&mut text, &format!("- {}", answered(answer))));
    }
    put(&mut text, "\nChanges");
    if story.changes.is_empty() {
        put(&mut text, "- none");
    }
    story.changes.iter().for_each(|entry| put(&mut text, &format!("- {}", change(entry, story))));
    text
}

fn head(text: &mut String, story: &Story) {
    let run = &story.run;
    let status = match run.status {
        Status::Running => "still running",
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Escalated => "handed over to people",
    };
    put(text, &format!("{}: {} run {}, {status}", run.app, run.workflow_type, run.execution_id));
    let ended = run.completed_at.map_or_else(String::new, |at| {
        let minutes = at.duration_since(run.started_at).as_secs() / 60;
        format!(", ended {} ({minutes} min)", clock(at))
    });
    let day = run.started_at.strftime("%Y-%m-%d");
    put(text, &format!("{} on {day} at {} UTC{ended}", line(&run.trigger), clock(run.started_at)));
    if let Some(conclusion) = &run.conclusion {
        put(text, &line(conclusion));
    }
    put(text, &format!("configuration {}, build {}", run.config_hash, run.build));
}

fn tell_chapter(text: &mut String, chapter: &Chapter) {
    let at = chapter.at.map_or_else(String::new, clock);
    put(text, &format!("{at:<TIME$}{:<STEP$}{}", chapter.beat.step, line(&chapter.beat.text)));
    for (label, detail, _) in &chapter.beat.details {
        let label = if label.is_empty() { "  ".to_owned() } else { format!("{label}: ") };
        put(text, &format!("{:indent$}{label}{}", "", line(detail), indent = TIME + STEP));
    }
}

fn answered(answer: &AnswerRecord) -> String {
    let who = answer.by.as_ref().map_or("nobody".to_owned(), |by| line(by));
    let when = answer.at.map_or_else(String::new, |at| format!(" at {}", clock(at)));
    let remark = if answer.remark.is_empty() { String::new() } else { format!(", \"{}\"", line(&answer.remark)) };
    let (yes, no) = (answer.approved.len(), answer.denied.len());
    format!("asked at {}: {who} answered{when}: {yes} change(s) approved, {no} not{remark}", clock(answer.asked_at))
}

/// One change: what, from what to what, what it brought, how it stands, who allowed it.
fn change(entry: &Entry, story: &Story) -> String {
    let action = &entry.change.action;
    let stands = match entry.state {
        EntryState::Intended => "its outcome is not known yet",
        EntryState::Applied => "made, not judged yet",
        EntryState::NotApplied => "did not take effect",
        EntryState::Kept => "kept",
        EntryState::UndoIntended => "its undo is under way",
        EntryState::Undone => "undone",
        EntryState::Superseded => "somebody else has changed it since",
    };
    let of = if entry.execution == story.run.execution_id {
        String::new()
    } else {
        format!(" (made by run {})", entry.execution)
    };
    let mut words = format!(
        "{}{of}: {} → {}, {stands}",
        entry.change.in_words(),
        before_in_words(action, &entry.prior.live),
        after_in_words(action)
    );
    for (what, why) in [
        ("why", Some(entry.change.reason.clone())),
        ("measured", entry.outcome.as_ref().map(|outcome| format!("{}, {}", outcome.verdict, outcome.why))),
        ("consent", entry.approval.as_ref().map(ToString::to_string)),
        ("in the end", Some(entry.note.clone()).filter(|note| !note.is_empty())),
        ("id", Some(entry.id().to_string())),
    ] {
        if let Some(why) = why {
            let _infallible = write!(words, "\n    {what}: {}", line(&why));
        }
    }
    words
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn put(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
