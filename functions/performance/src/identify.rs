//! identify: what is slow for want of an index, what it would save, and which index is built next; and what is told about databases, caches
//! and pages. The rules are `domain`'s; the planner of the server prices.

use crate::caches;
use crate::pages::{self, Looks};
use crate::profile::{CacheEnds, Profile, Profiles};
use config::ResolvedApp;
use domain::change::Change;
use domain::finding::Finding;
use domain::health::Analysis;
use domain::ids::ResourceId;
use domain::mode::Mode;
use domain::observed::{Missing, Observed};
use domain::performance::shape::{Shape, Verb};
use domain::performance::vitals::Vitals;
use domain::performance::{
    Advisor, Bottleneck, Budget, Indexed, Past, Planning, Priced, Room, STALE_RULE, Seen, Stale, Target, Touching,
    Weighs, Window, Work, bottlenecks, find, matrix, plan, stale,
};
use domain::place::Place;
use domain::plan::Plan;
use domain::resource::ResourceKind;
use domain::series::Series;
use domain::snapshot::{Measurement, Snapshot};
use engine::documents;
use engine::ports::{Artifacts, Clock, Databases, Entry, EntryState, Executions, Journal};
use engine::run::{Decision, Run};
use engine::settle;
use engine::step::StepError;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use steps::records::{iteration, running};

/// Statements of a database that are looked at: those that take the most time.
const STATEMENTS_MAX: usize = 500;
/// Indexes that are advised for a database at once.
const INDEXES_MAX: usize = 12;
/// Least share of the time of a database that an index must save to be advised, 0 to 1.
const SHARE_MIN: f64 = 0.02;
/// Questions that are asked in one session.
const QUESTIONS_AT_ONCE: usize = 400;
/// Rounds of questions after which the choice is taken as it is: a guard against one that never ends.
const ROUNDS_MAX: usize = 200;
const DAY_S: f64 = 86_400.0;

/// What identify needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// The databases of the application.
    pub databases: &'a dyn Databases,
    /// Profiles and plans.
    pub artifacts: &'a dyn Artifacts,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Earlier changes.
    pub journal: &'a dyn Journal,
}

/// What was decided, the artifact `analysis`: in the shape that questions, escalations and stories of every cycle read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Findings.
    pub analysis: Analysis,
    /// What is done now.
    pub plan: Plan,
    /// What each index would bring.
    pub bottlenecks: Vec<Bottleneck>,
    /// Impact against effort, as a table for people.
    pub matrix: String,
    /// What is to be measured of each change.
    pub targets: Vec<Target>,
    /// How often the planner was asked.
    pub planner_calls: usize,
}

/// What was found in the databases.
#[derive(Default)]
struct Found {
    bottlenecks: Vec<Bottleneck>,
    stale: Vec<Stale>,
    findings: Vec<Finding>,
    unmeasured: Vec<String>,
    /// Which statements touch which tables, by database.
    touching: BTreeMap<String, Touching>,
    planner_calls: usize,
}

