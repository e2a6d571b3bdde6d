//! Tells from two live states what became of a change: the state captured before it and the state found now.
//!
//! Used after a lost answer or a crash, and before an undo. It compares what it is given and changes nothing; what
//! follows from its answer is the engine's work (`docs/changes-and-guards.md`).

use crate::change::{Action, day};
use crate::observed::Observed;
use crate::performance::index::IndexState;
use crate::performance::statistics::StatisticsState;
use crate::resource::{Fleet, Instance, Live, ScheduledAction, Service, Volume};
use jiff::Timestamp;
use std::fmt;

/// What became of a change whose answer was never seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The live state shows it.
    Happened,
    /// The live state is still the one before the change.
    NeverHappened,
    /// The live state is neither the one before nor the one wanted: somebody else has changed it.
    Superseded(Difference),
    /// The live state leaves no trace of such a change. To be counted as happened: it is never done twice.
    CannotTell,
}

/// Where an undoable change stands, right before it is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The live value is the one that the change has set: it may be undone.
    AsChanged,
    /// The live value is already the one before the change.
    AsPrior,
    /// The live value is a third one: somebody else's newer work, not to be overwritten.
    Other(Difference),
    /// This kind of change has no value to compare, so it can't be undone.
    NotUndoable,
}

/// Two values that should have been the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the change had set.
    pub set: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it had set {}, now there is {}", self.set, self.found)
    }
}

/// What became of a change, from the state captured right before it and the state found now.
pub fn effect(action: &Action, prior: &Live, now: &Live) -> Effect {
    match (action, prior, now) {
        (Action::ReplaceInstance { instance, .. }, Live::AutoScalingGroup(prior), Live::AutoScalingGroup(now)) => {
            replaced(member(prior, instance), member(now, instance))
        }
        (Action::RefreshFleet { .. }, Live::AutoScalingGroup(prior), Live::AutoScalingGroup(now)) => {
            // Compared with the captured time and not with ours: two clocks are never the same.
            happened_if(
                now.last_refresh_at != prior.last_refresh_at || (now.refresh_in_progress && !prior.refresh_in_progress),
            )
        }
        (Action::ReplaceTask { task, .. }, Live::EcsService(_), Live::EcsService(now)) => match has_task(now, task) {
            Some(is_there) => happened_if(!is_there),
            None => Effect::CannotTell,
        },
        (Action::RedeployService { .. }, Live::EcsService(prior), Live::EcsService(now)) => happened_if(
            now.last_deployment_at != prior.last_deployment_at
                || (now.deployment_in_progress && !prior.deployment_in_progress),
        ),
        _ => match standing(action, prior, now) {
            Standing::AsChanged => Effect::Happened,
            Standing::AsPrior => Effect::NeverHappened,
            Standing::Other(difference) => Effect::Superseded(difference),
            // What is deleted leaves nothing to look at: the read itself says that it is gone.
            Standing::NotUndoable if removes(action) => Effect::NeverHappened,
            Standing::NotUndoable => Effect::CannotTell,
        },
    }
}

/// Whether a change removes its resource, so that one that is gone is as it was wanted.
pub fn removes(action: &Action) -> bool {
    matches!(action, Action::DeleteVolume { .. } | Action::DeleteDiskSnapshot { .. } | Action::ReleaseAddress { .. })
}

/// Where an undoable change stands: compared before every undo, so that newer work of others is never overwritten.
pub fn standing(action: &Action, prior: &Live, now: &Live) -> Standing {
    let (wanted, Some(before), Some(found)) = (wanted(action), value(action, prior), value(action, now)) else {
        return match wanted(action) {
            Some(set) => Standing::Other(Difference { set: set.to_string(), found: format!("a {}", now.kind()) }),
            None => Standing::NotUndoable,
        };
    };
    match wanted {
        None => Standing::NotUndoable,
        Some(wanted) if found == wanted => Standing::AsChanged,
        Some(_) if found == before => Standing::AsPrior,
        Some(wanted) => Standing::Other(Difference { set: wanted.to_string(), found: found.to_string() }),
    }
}

