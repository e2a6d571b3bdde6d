//! What a guard is told: the live state read a moment ago and what the records say. Gathered outside, judged here.

use crate::approval::{Approval, Consent};
use crate::arbitration::{Made, Restraints};
use crate::ids::{AppId, ChangeId};
use crate::mode::Mode;
use crate::resource::Live;
use jiff::Timestamp;

/// What the records and the world say at the moment of the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Now.
    pub now: Timestamp,
    /// Mode in force for the change's risk on this application.
    pub mode: Mode,
    /// What people have said to this change.
    pub consent: Consent,
    /// The kill switch is on, or could not be read.
    pub kill_switch: KillSwitch,
    /// Name of the freeze window that holds now, if any.
    pub freeze: Option<String>,
    /// Why a change calendar forbids changes now, if one does or could not be read.
    pub calendar_closed: Option<String>,
    /// The resource is protected by tag.
    pub protected: bool,
    /// Another application to which the resource belongs as well, if there is one.
    pub other_owner: Option<AppId>,
    /// Live state, read a moment ago.
    pub live: Live,
    /// When the snapshot was taken that the plan rests on.
    pub snapshot_at: Timestamp,
    /// Share of its signals that are known.
    pub completeness: f64,
    /// Changes made in this run.
    pub changes_in_execution: u32,
    /// Changes made on the application in the last hour.
    pub changes_last_hour: u32,
    /// Changes made on the application in the last day.
    pub changes_last_day: u32,
    /// Changes of this resource, of any kind, in the last hour.
    pub resource_changes_last_hour: u32,
    /// Changes of this resource, of any kind, in the last day.
    pub resource_changes_last_day: u32,
    /// Undone changes on the application in the last day.
    pub undos_last_day: u32,
    /// When this resource was last changed or restored.
    pub resource_changed_at: Option<Timestamp>,
    /// A change of this resource that is not verified, kept or undone yet, if there is one.
    pub open_change: Option<ChangeId>,
    /// Times that the same remedy was applied to this resource in the last day; a canary and its rest count once.
    pub repeats_last_day: u32,
    /// Cost that this run has already added, in US cents a month.
    pub spent_usd_cents_month: i64,
    /// Cost that the changes of 30 days that stand have added to the application, in US cents a month. What was saved on a
    /// resource is set off only against what was spent on the same one; on the resource of this change it may thus be negative,
    /// but never by more than the change costs.
    pub app_spent_usd_cents_month: i64,
    /// What speaks against making something smaller now. Read for changes that do.
    pub restraints: Restraints,
    /// The growth of another workflow that this change would take back, if it was verified a while ago.
    pub takes_back: Option<Made>,
    /// The same change as a person has had it rolled back, if that was a while ago.
    pub rolled_back: Option<Made>,
}

impl Facts {
    /// The approval that a change rests on, where its mode asks for one.
    pub fn approval(&self) -> Option<Approval> {
        match &self.consent {
            Consent::Given(approval) => Some(approval.clone()),
            _ => None,
        }
    }

    /// Whole minutes since a moment, for a refusal.
    pub(super) fn minutes_since(&self, at: Timestamp) -> i64 {
        self.now.duration_since(at).as_secs() / 60
    }
}

/// State of the kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillSwitch {
    /// Changes are allowed.
    Off,
    /// All changes are stopped.
    On,
    /// It could not be read, so nothing may be changed; why.
    Unreadable(String),
}
