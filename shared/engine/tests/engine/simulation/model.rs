//! The reference: what the world must look like by the record, by the owner's decrees, by people's answers and by the limits.

use super::catalog;
use super::generate::OFF_MAX_S;
use super::run::{Decrees, Scene};
use domain::approval::Approval;
use domain::arbitration::Direction;
use domain::change::{Action, Reversal};
use domain::mode::Mode;
use domain::resource::{Live, Resource};
use engine::ports::{Entry, EntryState};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use testkit::check::{Checked, hold, is_beside_another, landings};
use testkit::{Landing, World};

/// Seconds by which two records of one moment may differ, through calls that take time.
const BLUR_S: i64 = 150;

/// Seconds by which the clocks of two processes may differ.
const SKEW_S: i64 = 2 * OFF_MAX_S;

/// All of it.
pub fn checked(scene: &Scene) -> Checked {
    follows_from_the_record(scene)?;
    budgets(scene)?;
    decreed(scene)
}

/// Where nobody else has interfered, the live state is what the kept changes have made of the first one.
fn follows_from_the_record(scene: &Scene) -> Checked {
    let world = &scene.world;
    let ledger = world.ledger();
    let edited: BTreeSet<_> =
        ledger.iter().filter(|write| write.landing == Landing::Outside).map(|write| &write.resource).collect();
    let model = World::of(scene.initial.clone());
    let entries: BTreeMap<_, Entry> = world.journal().into_iter().map(|entry| (entry.id().clone(), entry)).collect();
    for write in &ledger {
        let Landing::Applied(id, _) = &write.landing else { continue };
        if let Some(entry) = entries.get(id).filter(|entry| entry.state == EntryState::Kept) {
            let _refused_where_somebody_else_interfered = model.perform(&entry.change);
        }
    }
    let touched = |resource: &Resource| edited.contains(&resource.id) || scene.world.was_removed(&resource.id);
    for resource in scene.initial.iter().filter(|resource| !touched(resource)) {
        let of_it: Vec<&Entry> = entries.values().filter(|entry| entry.change.resource == resource.id).collect();
        for entry in of_it.iter().filter(|entry| entry.state == EntryState::Superseded) {
            hold("what nobody else has changed is undone", is_beside_another(world, entry, &of_it), || {
                let writes: Vec<_> = ledger.iter().filter(|write| write.resource == resource.id).collect();
                let told = writes.iter().map(|write| format!("{} {:?}", write.at, write.landing)).collect::<Vec<_>>();
                format!(
                    "nobody else has changed {}, but {} is superseded: {}; written: {}",
                    resource.id,
                    entry.id(),
                    entry.note,
                    told.join(", ")
                )
            })?;
        }
        let told = |resource: Option<Resource>| resource.map_or("nothing".to_owned(), |it| catalog::values(&it.live));
        let (found, expected) = (told(world.resource(&resource.id)), told(model.resource(&resource.id)));
        hold("the live state follows from the record", found == expected, || {
            let of_it: Vec<String> = of_it
                .iter()
                .map(|entry| format!("{} ({}) {:?}", entry.id(), entry.change.action, entry.state))
                .collect();
            format!("{} is {found}, by the record {expected}: {}", resource.id, of_it.join(", "))
        })?;
    }
    Ok(())
}

/// The guards that count, counted again from what has really landed. Windows of time are measured by clocks that may differ.
fn budgets(scene: &Scene) -> Checked {
    let world = &scene.world;
    let landed = world.journal().into_iter().filter(|entry| landings(world, entry.id()) > 0);
    let entries: Vec<(Entry, Timestamp)> =
        landed.filter_map(|entry| world.announced_at(entry.id()).map(|at| (entry, at))).collect();
    let mut by_run = BTreeMap::<&str, u32>::new();
    for (entry, _) in &entries {
        *by_run.entry(entry.execution.as_str()).or_default() += 1;
    }
    let limits = &scene.limits;
    for (run, made) in by_run {
        hold("the budget of a run holds", made <= limits.changes_per_execution_max, || format!("{run} made {made}"))?;
    }
    for (entry, at) in &entries {
        let within = |window_s: i64| {
            entries.iter().filter(move |(_, other)| {
                (0..window_s - BLUR_S - SKEW_S).contains(&at.duration_since(*other).as_secs())
            })
        };
        for (window_s, max) in [(3_600, limits.changes_per_hour_max), (86_400, limits.changes_per_day_max)] {
            let made = within(window_s).count();
            hold("the budgets of hour and day hold", made <= usize::try_from(max).unwrap(), || {
                format!("{made} changes within {window_s} s, {max} are allowed")
            })?;
        }
        let of_it = within(i64::from(limits.cooldown_s));
        let same = of_it.filter(|(other, _)| other.change.resource == entry.change.resource).count();
        hold("the cool-down holds", same <= 1, || {
            format!("{} was changed {same} times within its cool-down", entry.change.resource)
        })?;
        within_bounds(entry)?;
    }
    Ok(())
}

fn within_bounds(entry: &Entry) -> Checked {
    let bounds = match (&entry.change.action, &entry.prior.live) {
        (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(fleet)) => {
            Some((*desired, fleet.min, fleet.max))
        }
        (Action::SetServiceCount { desired, .. }, Live::EcsService(service)) => {
            service.bounds.map(|(min, max)| (*desired, min, max))
        }
        _ => None,
    };
    let Some((wanted, min, max)) = bounds else { return Ok(()) };
    hold("the owner's bounds hold", (min..=max).contains(&wanted), || format!("{wanted} is outside {min} to {max}"))
}

/// Nothing is made against what the owner has decreed from before its intent until it was made, nor without a yes where one is
/// needed.
fn decreed(scene: &Scene) -> Checked {
    let world = &scene.world;
    let decrees = scene.all_decrees();
    for write in &world.ledger() {
        let Landing::Applied(id, _) = &write.landing else { continue };
        let (Some(entry), Some(from)) = (world.entry(id), world.announced_at(id)) else { continue };
        let throughout = |holds: fn(&Decrees) -> bool| {
            let mut then = decrees.iter().filter(|decree| decree.since > from && decree.since <= write.at);
            let before = decrees.iter().rfind(|decree| decree.since <= from);
            before.is_none_or(holds) && then.all(holds)
        };
        hold("a freeze stops every change", !throughout(|decrees| decrees.frozen), || id.to_string())?;
        hold("observe changes nothing", !throughout(|decrees| decrees.mode == Mode::Observe), || id.to_string())?;
        let reduces = Direction::of(&entry.change.action, &entry.prior.live) == Direction::Reduces;
        hold("nothing is reduced in a surge", !(reduces && throughout(|decrees| decrees.surge)), || id.to_string())?;
        let needs_a_yes = throughout(|decrees| decrees.mode != Mode::Auto)
            || entry.change.action.spec().reversal == Reversal::Irreversible;
        hold("what needs a yes has one", !needs_a_yes || has_a_yes(world, &entry), || {
            format!("{id} ({}): {:?}", entry.change.action, entry.approval)
        })?;
    }
    Ok(())
}

/// A person has said yes to this kind of change on this resource.
fn has_a_yes(world: &World, entry: &Entry) -> bool {
    let Some(Approval::Given { request, .. }) = &entry.approval else { return false };
    let asked = world.requests().into_iter().find(|asked| asked.id == *request);
    asked.is_some_and(|asked| {
        asked.questions.iter().any(|question| {
            let is_it =
                question.resource == entry.change.resource && question.action.kind() == entry.change.action.kind();
            is_it && asked.approves(&question.change)
        })
    })
}