/// What a change modifies, as it is now, in words.
pub fn before_in_words(action: &Action, live: &Live) -> String {
    match (action, live) {
        (Action::ReplaceInstance { instance, .. }, Live::AutoScalingGroup(fleet)) => match member(fleet, instance) {
            Some(member) if member.is_serving() => format!("{instance} in service"),
            Some(_) => format!("{instance} not in service"),
            None => format!("{instance} is not in the group"),
        },
        (Action::RefreshFleet { .. }, Live::AutoScalingGroup(fleet)) => {
            format!("{} of {} instances healthy", fleet.healthy(), fleet.instances.len())
        }
        (Action::ReplaceTask { task, .. }, Live::EcsService(service)) => match has_task(service, task) {
            Some(true) => format!("{task} running, {} of {} tasks running", service.running, service.desired),
            Some(false) => format!("{task} is not in the service"),
            None => format!("{} of {} tasks running", service.running, service.desired),
        },
        (Action::RedeployService { .. }, Live::EcsService(service)) => {
            format!("{} of {} tasks running", service.running, service.desired)
        }
        (Action::FlushCache { .. }, _) => "filled".to_owned(),
        (Action::InvalidateCdn { .. }, _) => "cached at the edge".to_owned(),
        (Action::DeleteVolume { .. }, Live::Volume(volume)) => in_words(volume),
        (Action::DeleteDiskSnapshot { .. }, Live::DiskSnapshot(snapshot)) => {
            format!("a snapshot of {} GiB of {}", snapshot.size_gib, snapshot.volume)
        }
        (Action::ReleaseAddress { .. }, Live::Address(address)) => format!("{}, in use by nothing", address.public_ip),
        (_, live) => value(action, live).map_or_else(|| format!("a {}", live.kind()), |value| value.to_string()),
    }
}

fn in_words(volume: &Volume) -> String {
    let attached = match volume.attached_to.as_slice() {
        [] => "attached to nothing".to_owned(),
        instances => format!("attached to {}", instances.join(", ")),
    };
    format!("{} GiB of {}, {attached}", volume.size_gib, volume.volume_type)
}

/// What a change leads to, in words.
pub fn after_in_words(action: &Action) -> String {
    match action {
        Action::SetFleetCapacity { desired, .. } | Action::SetServiceCount { desired, .. } => desired.to_string(),
        Action::ReplaceInstance { instance, .. } => format!("{instance} terminated, the group launches another"),
        Action::RefreshFleet { .. } => "instance refresh started".to_owned(),
        Action::ReplaceTask { task, .. } => format!("{task} stopped, the service starts another"),
        Action::RedeployService { .. } => "new deployment started".to_owned(),
        Action::FlushCache { .. } => "empty, filling again".to_owned(),
        Action::InvalidateCdn { .. } => "invalidated, filling again".to_owned(),
        Action::SetVolumeType { .. }
        | Action::MarkForDeletion { .. }
        | Action::SnapshotVolume { .. }
        | Action::SetLogRetention { .. }
        | Action::SetFleetSchedule { .. }
        | Action::CreateIndex { .. }
        | Action::AnalyzeTable { .. } => wanted(action).map_or_else(String::new, |setting| setting.to_string()),
        Action::DeleteVolume { .. } | Action::DeleteDiskSnapshot { .. } => "deleted".to_owned(),
        Action::ReleaseAddress { .. } => "released".to_owned(),
    }
}

/// A value that an action sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// A number of members: more or less of it can be told.
    Count(u32),
    /// Anything else, in the words of a report.
    Words(String),
}

