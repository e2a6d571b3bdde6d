//! profile: what the databases and caches of the application do while its users work: counters at both ends of a window of normal traffic,
//! and at its end what its pages load and what it looks like.

use crate::pages;
use config::ResolvedApp;
use domain::observed::{Missing, Observed};
use domain::performance::cache::{self, Ends};
use domain::performance::catalog::Catalog;
use domain::performance::vitals::{Look, Vitals};
use domain::performance::{Sample, Window, window};
use engine::documents;
use engine::ports::{Artifacts, Caches, Databases, Leases, Pages, PortError};
use engine::run::{Decision, Run};
use engine::step::StepError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use steps::observe::{self, observe};
use steps::records::keep_lease;

/// Which end of which window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// The window before anything is changed begins.
    Open,
    /// It ends.
    Close,
    /// The window after the changes begins.
    OpenAfter,
}

/// Input of the step.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// Which end.
    pub intent: Intent,
    /// The run.
    pub run: Run,
}

/// What profile needs of the world.
pub struct World<'a> {
    /// The application.
    pub see: observe::World<'a>,
    /// Its databases.
    pub databases: &'a dyn Databases,
    /// Its caches.
    pub caches: &'a dyn Caches,
    /// Its web pages.
    pub pages: &'a dyn Pages,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Samples and profiles.
    pub artifacts: &'a dyn Artifacts,
}

/// Counters of all databases at the beginning of a window, `opened` or `opened_after`.
pub type Opened = BTreeMap<String, Observed<Sample>>;

/// What the servers of all databases say of themselves at the beginning of a window, `looked`.
pub type Looked = BTreeMap<String, Observed<Look>>;

/// What all caches say of themselves at the beginning of a window, `caches_opened`.
pub type CachesOpened = BTreeMap<String, Observed<cache::Look>>;

/// What all caches say of themselves at both ends of the window before, `caches`.
pub type CacheEnds = BTreeMap<String, Ends>;

/// What a database has done in a window, and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Statements of the window.
    pub window: Observed<Window>,
    /// Tables and indexes at its end.
    pub catalog: Observed<Catalog>,
    /// Seconds for which the server has counted, where it tells.
    pub counted_s: Option<f64>,
    /// What its server says of itself at both ends of the window before; after a change nobody looks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitals: Option<Vitals>,
}

/// Profiles of all databases, `profile`.
pub type Profiles = BTreeMap<String, Profile>;

/// Reads one end of a window.
///
/// # Errors
/// When the application has no database, no cache and no page to look at, the lease is lost, or a port fails. A database that can't be read is
/// missing in the profile with its reason, as long as there is another; a cache as well, and as long as there is a database.
pub async fn profile(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let Request { intent, mut run } = request;
    let begun = world.see.clock.steady();
    if !app.is_profiled() {
        return Err(StepError::Config(format!(
            "{} has no database, no cache and no page in maintainer.yaml: name one under applications.{}.databases, .caches or .pages",
            app.id, app.id
        )));
    }
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    run.decision = Decision::Measured;
    match intent {
        // Nothing was changed, so there is nothing to measure again.
        Intent::OpenAfter if run.wait_s == 0 => {}
        Intent::Open | Intent::OpenAfter => {
            let key = if intent == Intent::Open { opened(&run) } else { run.key("opened_after") };
            // A repeated step begins no new window: the run waits for the first.
            if documents::get::<Opened>(world.artifacts, &key).await?.is_none() {
                let mut is_needed = true;
                if intent == Intent::Open {
                    let servers = looks(app, world.databases).await;
                    is_needed = !tells_anything(&servers);
                    documents::put(world.artifacts, &looked(&run), &servers).await?;
                    if !app.caches.is_empty() {
                        let caches = cache_looks(app, world.caches).await?;
                        documents::put(world.artifacts, &caches_opened(&run), &caches).await?;
                    }
                }
                let opened = samples(app, world.databases, false, is_needed).await?;
                documents::put(world.artifacts, &key, &opened).await?;
            }
            // Pages need no window.
            let has_window = !app.databases.is_empty() || !app.caches.is_empty();
            run.wait_s = if has_window { app.performance.window_s } else { 0 };
        }
        Intent::Close => {
            let opened: Opened = documents::need(world.artifacts, &opened(&run)).await?;
            let servers = looks(app, world.databases).await;
            let is_needed = !tells_anything(&servers);
            let mut profiles = profiles(&opened, app, world.databases, is_needed).await?;
            let mut looked: Looked = documents::get(world.artifacts, &looked(&run)).await?.unwrap_or_default();
            for (name, closed) in servers {
                let opened = looked.remove(&name).unwrap_or(Observed::Missing(Missing::NoData));
                if let Some(profile) = profiles.get_mut(&name) {
                    profile.vitals = Some(Vitals { opened, closed });
                }
            }
            if !app.caches.is_empty() {
                let opened: CachesOpened =
                    documents::get(world.artifacts, &caches_opened(&run)).await?.unwrap_or_default();
                let ends = cache_ends(opened, cache_looks(app, world.caches).await?);
                documents::put(world.artifacts, &run.key("caches"), &ends).await?;
            }
            documents::put(world.artifacts, &run.key("profile"), &profiles).await?;
            if !app.pages.is_empty() {
                let looks = pages::looks(app, world.pages, world.see.clock, begun).await;
                documents::put(world.artifacts, &run.key("pages"), &looks).await?;
            }
            let snapshot = observe(app, run.place.as_ref(), &world.see).await?;
            documents::put(world.artifacts, &run.key("seen"), &snapshot).await?;
        }
    }
    Ok(run)
}

