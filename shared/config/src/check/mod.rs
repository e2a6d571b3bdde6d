//! Checks of meaning: values that have the right shape and still can't be meant.
//!
//! Each check is one sentence in the error: what is wrong and what would be right. Names and shapes are checked before,
//! against the schema.

mod apps;
mod caches;
mod databases;
mod numbers;
mod pages;
mod servers;
mod text;

use crate::file::{Application, Common, File};
use crate::freeze::{Window, Wrong, zone};
use crate::problem::Problems;
use crate::resolve::{Home, ResolvedApp, Settled};
use crate::shape::{Places, join};
use crate::surge::Surge;
use domain::ids::AppId;
use domain::place::Place;
use std::collections::{BTreeMap, BTreeSet};

/// Notes problems together with the line of their path.
pub(crate) struct Notes<'a> {
    places: &'a Places,
    problems: &'a mut Problems,
}

impl Notes<'_> {
    fn add(&mut self, path: &str, says: impl Into<String>) {
        self.problems.add(self.places.of(path), path, says);
    }

    /// True when something at or below this path was refused before, so that what is left of it means nothing.
    fn is_broken(&self, path: &str) -> bool {
        self.problems.concern(path)
    }
}

/// Checks that need nothing but the file itself.
pub(crate) fn file(file: &File, places: &Places, problems: &mut Problems) {
    let notes = &mut Notes { places, problems };
    if let Some(email) = &file.notify.email
        && !text::is_email(email)
    {
        notes.add(
            "notify.email",
            format!("must be an address such as \"ops@example.com\", not {}", crate::nearest::quoted(email)),
        );
    }
    for (key, schedule) in [("schedules.health", &file.schedules.health), ("schedules.cost", &file.schedules.cost)] {
        if let Some(Err(says)) = schedule.as_deref().map(text::schedule) {
            notes.add(key, says);
        }
    }
    apps::other_places(&file.other_places, notes);
    common(&file.defaults, "defaults", notes);
    for (name, app) in &file.applications {
        let path = join("applications", name);
        apps::name(name, &path, notes);
        let Some(app) = app else { continue };
        common(&app.common(), &path, notes);
        apps::selector(app, &path, notes);
        apps::metrics(&app.metrics, &path, notes);
        apps::capacity(&app.capacity, &path, notes);
        apps::endpoints(&app.endpoints, &path, notes);
        databases::check(&app.databases, &path, notes);
        caches::check(app, &path, notes);
        pages::check(&app.pages, &path, notes);
        apps::homes(app, &path, notes);
        apps::strangers(app, &Home::of(app), &path, notes);
    }
    apps::overlaps(file, Home::of, notes);
}

/// What stands under `defaults` and under an application alike.
fn common(common: &Common, path: &str, notes: &mut Notes<'_>) {
    for (index, freeze) in common.freeze.iter().enumerate() {
        wrong(Window::read(freeze).err(), &format!("{path}.freeze[{index}]"), notes);
    }
    for (index, surge) in common.surges.iter().enumerate() {
        wrong(Surge::read(surge).err(), &format!("{path}.surges[{index}]"), notes);
    }
    for (index, calendar) in common.change_calendars.iter().enumerate() {
        if calendar.trim().is_empty() {
            let says = "must be the name or the ARN of a change calendar, not an empty text";
            notes.add(&format!("{path}.change_calendars[{index}]"), says);
        }
    }
    if let Some(Err((key, says))) = common.time_zone.as_deref().map(zone) {
        notes.add(&join(path, key), says);
    }
    for (index, name) in common.protected.iter().enumerate() {
        if name.trim().is_empty() {
            notes.add(&format!("{path}.protected[{index}]"), "must be the name of a resource, not an empty text");
        }
    }
}

fn wrong(wrong: Option<Wrong>, path: &str, notes: &mut Notes<'_>) {
    if let Some((key, says)) = wrong {
        notes.add(&join(path, key), says);
    }
}

/// Checks of what the sections mean once they are merged. A problem of the defaults is noted there, not for every
/// application that inherits it.
pub(crate) fn settled(
    file: &File,
    defaults: &Settled,
    apps: &BTreeMap<AppId, ResolvedApp>,
    places: &Places,
    problems: &mut Problems,
) {
    let notes = &mut Notes { places, problems };
    let inherited: BTreeSet<numbers::Wrong> = numbers::wrong(
        &defaults.objectives,
        &defaults.limits,
        &defaults.approval,
        &defaults.policy,
        &defaults.cost,
        &defaults.performance,
    )
    .into_iter()
    .collect();
    for wrong in &inherited {
        wrong.note("defaults", notes);
    }
    for app in apps.values() {
        let path = join("applications", app.id.as_str());
        for wrong in
            numbers::wrong(&app.objectives, &app.limits, &app.approval, &app.policy, &app.cost, &app.performance)
        {
            if !inherited.contains(&wrong) {
                wrong.note(&path, notes);
            }
        }
    }
    // Capacity is bounded by name; a name that is also protected can be neither grown nor shrunk.
    for (name, app) in &file.applications {
        let Some(app) = app else { continue };
        let protected: BTreeSet<&String> = file.defaults.protected.iter().chain(&app.protected).collect();
        for service in app.capacity.keys().filter(|service| protected.contains(service)) {
            let path = join(&join(&join("applications", name), "capacity"), service);
            notes.add(
                &path,
                "sets bounds for a resource that is protected, so nothing would ever change: remove one of the two",
            );
        }
    }
}

/// What only the place of the deployment tells: where an application lives that does not name it.
pub(crate) fn home(file: &File, places: &Places, deployment: &Place, problems: &mut Problems) {
    let notes = &mut Notes { places, problems };
    let home_of = |app: &Application| {
        let place = Home::of(app).within(deployment);
        Home { account: Some(place.account), region: Some(place.region) }
    };
    for (name, app) in &file.applications {
        if let Some(app) = app {
            apps::strangers(app, &home_of(app), &join("applications", name), notes);
        }
    }
    apps::overlaps(file, home_of, notes);
}
