//! Checks of applications: names, selectors, metrics, capacity, homes, and two applications that claim the same.

use super::{Notes, text};
use crate::file::{Application, Bounds, File, Metric, OtherPlaces};
use crate::nearest::quoted;
use crate::resolve::Home;
use crate::shape::join;
use domain::cost::rest;
use domain::ids::AppId;
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of an application: with cycle and time it must fit into the 80 characters of an execution name.
const NAME_CHARS_MAX: usize = 40;
/// Most tasks that an ECS service may have.
const TASKS_MAX: u32 = 5_000;
/// Most dimensions that CloudWatch takes.
const DIMENSIONS_MAX: usize = 30;
/// Most tags that an AWS resource can have.
const TAGS_MAX: usize = 50;

pub(super) fn name(name: &str, path: &str, notes: &mut Notes<'_>) {
    let is_first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_first || !is_rest || name.len() > NAME_CHARS_MAX {
        let rule = format!("at most {NAME_CHARS_MAX} letters, digits, \"-\" and \"_\", a letter or digit first");
        notes.add(path, format!("has a name that can't be used: a name has {rule}"));
    }
    if rest::place_of(&AppId::from(name)).is_some() {
        let says = format!(
            "has the name of what belongs to no application in another place: settings for it stand under \"{}\"",
            rest::REST
        );
        notes.add(path, says);
    }
}

fn selector_is_empty(app: &Application) -> bool {
    let tags = app.select.as_ref().is_none_or(|select| select.tags.is_empty());
    let listed = app.resources.as_ref().is_none_or(Vec::is_empty);
    (app.select.is_some() || app.resources.is_some()) && tags && listed
}

fn selector_tags(app: &Application, path: &str, notes: &mut Notes<'_>) {
    let Some(select) = &app.select else { return };
    let at = join(&join(path, "select"), "tags");
    if select.tags.len() > TAGS_MAX {
        notes.add(&at, format!("asks for {} tags, but a resource has {TAGS_MAX} at most", select.tags.len()));
    }
    for (key, value) in &select.tags {
        if key.trim().is_empty() || key.chars().count() > 128 {
            notes.add(&join(&at, key), "has a key that no tag can have: 1 to 128 characters");
        }
        if value.chars().count() > 256 {
            notes.add(&join(&at, key), "has a value that no tag can have: 256 characters at most");
        }
    }
}

fn selector_lists(app: &Application, path: &str, notes: &mut Notes<'_>) {
    let mut seen = BTreeSet::new();
    for (index, id) in app.resources.iter().flatten().enumerate() {
        let at = format!("{path}.resources[{index}]");
        if let Err(says) = text::resource(id) {
            notes.add(&at, says);
        } else if !seen.insert(id) {
            notes.add(&at, "is listed twice");
        }
    }
}

pub(super) fn selector(app: &Application, path: &str, notes: &mut Notes<'_>) {
    let is_broken = ["select", "resources"].iter().any(|key| notes.is_broken(&join(path, key)));
    if selector_is_empty(app) && !is_broken {
        let key = if app.select.is_some() { "select" } else { "resources" };
        let says =
            "names no resource: give at least one tag or resource, or remove it to select by the tag maintainer:app";
        notes.add(&join(path, key), says);
    }
    selector_tags(app, path, notes);
    selector_lists(app, path, notes);
}

pub(super) fn metrics(metrics: &[Metric], path: &str, notes: &mut Notes<'_>) {
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        let at = format!("{path}.metrics[{index}]");
        let is_name =
            !metric.name.is_empty() && metric.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_name || metric.name.len() > 64 {
            notes.add(
                &join(&at, "name"),
                format!("must be up to 64 letters, digits, \"-\", \"_\" and \".\", not {}", quoted(&metric.name)),
            );
        } else if !names.insert(&metric.name) {
            notes.add(&join(&at, "name"), format!("is the same as that of another metric: {}", quoted(&metric.name)));
        }
        for (key, value) in [("namespace", &metric.namespace), ("metric", &metric.metric)] {
            if value.trim().is_empty() || value.chars().count() > 255 {
                notes.add(&join(&at, key), "must have 1 to 255 characters");
            }
        }
        if let Some(stat) = metric.stat.as_ref().filter(|stat| !text::is_stat(stat)) {
            let known = "Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95";
            notes.add(&join(&at, "stat"), format!("must be {known}, not {}", quoted(stat)));
        }
        if metric.dimensions.len() > DIMENSIONS_MAX {
            notes.add(
                &join(&at, "dimensions"),
                format!("has {}, but CloudWatch takes {DIMENSIONS_MAX} at most", metric.dimensions.len()),
            );
        }
        if metric.good.total_cmp(&metric.bad).is_eq() {
            notes.add(
                &join(&at, "bad"),
                format!("must differ from good, which is {} too: nothing lies between them", metric.good),
            );
        }
    }
}