/// Finds what is slow and plans an index.
///
/// # Errors
/// When what was profiled is not there, or a port fails.
pub async fn identify(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let profiles: Profiles = documents::need(world.artifacts, &run.key("profile")).await?;
    let mut snapshot: Snapshot = documents::need(world.artifacts, &run.key("seen")).await?;
    let mut found = Found::default();
    for (name, profile) in &profiles {
        look(name, profile, app, world.databases, &mut found).await;
    }
    let ends: CacheEnds = documents::get(world.artifacts, &run.key("caches")).await?.unwrap_or_default();
    let in_caches = caches::look(&ends, app);
    found.findings.extend(in_caches.findings);
    found.unmeasured.extend(in_caches.unmeasured);
    let looks: Looks = documents::get(world.artifacts, &run.key("pages")).await?.unwrap_or_default();
    let (findings, unmeasured) = pages::found(&looks, &app.performance);
    found.findings.extend(findings);
    found.unmeasured.extend(unmeasured);
    found.bottlenecks.sort_by(|a, b| b.saves_ms_hour.total_cmp(&a.saves_ms_hour));
    let now = world.clock.now();
    let journal = world.journal.since(&run.app, settle::look_back(now)).await?;
    let past: Vec<Past> = journal
        .iter()
        .filter(|entry| run.answers_for(entry.workflow))
        .filter_map(|entry| past(entry, run.place.as_ref()))
        .collect();
    let rooms = rooms(app, &snapshot);
    found.stale.sort_by(|a, b| b.share_pct.total_cmp(&a.share_pct));
    let Indexed { plan, targets, mut resources } = plan(&Planning {
        bottlenecks: &found.bottlenecks,
        stale: &found.stale,
        touching: &found.touching,
        rooms: &rooms,
        past: &past,
        policy: &app.performance,
        run: (&run.execution_id, run.iteration),
        now,
    });
    // Each of these tables is told of once: with what becomes of it.
    let planned: BTreeSet<ResourceId> = found.stale.iter().map(Stale::told_as).collect();
    found.findings.retain(|finding| finding.rule.as_str() != STALE_RULE || !planned.contains(&finding.resource));
    for resource in &mut resources {
        if let Some(place) = &run.place {
            resource.id = place.qualified(&resource.id);
        }
    }
    let mut plan = plan;
    if let Some(place) = &run.place {
        for change in &mut plan.changes {
            change.resource = place.qualified(&change.resource);
            change.expected.resource = change.resource.clone();
        }
    }
    // What is to become better was measured: an application that is nothing but a database is not unmeasured.
    let measured = |change: &Change| Measurement {
        signal: change.expected.signal.clone(),
        resource: change.resource.clone(),
        member: None,
        series: Observed::Known(Series {
            start: snapshot.taken_at.checked_sub(SignedDuration::from_secs(60)).unwrap_or(snapshot.taken_at),
            period_s: 60,
            values: vec![Some(change.expected.before)],
        }),
    };
    let measured: Vec<Measurement> = plan.changes.iter().map(measured).collect();
    snapshot.measurements.extend(measured);
    snapshot.resources.extend(resources);
    documents::put(world.artifacts, &run.key("snapshot"), &snapshot).await?;
    run.decision = match (plan.changes.is_empty(), run.mode) {
        (false, _) => Decision::Act,
        (true, Some(Mode::Observe)) => Decision::Previewed,
        (true, _) => Decision::NothingToDo,
    };
    if plan.changes.is_empty() {
        run.conclusion = Some(match app.databases.is_empty() {
            true => format!("{} were looked at, of which nothing is changed", looked_at(app)),
            false => {
                format!("{} index(es) would save something, nothing is to be changed now", found.bottlenecks.len())
            }
        });
    }
    let mut record = running(&run, world.executions).await?;
    iteration(&mut record, run.iteration, snapshot.taken_at);
    world.executions.save(&record).await?;
    tracing::info!(
        bottlenecks = found.bottlenecks.len(),
        changes = plan.changes.len(),
        planner_calls = found.planner_calls,
        "identified bottlenecks"
    );
    let mut findings = plan.findings.clone();
    findings.append(&mut found.findings);
    let analysis = Analysis {
        score: Observed::Missing(Missing::NotPublished(
            "a health score: this cycle looks at databases, caches and pages".to_owned(),
        )),
        confidence: 1.0,
        signals: Vec::new(),
        no_opportunity_because: findings.is_empty().then(|| match app.databases.is_empty() {
            _ if !found.unmeasured.is_empty() => {
                format!("nothing was found in what could be read of {}; some of it could not", looked_at(app))
            }
            true => format!("no rule about {} found anything", looked_at(app)),
            false => format!(
                "every statement that takes long has the indexes that help it, and no rule about {} found anything",
                looked_at(app)
            ),
        }),
        findings,
        trends: Vec::new(),
        anomalies: Vec::new(),
        unmeasured: found.unmeasured,
    };
    let matrix = matrix(&found.bottlenecks);
    let decided =
        Decided { analysis, plan, bottlenecks: found.bottlenecks, matrix, targets, planner_calls: found.planner_calls };
    documents::put(world.artifacts, &run.key("analysis"), &decided).await?;
    Ok(run)
}

/// What the application has of what this cycle looks at, in words.
fn looked_at(app: &ResolvedApp) -> String {
    let has = [
        ("databases", !app.databases.is_empty()),
        ("caches", !app.caches.is_empty()),
        ("pages", !app.pages.is_empty()),
    ];
    let names: Vec<&str> = has.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
    match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        one => one.concat(),
    }
}

/// Looks at one database.
async fn look(name: &str, profile: &Profile, app: &ResolvedApp, databases: &dyn Databases, found: &mut Found) {
    let vitals = profile.vitals.clone().unwrap_or_else(unknown);
    unseen(name, &vitals, found);
    let configured = app.databases.get(name);
    let seen = |catalog, work, window_s| Seen {
        database: name,
        catalog,
        work,
        window_s,
        vitals: &vitals,
        counted_days: profile.counted_s.map(|seconds| seconds / DAY_S),
        has_replica: configured.is_some_and(|database| database.has_replica),
    };
    let (window, catalog) = match (&profile.window, &profile.catalog) {
        (Observed::Known(window), Observed::Known(catalog)) => (window, catalog),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => {
            found.unmeasured.push(format!("statements of {name} ({why})"));
            // What its server says of itself needs neither.
            let catalog = profile.catalog.known().cloned().unwrap_or_default();
            found.findings.extend(find(&seen(&catalog, &[], 0.0), &app.performance));
            return;
        }
    };
    let work = shapes(window, name, found);
    let touching = found.touching.entry(name.to_owned()).or_default();
    for one in &work {
        let relations = || one.shape.scopes.iter().flat_map(|scope| &scope.relations);
        let tables = relations().map(|relation| catalog.table(relation.schema.as_deref(), &relation.name));
        let is_all = tables.clone().all(|table| table.is_some());
        touching.note(one.used.id, tables.flatten().map(|table| (table.schema.clone(), table.name.clone())), is_all);
    }
    found.findings.extend(find(&seen(catalog, &work, window.seconds), &app.performance));
    found.stale.extend(stale(name, catalog, &work, window.total_ms(), &app.performance));
    let budget = Budget {
        indexes_max: INDEXES_MAX,
        bytes_max: app.performance.index_bytes_max,
        share_min: SHARE_MIN,
        weighs: Weighs::Time,
    };
    let mut advisor = Advisor::new(work, window.seconds, catalog, budget);
    match ask(name, &mut advisor, databases).await {
        Ok(()) => {}
        Err(why) => found.unmeasured.push(format!("what indexes of {name} would bring ({why})")),
    }
    found.planner_calls += advisor.questions_asked();
    let unpriced = advisor.unpriced().len();
    if unpriced > 0 {
        found.unmeasured.push(format!("{unpriced} statement(s) of {name} that the planner can't price without values"));
    }
    found.bottlenecks.extend(bottlenecks(name, window, &advisor.advice(), &app.performance));
}

