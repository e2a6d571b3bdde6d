//! The configuration file `maintainer.yaml`: its types, its parser, its checks; and the input of a run.
//!
//! Text in, meaning or all problems out, each as one sentence with its line. Reads no file, no environment and no clock.
//! The keys are described in `docs/configuration.md`; editors get the same from `infra/maintainer.schema.json`.

mod check;
mod file;
mod freeze;
pub mod input;
mod modes;
mod nearest;
mod node;
pub mod order;
mod problem;
pub mod report;
mod resolve;
mod section;
mod shape;
mod stores;
mod surge;

pub use file::{Bounds, Day};
pub use freeze::Window;
pub use modes::Modes;
pub use problem::{ConfigError, Position, Problem};
pub use resolve::{Home, ResolvedApp};
pub use stores::{Cache, Database, Tls};
pub use surge::Surge;

use domain::cost::rest;
use domain::ids::{AppId, ResourceId};
use domain::place::Place;
use domain::resource::Resource;
use file::File;
use problem::Problems;
use resolve::Claim;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shape::{Places, Shape};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Which resources belong to an application: those with all of the tags, and those that are listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    /// All of these tags, by value; `*` matches any value. Empty selects nothing by tag.
    pub tags: BTreeMap<String, String>,
    /// Resources listed by ARN, or as `kind/name` where they have none.
    pub resources: Vec<ResourceId>,
}

impl Selector {
    /// Whether a resource has all of the tags, or is listed.
    pub fn selects(&self, resource: &Resource) -> bool {
        let has = |(key, value): (&String, &String)| {
            resource.tags.get(key).is_some_and(|found| value == "*" || found == value)
        };
        (!self.tags.is_empty() && self.tags.iter().all(has)) || self.resources.contains(&resource.id)
    }
}

/// A configuration that is valid as a whole.
#[derive(Clone, Debug)]
pub struct Config {
    file: File,
    places: Places,
    defaults: resolve::Settled,
    apps: BTreeMap<AppId, ResolvedApp>,
    claims: OnceLock<Arc<[Claim]>>,
    hash: String,
}