/// Where the beginning of the window before is kept. A run that has asked people measures anew in the same iteration: what was counted
/// while they thought is no window.
fn opened(run: &Run) -> String {
    run.key(if run.asked_in == Some(run.iteration) { "opened_again" } else { "opened" })
}

/// Where the look at its beginning is kept.
fn looked(run: &Run) -> String {
    run.key(if run.asked_in == Some(run.iteration) { "looked_again" } else { "looked" })
}

/// Where the look at caches at its beginning is kept.
fn caches_opened(run: &Run) -> String {
    run.key(if run.asked_in == Some(run.iteration) { "caches_opened_again" } else { "caches_opened" })
}

/// Whether a database has something to tell without its statements. That none lets us in is for people, whatever caches and pages tell.
fn tells_anything(servers: &Looked) -> bool {
    servers.values().any(|look| look.known().is_some())
}

/// Whether trying again is of no use: the next run would meet the same.
fn lasts(error: &PortError) -> bool {
    matches!(error, PortError::Denied { .. } | PortError::Rejected { .. })
}

/// What every cache says of itself. One that does not answer is missing with its reason. That none does is an error where there is nothing else
/// to look at, or where it may be over soon and there is no database either.
async fn cache_looks(app: &ResolvedApp, caches: &dyn Caches) -> Result<CachesOpened, StepError> {
    let mut looked = CachesOpened::new();
    let mut last: Option<PortError> = None;
    for name in app.caches.keys() {
        let look = match caches.look(name).await {
            Ok(look) => Observed::Known(look),
            Err(error) => {
                tracing::warn!(cache = name, "{error}");
                let missing = error.missing();
                last = Some(error);
                Observed::Missing(missing)
            }
        };
        looked.insert(name.clone(), look);
    }
    match last {
        Some(error)
            if app.databases.is_empty()
                && looked.values().all(Observed::is_missing)
                && (app.pages.is_empty() || !lasts(&error)) =>
        {
            Err(error.into())
        }
        _ => Ok(looked),
    }
}

/// Both ends of every cache.
fn cache_ends(mut opened: CachesOpened, closed: CachesOpened) -> CacheEnds {
    let both = |(name, closed): (String, Observed<cache::Look>)| {
        let opened = opened.remove(&name).unwrap_or(Observed::Missing(Missing::NoData));
        (name, Ends { opened, closed })
    };
    closed.into_iter().map(both).collect()
}

/// What every server says of itself. Nothing else depends on it: one that does not answer is missing with its reason.
async fn looks(app: &ResolvedApp, databases: &dyn Databases) -> Looked {
    let mut looked = Looked::new();
    for name in app.databases.keys() {
        let look = match databases.look(name).await {
            Ok(look) => Observed::Known(look),
            Err(error) => {
                tracing::warn!(database = name, "{error}");
                Observed::Missing(error.missing())
            }
        };
        looked.insert(name.clone(), look);
    }
    looked
}

/// Counters of every database. One that can't be read is missing with its reason. That none can is an error where they are needed, or where it
/// may be over soon; a server without `pg_stat_statements` has none, whatever else it tells.
async fn samples(
    app: &ResolvedApp,
    databases: &dyn Databases,
    with_texts: bool,
    is_needed: bool,
) -> Result<Opened, StepError> {
    let mut opened = Opened::new();
    let mut last: Option<PortError> = None;
    for name in app.databases.keys() {
        let sample = match databases.sample(name, with_texts).await {
            Ok(sample) => Observed::Known(sample),
            Err(error) => {
                tracing::warn!(database = name, "{error}");
                let missing = error.missing();
                last = Some(error);
                Observed::Missing(missing)
            }
        };
        opened.insert(name.clone(), sample);
    }
    match last {
        Some(error) if opened.values().all(Observed::is_missing) && (is_needed || !lasts(&error)) => Err(error.into()),
        _ => Ok(opened),
    }
}

/// What every database has done since the window began.
pub(crate) async fn profiles(
    opened: &Opened,
    app: &ResolvedApp,
    databases: &dyn Databases,
    is_needed: bool,
) -> Result<Profiles, StepError> {
    let closed = samples(app, databases, true, is_needed).await?;
    let mut profiles = Profiles::new();
    for (name, second) in closed {
        let catalog = match databases.catalog(&name).await {
            Ok(catalog) => Observed::Known(catalog),
            Err(error) => Observed::Missing(error.missing()),
        };
        let counted_s = second
            .known()
            .and_then(|sample| sample.reset_at.map(|reset| sample.at.duration_since(reset).as_secs_f64()));
        let window = match (opened.get(&name), &second) {
            (Some(Observed::Known(first)), Observed::Known(second)) => window(first, second),
            (_, Observed::Missing(why)) | (Some(Observed::Missing(why)), _) => Observed::Missing(why.clone()),
            (None, _) => Observed::Missing(Missing::Failed(
                "the database was not in the configuration when the window began".to_owned(),
            )),
        };
        profiles.insert(name, Profile { window, catalog, counted_s, vitals: None });
    }
    Ok(profiles)
}
