//! What the file means for one application: its own settings over `defaults` over what is built in, key by key.
//!
//! Pure, and done once when the file is read: whatever can't be resolved is a problem of the file, not of a run.

use crate::Selector;
use crate::file::{Application, Bounds, Common, Metric};
use crate::freeze::{Window, zone};
use crate::modes::Modes;
use crate::stores::{Cache, Database};
use crate::surge::Surge;
use domain::approval::Terms;
use domain::change::ChangeKind;
use domain::cost::Policy as CostPolicy;
use domain::execution::Cycle;
use domain::guard::Limits;
use domain::health::policy::Policy;
use domain::ids::{AppId, ResourceId};
use domain::mode::{Mode, Risk};
use domain::objective::Objectives;
use domain::performance::Policy as PerformancePolicy;
use domain::place::Place;
use domain::resource::{APP_TAG, CustomMetric, Live, Resource, Tags};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that is configured for one application.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedApp {
    /// Its name.
    pub id: AppId,
    /// Which resources belong to it.
    pub selector: Selector,
    /// What it promises its users.
    pub objectives: Objectives,
    /// How much the maintainer does by itself.
    pub modes: Modes,
    /// How much may be changed.
    pub limits: Limits,
    /// On which terms people are asked.
    pub approval: Terms,
    /// Thresholds of the health cycle.
    pub policy: Policy,
    /// Thresholds of the cost cycle.
    pub cost: CostPolicy,
    /// Thresholds of the performance cycle.
    pub performance: PerformancePolicy,
    /// Times in which nothing is changed.
    pub freeze: Vec<Window>,
    /// Surges that are announced.
    pub surges: Vec<Surge>,
    /// Change calendars of Systems Manager that must be open.
    pub change_calendars: BTreeSet<String>,
    /// By whose clock an hour is compared with the same one of earlier weeks.
    pub time_zone: TimeZone,
    /// Its own metrics, as resources of the kind `custom`.
    pub metrics: Vec<Resource>,
    /// Names or ids of resources that are never changed.
    pub protected: BTreeSet<String>,
    /// Smallest and largest number of tasks, by name of the ECS service.
    pub capacity: BTreeMap<String, Bounds>,
    /// Addresses under which users reach it.
    pub endpoints: Vec<String>,
    /// Its Postgres databases by name.
    pub databases: BTreeMap<String, Database>,
    /// Its caches by name.
    pub caches: BTreeMap<String, Cache>,
    /// Its web pages that are looked at.
    pub pages: Vec<String>,
    /// Where it lives, as far as the file says.
    pub home: Home,
    /// What the applications of the file select, this one among them.
    pub(crate) claims: Arc<[Claim]>,
}

/// What an application of the file selects, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    app: AppId,
    home: Home,
    selector: Selector,
}

impl Claim {
    /// The claims of all applications of a file.
    pub(crate) fn all<'a>(apps: impl Iterator<Item = &'a ResolvedApp>) -> Arc<[Self]> {
        let claim =
            |app: &ResolvedApp| Self { app: app.id.clone(), home: app.home.clone(), selector: app.selector.clone() };
        apps.map(claim).collect()
    }

    /// Whether it selects this resource of an application with that home.
    fn holds(&self, resource: &Resource, home: &Home) -> bool {
        let lies_in = resource.id.as_str().splitn(6, ':').collect::<Vec<_>>();
        let is_there =
            |named: Option<&String>, at: usize| named.is_some_and(|name| lies_in.get(at) == Some(&name.as_str()));
        let is_same_home =
            self.home == *home || (is_there(self.home.account.as_ref(), 4) && is_there(self.home.region.as_ref(), 3));
        is_same_home && self.selector.selects(resource)
    }
}

/// Account and Region of an application, as far as the file names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// Account number.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
}

impl Home {
    /// What the file names; the first of several, which the checks refuse.
    pub(crate) fn of(file: &Application) -> Self {
        Self { account: file.accounts.first().cloned(), region: file.regions.first().cloned() }
    }

    /// The place, that of the deployment where the file names nothing else.
    pub(crate) fn within(&self, deployment: &Place) -> Place {
        let or = |named: &Option<String>, own: &str| named.clone().unwrap_or_else(|| own.to_owned());
        Place { account: or(&self.account, &deployment.account), region: or(&self.region, &deployment.region) }
    }
}

impl ResolvedApp {
    /// Whether the performance cycle has anything to look at.
    pub fn is_profiled(&self) -> bool {
        !self.databases.is_empty() || !self.caches.is_empty() || !self.pages.is_empty()
    }

    /// Another application to which a resource belongs as well: one of the file that selects it, or one that is known by its tag alone.
    pub fn other_owner(&self, resource: &Resource) -> Option<AppId> {
        let others = || self.claims.iter().filter(|claim| claim.app != self.id);
        if let Some(claim) = others().find(|claim| claim.holds(resource, &self.home)) {
            return Some(claim.app.clone());
        }
        let tagged = AppId::from(resource.tags.get(APP_TAG).filter(|name| !name.trim().is_empty())?.as_str());
        let is_known = tagged == self.id || others().any(|claim| claim.app == tagged);
        (!is_known).then_some(tagged)
    }

    /// The place that it lives in, where that is not the deployment's own.
    pub fn place(&self, deployment: &Place) -> Option<Place> {
        Some(self.home.within(deployment)).filter(|place| place != deployment)
    }