impl Config {
    /// Reads and checks the text of a configuration. An empty text is valid: the defaults hold for every application
    /// that is tagged `maintainer:app`.
    ///
    /// # Errors
    /// All problems that were found, in the order of the file. Nothing of a file with a problem is in force.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let Some(root) = node::read(text, &mut problems) else { return problems.or_fail() };
        let mut shape = Shape::new(stored_schema(), &mut problems);
        let value = shape.file(&root);
        let places = shape.places;
        let file: File = match serde_json::from_value(value.clone()) {
            Ok(file) => file,
            Err(error) => {
                problems.add(None, "", format!("does not have the expected form: {error}"));
                return problems.or_fail();
            }
        };
        check::file(&file, &places, &mut problems);
        let settled = match settle_all(&file) {
            Ok(settled) => settled,
            Err((path, error)) => {
                problems.add(places.of(&path), &path, format!("does not have the expected form: {error}"));
                return problems.or_fail();
            }
        };
        check::settled(&file, &settled.0, &settled.1, &places, &mut problems);
        let (defaults, apps) = settled;
        let claims = OnceLock::new();
        problems.or(Self { hash: hash(&value), file, places, defaults, apps, claims })
    }

    /// Names of the configured applications.
    pub fn apps(&self) -> Vec<AppId> {
        self.apps.keys().cloned().collect()
    }

    /// What is configured for an application of the file.
    pub fn resolve(&self, app: &AppId) -> Option<ResolvedApp> {
        self.apps.get(app).map(|app| ResolvedApp { claims: self.claims(), ..app.clone() })
    }

    fn claims(&self) -> Arc<[Claim]> {
        Arc::clone(self.claims.get_or_init(|| Claim::all(self.apps.values())))
    }

    /// What holds for an application of which only the tag `maintainer:app` is known.
    pub fn resolve_tagged(&self, app: &AppId) -> ResolvedApp {
        ResolvedApp { claims: self.claims(), ..resolve::tagged(app, self.defaults.clone()) }
    }

    /// What holds for an application, listed in the file or only tagged, or for the rest of a place: that of another place has
    /// the settings of the rest at home.
    pub fn resolve_any(&self, app: &AppId) -> ResolvedApp {
        let listed = |app| self.resolve(app).unwrap_or_else(|| self.resolve_tagged(app));
        let Some(place) = rest::place_of(app) else { return listed(app) };
        let home = Home { account: Some(place.account), region: Some(place.region) };
        ResolvedApp { id: app.clone(), selector: resolve::by_name(app), home, ..listed(&AppId::from(rest::REST)) }
    }

    /// The places besides that of the deployment which the cost cycle looks through for waste, each once, sorted.
    pub fn other_places(&self, deployment: &Place) -> Vec<Place> {
        let or_own = |named: &[String], own: &String| if named.is_empty() { vec![own.clone()] } else { named.to_vec() };
        let other = &self.file.other_places;
        let regions = or_own(&other.regions, &deployment.region);
        let of_account = |account: String| {
            regions.iter().map(move |region| Place { account: account.clone(), region: region.clone() })
        };
        let places: BTreeSet<Place> =
            or_own(&other.accounts, &deployment.account).into_iter().flat_map(of_account).collect();
        places.into_iter().filter(|place| place != deployment).collect()
    }

    /// A short hash of what the file says: the same for another layout, order or comment. Stands in every record.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// What the deployment must know beforehand, as parameters of the template: only those that the file decides.
    pub fn parameters(&self) -> BTreeMap<&'static str, String> {
        let set = [
            ("NotificationEmail", &self.file.notify.email),
            ("HealthSchedule", &self.file.schedules.health),
            ("CostSchedule", &self.file.schedules.cost),
        ];
        let mut parameters: BTreeMap<_, _> =
            set.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        // Resources that are found in another way than by our tag need not carry it, and IAM must not ask for it.
        let is_tagged = |app: &ResolvedApp| app.selector == resolve::by_name(&app.id);
        // Always said, so that a file that no longer needs it closes the door again.
        parameters.insert("OnlyTaggedResources", self.apps.values().all(is_tagged).to_string());
        let of_apps = self.apps.values().filter_map(|app| app.home.account.as_deref());
        let accounts: BTreeSet<&str> =
            of_apps.chain(self.file.other_places.accounts.iter().map(String::as_str)).collect();
        parameters.insert("MemberAccounts", accounts.into_iter().collect::<Vec<_>>().join(","));
        parameters
    }

    /// Checks what can't be known without the place of the deployment, in which an application lives that names no other:
    /// listed resources that lie elsewhere, and two applications that claim the same in one place.
    ///
    /// # Errors
    /// One problem for each.
    pub fn check_home(&self, deployment: &Place) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        check::home(&self.file, &self.places, deployment, &mut problems);
        problems.or(())
    }
}

/// The schema as it is stored for editors, which [`Config::parse`] compares with: the functions link no generator.
fn stored_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    // A test compares it with the generated one, so it can be read.
    let text = include_str!("../../../infra/maintainer.schema.json");
    SCHEMA.get_or_init(|| serde_json::from_str(text).unwrap_or_default())
}

/// The JSON Schema of the file, generated from its types.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(File).to_value())
}

/// The settled defaults and applications.
type SettledAll = (resolve::Settled, BTreeMap<AppId, ResolvedApp>);

/// Settles defaults and applications; the path of the part that can't be.
fn settle_all(file: &File) -> Result<SettledAll, (String, serde_json::Error)> {
    let empty = file::Common::default();
    let defaults = resolve::settle(&empty, &file.defaults).map_err(|error| ("defaults".to_owned(), error))?;
    let mut apps = BTreeMap::new();
    for (name, app) in &file.applications {
        let app = app.clone().unwrap_or_default();
        let settled =
            resolve::settle(&app.common(), &file.defaults).map_err(|error| (format!("applications.{name}"), error))?;
        let id = AppId::from(name.as_str());
        apps.insert(id.clone(), resolve::configured(&id, &app, settled));
    }
    Ok((defaults, apps))
}

/// Hex digits of the hash: enough to tell all versions of one file apart.
const HASH_DIGITS: usize = 12;

fn hash(value: &Value) -> String {
    let digest = Sha256::digest(sorted(value).to_string().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(HASH_DIGITS).collect()
}

/// The same value with sorted keys, whatever map the JSON library was built with.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<&String, Value> = map.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
