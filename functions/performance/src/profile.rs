//! profile: what the databases of the application do while its users work: counters at both ends of a window of normal traffic, and at
//! its end what the application looks like.

use crate::pages;
use config::ResolvedApp;
use domain::observed::{Missing, Observed};
use domain::performance::catalog::Catalog;
use domain::performance::vitals::{Look, Vitals};
use domain::performance::{Sample, Window, window};
use engine::documents;
use engine::ports::{Artifacts, Databases, Leases, Pages, PortError};
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
/// When the application has neither a database nor a page to look at, the lease is lost, or a port fails. A database that can't be read is missing in the
/// profile with its reason, as long as there is another.
pub async fn profile(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let Request { intent, mut run } = request;
    if !app.is_profiled() {
        return Err(StepError::Config(format!(
            "{} has no database and no page in maintainer.yaml: name one under applications.{}.databases or .pages",
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
                if intent == Intent::Open {
                    documents::put(world.artifacts, &looked(&run), &looks(app, world.databases).await).await?;
                }
                documents::put(world.artifacts, &key, &samples(app, world.databases, false).await?).await?;
            }
            // Pages need no window.
            run.wait_s = if app.databases.is_empty() { 0 } else { app.performance.window_s };
        }
        Intent::Close => {
            let opened: Opened = documents::need(world.artifacts, &opened(&run)).await?;
            let mut profiles = profiles(&opened, app, world.databases).await?;
            let mut looked: Looked = documents::get(world.artifacts, &looked(&run)).await?.unwrap_or_default();
            for (name, closed) in looks(app, world.databases).await {
                let opened = looked.remove(&name).unwrap_or(Observed::Missing(Missing::NoData));
                if let Some(profile) = profiles.get_mut(&name) {
                    profile.vitals = Some(Vitals { opened, closed });
                }
            }
            documents::put(world.artifacts, &run.key("profile"), &profiles).await?;
            if !app.pages.is_empty() {
                let looks = pages::looks(app, world.pages, world.see.clock).await;
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

/// Counters of every database.
async fn samples(app: &ResolvedApp, databases: &dyn Databases, with_texts: bool) -> Result<Opened, StepError> {
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
        Some(error) if opened.values().all(Observed::is_missing) => Err(error.into()),
        _ => Ok(opened),
    }
}

/// What every database has done since the window began.
pub(crate) async fn profiles(
    opened: &Opened,
    app: &ResolvedApp,
    databases: &dyn Databases,
) -> Result<Profiles, StepError> {
    let closed = samples(app, databases, true).await?;
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