/// A server that nobody has looked at.
fn unknown() -> Vitals {
    Vitals { opened: Observed::Missing(Missing::NoData), closed: Observed::Missing(Missing::NoData) }
}

/// Says what of a server could not be seen.
fn unseen(name: &str, vitals: &Vitals, found: &mut Found) {
    let closed = match &vitals.closed {
        Observed::Known(closed) => closed,
        Observed::Missing(why) => {
            found.unmeasured.push(format!("the server of {name} ({why})"));
            return;
        }
    };
    found.unmeasured.extend(closed.missing().into_iter().map(|(what, why)| format!("{what} of {name} ({why})")));
    let unread = closed.sequences.known().map_or(0.0, |sequences| sequences.unread);
    if unread > 0.0 {
        let permission = "GRANT pg_read_all_data TO <user>, in version 13 GRANT SELECT ON ALL SEQUENCES";
        found.unmeasured.push(format!("{unread:.0} sequence(s) of {name} that may not be read ({permission})"));
    }
    if let Observed::Missing(why) = &vitals.opened {
        found.unmeasured.push(format!("what the server of {name} did in the window ({why})"));
    }
}

/// The statements that take the most time, with their shapes; what can't be parsed is counted.
fn shapes(window: &Window, name: &str, found: &mut Found) -> Vec<Work> {
    let mut work = Vec::new();
    let mut unparsed = 0;
    for used in window.statements.iter().take(STATEMENTS_MAX) {
        match sql::shape(&used.text) {
            Ok(Shape { verb: Verb::Other, .. }) => {}
            Ok(shape) => {
                let mut used = used.clone();
                used.text = sql::preparable(&used.text);
                work.push(Work { used, shape });
            }
            Err(_) => unparsed += 1,
        }
    }
    if unparsed > 0 {
        found.unmeasured.push(format!("{unparsed} statement(s) of {name} that can't be parsed"));
    }
    work
}

/// Asks the planner until the choice is made.
async fn ask(name: &str, advisor: &mut Advisor, databases: &dyn Databases) -> Result<(), String> {
    for _ in 0..ROUNDS_MAX {
        let questions = advisor.questions();
        if questions.is_empty() {
            return Ok(());
        }
        let mut answers: Vec<Option<Priced>> = Vec::with_capacity(questions.len());
        for some in questions.chunks(QUESTIONS_AT_ONCE) {
            answers.extend(databases.price(name, some).await.map_err(|error| error.to_string())?);
        }
        advisor.answer(answers);
    }
    Err("the choice took too many questions".to_owned())
}

/// An earlier change as the planner looks at it; what never happened does not count.
///
/// Within a run resources go by their plain names; the journal has them with the place, where it is not the deployment's own.
fn past(entry: &Entry, place: Option<&Place>) -> Option<Past> {
    let id = &entry.change.resource;
    (entry.state != EntryState::NotApplied).then(|| Past {
        made_in: (entry.execution.clone(), entry.iteration),
        resource: place.map_or_else(|| id.clone(), |place| place.plain(id)),
        // A build that was interrupted, or never measured, says nothing about the index.
        verdict: entry.outcome.as_ref().filter(|outcome| outcome.before.is_some()).map(|outcome| outcome.verdict),
        at: entry.applied_at.unwrap_or(entry.intended_at),
    })
}

/// Room on the disks of the databases that run on RDS.
fn rooms(app: &ResolvedApp, snapshot: &Snapshot) -> BTreeMap<String, Room> {
    let of = |(name, database): (&String, &config::Database)| {
        let instance = database.instance.as_ref()?;
        let resource = snapshot.of_kind(ResourceKind::Database).find(|resource| resource.name == *instance)?;
        Some((name.clone(), Room { free_bytes: snapshot.level("db_free_storage_bytes", &resource.id) }))
    };
    app.databases.iter().filter_map(of).collect()
}