impl Setting {
    /// The number, where it is one.
    pub(crate) fn count(&self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Words(_) => None,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

/// The value that an action sets, where it sets one.
pub(crate) fn wanted(action: &Action) -> Option<Setting> {
    match action {
        Action::SetFleetCapacity { desired, .. } | Action::SetServiceCount { desired, .. } => {
            Some(Setting::Count(*desired))
        }
        Action::SetVolumeType { volume_type, iops, throughput_mibps, .. } => {
            Some(disk(volume_type, Some(*iops), Some(*throughput_mibps)))
        }
        Action::MarkForDeletion { delete_after, .. } => Some(marked(Some(*delete_after))),
        Action::SnapshotVolume { .. } => Some(backed_up(true)),
        Action::SetLogRetention { days, .. } => Some(kept(Some(*days))),
        Action::SetFleetSchedule { off_hours, .. } => Some(off(off_hours.actions().iter())),
        Action::CreateIndex { .. } => Some(built(IndexState::Valid)),
        Action::AnalyzeTable { .. } => Some(Setting::Words(StatisticsState::Fresh.to_string())),
        _ => None,
    }
}

/// The value that an action modifies, in a live state.
pub(crate) fn value(action: &Action, live: &Live) -> Option<Setting> {
    match (action, live) {
        (Action::SetFleetCapacity { .. }, Live::AutoScalingGroup(fleet)) => Some(Setting::Count(fleet.desired)),
        (Action::SetServiceCount { .. }, Live::EcsService(service)) => Some(Setting::Count(service.desired)),
        (Action::SetVolumeType { .. }, Live::Volume(volume)) => {
            Some(disk(&volume.volume_type, volume.iops, volume.throughput_mibps))
        }
        (Action::MarkForDeletion { .. }, live) => delete_after(live).map(marked),
        (Action::SnapshotVolume { .. }, Live::Volume(volume)) => Some(backed_up(volume.final_snapshot.is_some())),
        (Action::SetLogRetention { .. }, Live::LogGroup(group)) => Some(kept(group.retention_days)),
        // Only the two of the maintainer are compared: others are their owner's, and an undo leaves them alone.
        (Action::SetFleetSchedule { .. }, Live::AutoScalingGroup(fleet)) => {
            Some(off(fleet.scheduled.known()?.iter().filter(|action| action.is_ours())))
        }
        (Action::CreateIndex { .. }, Live::Index(index)) => Some(built(index.state)),
        (Action::AnalyzeTable { .. }, Live::Statistics(of)) => Some(Setting::Words(of.state().to_string())),
        _ => None,
    }
}

/// The mark of a resource that can be marked for deletion; none for other kinds.
pub(crate) fn delete_after(live: &Live) -> Option<Option<Timestamp>> {
    match live {
        Live::Volume(volume) => Some(volume.delete_after),
        Live::DiskSnapshot(snapshot) => Some(snapshot.delete_after),
        Live::Address(address) => Some(address.delete_after),
        _ => None,
    }
}

fn disk(volume_type: &str, iops: Option<u32>, throughput_mibps: Option<u32>) -> Setting {
    let iops = iops.map_or(String::new(), |iops| format!(", {iops} IOPS"));
    let throughput = throughput_mibps.map_or(String::new(), |mibps| format!(", {mibps} MiB/s"));
    Setting::Words(format!("{volume_type}{iops}{throughput}"))
}

fn marked(delete_after: Option<Timestamp>) -> Setting {
    Setting::Words(
        delete_after.map_or_else(|| "not marked".to_owned(), |at| format!("may be deleted after {}", day(at))),
    )
}

fn backed_up(is_backed_up: bool) -> Setting {
    Setting::Words(if is_backed_up { "a final snapshot" } else { "no final snapshot" }.to_owned())
}

fn kept(retention_days: Option<u32>) -> Setting {
    Setting::Words(retention_days.map_or_else(|| "kept for ever".to_owned(), |days| format!("kept for {days} days")))
}

/// One whose build has died is there as well: it must go before there is none again.
fn built(state: IndexState) -> Setting {
    Setting::Words(if state == IndexState::Absent { "no index" } else { "the index" }.to_owned())
}

fn off<'a>(actions: impl Iterator<Item = &'a ScheduledAction>) -> Setting {
    let mut words: Vec<(&str, String)> = actions.map(|action| (action.name.as_str(), action.to_string())).collect();
    // The stop first, in whichever order the service has them.
    words.sort_by(|a, b| b.0.cmp(a.0));
    let words: Vec<String> = words.into_iter().map(|(_, words)| words).collect();
    Setting::Words(if words.is_empty() { "no off hours".to_owned() } else { words.join("; ") })
}

fn member<'a>(fleet: &'a Fleet, id: &str) -> Option<&'a Instance> {
    fleet.instances.iter().find(|instance| instance.id == id)
}

/// Whether a task belongs to a service; `None` where its tasks are not known. A task that is being stopped does not.
fn has_task(service: &Service, id: &str) -> Option<bool> {
    match &service.tasks {
        Observed::Known(tasks) => Some(tasks.iter().any(|task| task.id == id)),
        Observed::Missing(_) => None,
    }
}

/// An instance that is being terminated leaves service before it leaves the group.
fn replaced(prior: Option<&Instance>, now: Option<&Instance>) -> Effect {
    match (prior, now) {
        (_, None) => Effect::Happened,
        (_, Some(now)) if now.in_service => Effect::NeverHappened,
        (Some(prior), Some(_)) if prior.in_service => Effect::Happened,
        (_, Some(_)) => Effect::CannotTell,
    }
}

fn happened_if(it_shows: bool) -> Effect {
    if it_shows { Effect::Happened } else { Effect::NeverHappened }
}

#[cfg(test)]
mod tests;