pub(super) fn capacity(capacity: &BTreeMap<String, Bounds>, path: &str, notes: &mut Notes<'_>) {
    for (service, bounds) in capacity {
        let at = join(&join(path, "capacity"), service);
        if bounds.min == 0 {
            notes.add(&join(&at, "min"), "must be at least 1: the maintainer never stops a service");
        }
        if bounds.min > bounds.max {
            notes.add(&join(&at, "max"), format!("is {} and lies below min, which is {}", bounds.max, bounds.min));
        }
        if bounds.max > TASKS_MAX {
            notes
                .add(&join(&at, "max"), format!("is {}, but an ECS service has {TASKS_MAX} tasks at most", bounds.max));
        }
    }
}

pub(super) fn endpoints(endpoints: &[String], path: &str, notes: &mut Notes<'_>) {
    for (index, endpoint) in endpoints.iter().enumerate().filter(|(_, endpoint)| !text::is_url(endpoint)) {
        let says = format!("must be an address such as \"https://shop.example.com/\", not {}", quoted(endpoint));
        notes.add(&format!("{path}.endpoints[{index}]"), says);
    }
}

/// The reason why an application has one place only.
const ONE_PLACE: &str =
    "an application lives in one account and one Region, so that a healthy one hides no sick one: make one of each";

/// Most other accounts: as many as fit into a parameter of the deployment.
const ACCOUNTS_MAX: usize = 300;
/// Most other places: as many as fit into what one state hands to the next.
const PLACES_MAX: usize = 1_000;

pub(super) fn other_places(other: &OtherPlaces, notes: &mut Notes<'_>) {
    let path = "other_places";
    let lists = [
        ("accounts", &other.accounts, text::account as fn(&str) -> Result<(), String>),
        ("regions", &other.regions, text::region),
    ];
    for (key, values, check) in lists {
        let mut seen = BTreeSet::new();
        for (index, value) in values.iter().enumerate() {
            let at = format!("{path}.{key}[{index}]");
            if let Err(says) = check(value) {
                notes.add(&at, says);
            } else if !seen.insert(value) {
                notes.add(&at, "is listed twice");
            }
        }
    }
    let (accounts, places) = (other.accounts.len(), other.accounts.len().max(1) * other.regions.len().max(1));
    if accounts > ACCOUNTS_MAX {
        notes.add(
            &join(path, "accounts"),
            format!("lists {accounts}, but one maintainer looks after {ACCOUNTS_MAX} at most"),
        );
    } else if places > PLACES_MAX {
        notes.add(path, format!("means {places} places, but one maintainer looks through {PLACES_MAX} at most"));
    }
}

pub(super) fn homes(app: &Application, path: &str, notes: &mut Notes<'_>) {
    let lists = [
        ("accounts", &app.accounts, text::account as fn(&str) -> Result<(), String>),
        ("regions", &app.regions, text::region),
    ];
    for (key, values, check) in lists {
        for (index, value) in values.iter().enumerate() {
            if let Err(says) = check(value) {
                notes.add(&format!("{path}.{key}[{index}]"), says);
            }
        }
        let different: BTreeSet<&String> = values.iter().collect();
        if different.len() > 1 {
            notes.add(&join(path, key), format!("lists {}: {ONE_PLACE}", different.len()));
        }
    }
}

/// Resources listed by ARN that lie elsewhere than their application, as far as its home is known.
pub(super) fn strangers(app: &Application, home: &Home, path: &str, notes: &mut Notes<'_>) {
    for (index, id) in app.resources.iter().flatten().enumerate() {
        let Some((its_region, its_account)) = text::arn_home(id) else { continue };
        // Some ARNs, such as those of CloudFront, leave one or both open.
        for (key, value, own) in [("regions", its_region, &home.region), ("accounts", its_account, &home.account)] {
            if let Some(own) = own.as_ref().filter(|own| !value.is_empty() && value != own.as_str()) {
                let says = format!("lies in {value}, but the application in {own}: name where it lives under {key}");
                notes.add(&format!("{path}.resources[{index}]"), says);
            }
        }
    }
}

/// Two applications that select the same in one place would change the same resources behind each other's back.
pub(super) fn overlaps(file: &File, home_of: impl Fn(&Application) -> Home, notes: &mut Notes<'_>) {
    let mut by_tags: BTreeMap<(Home, BTreeMap<String, String>), &String> = BTreeMap::new();
    let mut by_id: BTreeMap<(Home, String), &String> = BTreeMap::new();
    for (name, app) in &file.applications {
        let app = app.clone().unwrap_or_default();
        let home = home_of(&app);
        let selector = selector_of(name, &app);
        let path = join("applications", name);
        if !selector.tags.is_empty()
            && !notes.is_broken(&join(&path, "select"))
            && let Some(other) = by_tags.insert((home.clone(), selector.tags), name)
        {
            notes.add(
                &path,
                format!("selects by the same tags as \"{other}\": a resource belongs to one application only"),
            );
        }
        for (index, id) in selector.resources.iter().enumerate() {
            if let Some(other) = by_id.insert((home.clone(), id.to_string()), name).filter(|other| *other != name) {
                let says = format!("is listed by \"{other}\" too: a resource belongs to one application only");
                notes.add(&format!("{path}.resources[{index}]"), says);
            }
        }
    }
}

fn selector_of(name: &str, app: &Application) -> crate::Selector {
    crate::resolve::selector(&AppId::from(name), app)
}