    /// Seconds that a run of this cycle waits after its changes before it measures.
    pub fn wait_s(&self, cycle: Cycle) -> u32 {
        match cycle {
            Cycle::Health => self.policy.wait_s,
            Cycle::Cost => self.cost.watch_s,
            Cycle::Performance => self.performance.window_s,
        }
    }

    /// The mode for a change of this risk class and kind.
    pub fn mode_for(&self, risk: Risk, kind: ChangeKind) -> Mode {
        self.modes.mode_for(risk, kind)
    }

    /// The name of the freeze window that holds at this moment, if any.
    pub fn frozen_at(&self, now: Timestamp) -> Option<&str> {
        self.freeze.iter().find(|window| window.holds_at(now)).map(|window| window.name.as_str())
    }

    /// The surge that is announced at this moment, in words, if any.
    pub fn surge_at(&self, now: Timestamp) -> Option<String> {
        self.surges.iter().find(|surge| surge.is_announced_at(now)).map(ToString::to_string)
    }
}

/// The parts that come from `defaults` and an application alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub modes: Modes,
    pub objectives: Objectives,
    pub limits: Limits,
    pub approval: Terms,
    pub policy: Policy,
    pub cost: CostPolicy,
    pub performance: PerformancePolicy,
    pub freeze: Vec<Window>,
    pub surges: Vec<Surge>,
    pub change_calendars: BTreeSet<String>,
    pub time_zone: TimeZone,
    pub protected: BTreeSet<String>,
}

/// `common` over `defaults`. Windows and time zones that can't be read are left out; the checks have noted them.
pub(crate) fn settle(common: &Common, defaults: &Common) -> Result<Settled, serde_json::Error> {
    let surges = defaults.surges.iter().chain(&common.surges);
    let windows = defaults.freeze.iter().chain(&common.freeze);
    let time_zone = common.time_zone.as_ref().or(defaults.time_zone.as_ref());
    Ok(Settled {
        modes: Modes::default().under(defaults.mode.as_ref()).under(common.mode.as_ref()),
        objectives: common.objectives.over(&defaults.objectives)?,
        limits: common.limits.over(&defaults.limits)?,
        approval: common.approval.over(&defaults.approval)?,
        policy: common.health.over(&defaults.health)?,
        cost: common.cost.over(&defaults.cost)?,
        performance: common.performance.over(&defaults.performance)?,
        freeze: windows.filter_map(|freeze| Window::read(freeze).ok()).collect(),
        surges: surges.filter_map(|surge| Surge::read(surge).ok()).collect(),
        change_calendars: defaults.change_calendars.iter().chain(&common.change_calendars).cloned().collect(),
        time_zone: time_zone.and_then(|name| zone(name).ok()).unwrap_or(TimeZone::UTC),
        protected: defaults.protected.iter().chain(&common.protected).cloned().collect(),
    })
}

/// An application of which only the tag is known.
pub(crate) fn tagged(app: &AppId, settled: Settled) -> ResolvedApp {
    ResolvedApp {
        id: app.clone(),
        selector: by_name(app),
        objectives: settled.objectives,
        modes: settled.modes,
        limits: settled.limits,
        approval: settled.approval,
        policy: settled.policy,
        cost: settled.cost,
        performance: settled.performance,
        freeze: settled.freeze,
        surges: settled.surges,
        change_calendars: settled.change_calendars,
        time_zone: settled.time_zone,
        metrics: Vec::new(),
        protected: settled.protected,
        capacity: BTreeMap::new(),
        endpoints: Vec::new(),
        databases: BTreeMap::new(),
        caches: BTreeMap::new(),
        pages: Vec::new(),
        home: Home::default(),
        claims: Arc::default(),
    }
}

/// An application of the file.
pub(crate) fn configured(app: &AppId, file: &Application, settled: Settled) -> ResolvedApp {
    ResolvedApp {
        selector: selector(app, file),
        metrics: file.metrics.iter().map(metric).collect(),
        capacity: file.capacity.clone(),
        endpoints: file.endpoints.clone(),
        databases: file.databases.clone(),
        caches: file.caches.clone(),
        pages: file.pages.clone(),
        home: Home::of(file),
        ..tagged(app, settled)
    }
}

/// What belongs to an application: as selected and listed, else by the tag that carries its name.
pub(crate) fn selector(app: &AppId, file: &Application) -> Selector {
    if file.select.is_none() && file.resources.is_none() {
        return by_name(app);
    }
    Selector {
        tags: file.select.as_ref().map(|select| select.tags.clone()).unwrap_or_default(),
        resources: file.resources.iter().flatten().map(|id| ResourceId::from(id.as_str())).collect(),
    }
}

/// What carries the name of the application as our tag.
pub(crate) fn by_name(app: &AppId) -> Selector {
    Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), app.as_str().to_owned())]), resources: Vec::new() }
}

/// Statistic of a metric that names none.
const STAT: &str = "Average";

fn metric(file: &Metric) -> Resource {
    Resource {
        id: ResourceId::new(format!("custom/{}", file.name)),
        name: file.name.clone(),
        tags: Tags::default(),
        live: Live::Custom(CustomMetric {
            namespace: file.namespace.clone(),
            metric: file.metric.clone(),
            dimensions: file.dimensions.clone(),
            stat: file.stat.clone().unwrap_or_else(|| STAT.to_owned()),
            good: file.good,
            bad: file.bad,
        }),
    }
}
