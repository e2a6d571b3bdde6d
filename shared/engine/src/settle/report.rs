//! What became of changes that were open: what the settling and the undoing step report.

use crate::ports::{Entry, EntryState, PortError};
use domain::change::Action;
use domain::guard::Refusal;
use domain::ids::{ChangeId, ExecutionId, ResourceId};
use domain::settle::{after_in_words, before_in_words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What became of changes that were open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Settlement {
    /// One line per change, in the order in which they were dealt with.
    pub changes: Vec<Settled>,
}

/// What became of one open change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Its id.
    pub change: ChangeId,
    /// Run that made it.
    pub execution: ExecutionId,
    /// What it does.
    pub action: Action,
    /// To which resource.
    pub resource: ResourceId,
    /// The same in words.
    pub what: String,
    /// The value before it, in words: what an undo restores.
    pub before: String,
    /// The value that it set, in words.
    pub after: String,
    /// How it stands now.
    pub end: End,
    /// When that was found.
    pub at: Timestamp,
}

/// How a change stands after settling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum End {
    /// It never happened.
    NotApplied {
        /// How that is known.
        why: String,
    },
    /// It has happened and waits for its verification.
    Applied {
        /// How that is known.
        why: String,
    },
    /// It stands.
    Kept {
        /// By which rule.
        why: String,
    },
    /// The value before it stands again.
    Undone {
        /// Why it was undone.
        why: String,
    },
    /// It could not be undone without harm to newer work, or not at all: a person must look.
    HandedOver {
        /// What was found, with both values.
        why: String,
    },
    /// Nothing was done; the journal keeps it open for the next run.
    LeftOpen {
        /// What stood in the way.
        why: String,
    },
    /// A call failed or its answer was lost, or the time was over: the journal keeps it open, and the same again may end well.
    Unfinished {
        /// What stood in the way.
        why: String,
    },
    /// A guard refused its undo: it stands as it did, and people are told.
    Refused {
        /// The guard with its numbers.
        refusal: Refusal,
        /// The same in one sentence.
        why: String,
    },
    /// It may still be on its way.
    InFlight {
        /// Seconds after which it can be settled.
        retry_after_s: u32,
    },
}

impl End {
    /// Refused, in words as well.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::Refused { why: refusal.to_string(), refusal }
    }

    /// Worth another try.
    pub(crate) fn unfinished(why: impl Into<String>) -> Self {
        Self::Unfinished { why: why.into() }
    }

    /// Whether the journal keeps it open because it could not be dealt with now.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::LeftOpen { .. } | Self::Unfinished { .. } | Self::InFlight { .. })
    }

    /// Why it stands as it does, in words.
    pub fn why(&self) -> String {
        match self {
            Self::NotApplied { why }
            | Self::Applied { why }
            | Self::Kept { why }
            | Self::Undone { why }
            | Self::HandedOver { why }
            | Self::LeftOpen { why }
            | Self::Unfinished { why }
            | Self::Refused { why, .. } => why.clone(),
            Self::InFlight { .. } => "it may still be on its way".to_owned(),
        }
    }
}

impl Settlement {
    /// These lines, and before them those of an earlier look that concern other changes.
    pub fn after(self, earlier: impl IntoIterator<Item = Settled>) -> Self {
        let told: BTreeSet<ChangeId> = self.changes.iter().map(|line| line.change.clone()).collect();
        let other = earlier.into_iter().filter(|line| !told.contains(&line.change));
        Self { changes: other.chain(self.changes).collect() }
    }

    /// Changes that were closed because they were being undone, or because somebody else has changed the value.
    pub fn taken_back(self) -> impl Iterator<Item = Settled> {
        self.changes.into_iter().filter(|line| matches!(line.end, End::Undone { .. } | End::HandedOver { .. }))
    }

    /// Seconds to wait before the rest can be settled, when a change may still be on its way.
    pub fn retry_after_s(&self) -> Option<u32> {
        let waits = self.changes.iter().filter_map(|line| match line.end {
            End::InFlight { retry_after_s } => Some(retry_after_s),
            _ => None,
        });
        waits.max()
    }

    /// Changes that a person must look at.
    pub fn handed_over(&self) -> impl Iterator<Item = &Settled> {
        self.changes.iter().filter(|line| matches!(line.end, End::HandedOver { .. }))
    }

    /// Changes whose undo a guard refused, with the refusal.
    pub fn refused(&self) -> impl Iterator<Item = (&Settled, &Refusal)> {
        self.changes.iter().filter_map(|line| match &line.end {
            End::Refused { refusal, .. } => Some((line, refusal)),
            _ => None,
        })
    }

    /// Changes that could not be dealt with now.
    pub fn left_open(&self) -> impl Iterator<Item = &Settled> {
        self.changes.iter().filter(|line| line.end.is_open())
    }

    /// The first of the changes that the same again may finish.
    pub fn unfinished(&self) -> Option<&Settled> {
        self.changes.iter().find(|line| matches!(line.end, End::Unfinished { .. }))
    }

    /// Number of changes that were undone.
    pub fn undone(&self) -> usize {
        self.changes.iter().filter(|line| matches!(line.end, End::Undone { .. })).count()
    }
}

impl Settled {
    /// A line on an entry.
    pub(crate) fn line(entry: &Entry, end: End, at: Timestamp) -> Self {
        let action = &entry.change.action;
        Self {
            change: entry.id().clone(),
            execution: entry.execution.clone(),
            action: action.clone(),
            resource: entry.change.resource.clone(),
            what: entry.change.in_words(),
            before: before_in_words(action, &entry.prior.live),
            after: after_in_words(action),
            end,
            at,
        }
    }

    /// A line on an entry of which a call failed. What a moment's trouble has stopped may go well when it is done again; what
    /// is refused will be refused again.
    pub(crate) fn failed(entry: &Entry, error: &PortError, at: Timestamp) -> Self {
        let why = error.to_string();
        let end = match error {
            PortError::Throttled { .. } | PortError::Unknown { .. } | PortError::Conflict { .. } => {
                End::unfinished(why)
            }
            PortError::Denied { .. } | PortError::Gone { .. } | PortError::Rejected { .. } => End::LeftOpen { why },
        };
        Self::line(entry, end, at)
    }

    /// A line that says how the journal has the entry.
    pub fn of(entry: &Entry, at: Timestamp) -> Self {
        let why = entry.note.clone();
        let end = match entry.state {
            EntryState::Intended | EntryState::UndoIntended => End::LeftOpen { why },
            EntryState::Applied => End::Applied { why },
            EntryState::NotApplied => End::NotApplied { why },
            EntryState::Kept => End::Kept { why },
            EntryState::Undone => End::Undone { why },
            EntryState::Superseded => End::HandedOver { why },
        };
        Self::line(entry, end, at)
    }
}
