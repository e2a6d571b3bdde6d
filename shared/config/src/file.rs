//! The file `maintainer.yaml` as types: the JSON Schema, and with it every check of names and shapes, comes from here.
//!
//! Says what may stand in the file. What a value means is decided in [`crate::resolve`], what contradicts in `check`.

use crate::section::Section;
use crate::stores::{Cache, Database};
use domain::approval::Terms;
use domain::cost::Policy as CostPolicy;
use domain::guard::Limits;
use domain::health::policy::Policy;
use domain::mode::Mode;
use domain::objective::Objectives;
use domain::performance::Policy as PerformancePolicy;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Configuration of the infrastructure maintainer: which applications it cares for and how much it may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "maintainer.yaml")]
pub(crate) struct File {
    /// Who is told.
    pub notify: Notify,
    /// What holds for every application that does not say otherwise, also for those that are only tagged.
    pub defaults: Common,
    /// When the cycles start by themselves. Takes effect with the next deployment.
    pub schedules: Schedules,
    /// Other accounts and Regions that the cost cycle looks through for waste.
    pub other_places: OtherPlaces,
    /// Applications by name. One that is not listed here is cared for as well when its resources are tagged `maintainer:app`.
    pub applications: BTreeMap<String, Option<Application>>,
}

/// Who is told. Takes effect with the next deployment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notify {
    /// Address that gets escalations and reports. AWS asks it once to confirm.
    pub email: Option<String>,
}

/// When the cycles start by themselves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Schedules {
    /// Health cycle: `rate(4 hours)` or `cron(0 */4 * * ? *)`, in UTC. Default `rate(4 hours)`.
    pub health: Option<String>,
    /// Cost cycle: `rate(7 days)` or `cron(0 5 ? * MON *)`, in UTC. Default `cron(0 5 ? * MON *)`, Mondays at five.
    pub cost: Option<String>,
}

/// Other accounts and Regions that the cost cycle looks through for waste: every account in every Region. What belongs to no
/// application there is told, and never changed; settings for it stand under `applications: {rest-of-account: …}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OtherPlaces {
    /// Account numbers, in quotes. Default: the account of the deployment.
    pub accounts: Vec<String>,
    /// Regions. Default: the Region of the deployment.
    pub regions: Vec<String>,
}

/// What can stand under `defaults` and under an application.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Common {
    /// How much the maintainer does by itself.
    pub mode: Option<ModeSetting>,
    /// What an application promises its users.
    pub objectives: Section<Objectives>,
    /// How much may be changed, and on what evidence.
    pub limits: Section<Limits>,
    /// On which terms people are asked, where the mode is `approve`.
    pub approval: Section<Terms>,
    /// Thresholds of the health cycle.
    pub health: Section<Policy>,
    /// Thresholds of the cost cycle.
    pub cost: Section<CostPolicy>,
    /// Thresholds of the performance cycle.
    pub performance: Section<PerformancePolicy>,
    /// Names of resources that are never changed.
    pub protected: Vec<String>,
    /// Times in which nothing is changed.
    pub freeze: Vec<Freeze>,
    /// Surges of load that are announced: before and during one nothing is made smaller.
    pub surges: Vec<Surge>,
    /// Change calendars of AWS Systems Manager, by name or ARN: while one of them is closed, nothing is changed.
    pub change_calendars: Vec<String>,
    /// Time zone by whose clock an hour is compared with the same one of earlier weeks, for example `Europe/Berlin`. Default `UTC`.
    pub time_zone: Option<String>,
}

/// An application.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Application {
    /// Which resources belong to it by tag. Without `select` and `resources`: those tagged `maintainer:app` with its name.
    pub select: Option<Select>,
    /// Resources that belong to it, by ARN or as `kind/name`, for example `auto_scaling_group/shop-web`.
    pub resources: Option<Vec<String>>,
    /// Response time, error rate and the like that it promises its users.
    pub objectives: Section<Objectives>,
    /// How much the maintainer does by itself.
    pub mode: Option<ModeSetting>,
    /// How much may be changed, and on what evidence.
    pub limits: Section<Limits>,
    /// On which terms people are asked, where the mode is `approve`.
    pub approval: Section<Terms>,
    /// Thresholds of the health cycle.
    pub health: Section<Policy>,
    /// Thresholds of the cost cycle.
    pub cost: Section<CostPolicy>,
    /// Thresholds of the performance cycle.
    pub performance: Section<PerformancePolicy>,
    /// Names of resources that are never changed, besides those in `defaults`.
    pub protected: Vec<String>,
    /// Times in which nothing is changed, besides those in `defaults`.
    pub freeze: Vec<Freeze>,
    /// Surges of load that are announced, besides those in `defaults`: before and during one nothing is made smaller.
    pub surges: Vec<Surge>,
    /// Change calendars of AWS Systems Manager, by name or ARN, besides those in `defaults`: while one of them is closed,
    /// nothing is changed.
    pub change_calendars: Vec<String>,
    /// Time zone by whose clock an hour is compared with the same one of earlier weeks, for example `Europe/Berlin`. Default `UTC`.
    pub time_zone: Option<String>,
    /// Metrics of its own in CloudWatch that count for its health.
    pub metrics: Vec<Metric>,
    /// Smallest and largest number of tasks of its ECS services, by service name.
    pub capacity: BTreeMap<String, Bounds>,
    /// Addresses under which users reach it, `http` or `https`. The first five are shown to people who must look or decide: in
    /// escalations, in events, and as links on the approval page. The maintainer does not call them.
    pub endpoints: Vec<String>,
    /// Its Postgres databases, by a name of your choice: letters, digits, `-` and `_`. The performance cycle looks after them.
    pub databases: BTreeMap<String, Database>,
    /// Its caches (Redis, Valkey), by a name of your choice: letters, digits, `-` and `_`. The performance cycle looks at them.
    pub caches: BTreeMap<String, Cache>,
    /// Addresses of its web pages that the performance cycle looks at, with all that they load: `https`, or `http` to this machine. At
    /// most ten. They are asked for as anybody could, without cookies.
    pub pages: Vec<String>,
    /// The AWS account that it lives in; one. Default: that of the deployment. Another one needs `infra/member.yaml` there.
    pub accounts: Vec<String>,
    /// The AWS Region that it lives in; one. Default: that of the deployment. Alarms of another one need `infra/member.yaml` there.
    pub regions: Vec<String>,
}

impl Application {
    /// What it has in common with `defaults`.
    pub fn common(&self) -> Common {
        Common {
            mode: self.mode.clone(),
            objectives: self.objectives.clone(),
            limits: self.limits.clone(),
            approval: self.approval.clone(),
            health: self.health.clone(),
            cost: self.cost.clone(),
            performance: self.performance.clone(),
            protected: self.protected.clone(),
            freeze: self.freeze.clone(),
            surges: self.surges.clone(),
            change_calendars: self.change_calendars.clone(),
            time_zone: self.time_zone.clone(),
        }
    }
}

/// Which resources belong to an application by tag.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Select {
    /// A resource must have all of these tags; the value `*` stands for any value.
    pub tags: BTreeMap<String, String>,
}

/// A time in which nothing is changed: every week between two times of day, or once between two moments.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Freeze {
    /// What a refused change names as the reason, for example `sale`.
    pub name: String,
    /// Days on which it begins. Without: every day. Only with times of day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Time of day as `22:00`, or a moment as `2026-11-27` or `2026-11-27T18:00`.
    pub from: String,
    /// Time of day up to `24:00` (before `from`: on the next day), or a moment; a date means until the end of that day.
    pub to: String,
    /// Name of the time zone, for example `Europe/Berlin`. Default `UTC`.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A surge of load that is announced, such as a sale or a broadcast. It happens once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Surge {
    /// What a refused change names as the reason, for example `sale`.
    pub name: String,
    /// When it begins: a moment as `2026-11-27` or `2026-11-27T18:00`.
    pub from: String,
    /// When it ends: a moment; a date means until the end of that day.
    pub to: String,
    /// Name of the time zone, for example `Europe/Berlin`. Default `UTC`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Hours before its beginning from which nothing is made smaller, up to 168. Default 72: what was prepared for it stays.
    #[serde(default)]
    pub lead_h: Option<u32>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(missing_docs, reason = "the names say it; a text for each would only clutter the schema")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A metric of the application's own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    /// What it is called in findings and reports, for example `checkout_errors`.
    pub name: String,
    /// CloudWatch namespace.
    pub namespace: String,
    /// CloudWatch metric name.
    pub metric: String,
    /// Its dimensions, all of them.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// Statistic: `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount` or a percentile such as `p95`. Default `Average`.
    #[serde(default)]
    pub stat: Option<String>,
    /// Level that is still good.
    pub good: f64,
    /// Level that is as bad as it gets; below `good` where higher is better.
    pub bad: f64,
}

/// Smallest and largest number of tasks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Smallest number of tasks, at least 1.
    pub min: u32,
    /// Largest number of tasks.
    pub max: u32,
}

/// One mode for everything, or one for each risk class and kind of change.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum ModeSetting {
    /// Holds for every change.
    All(Mode),
    /// Keys are risk classes and kinds of changes; the kind goes first.
    Each(BTreeMap<String, Mode>),
}

/// The risk classes as keys of a [`ModeSetting`].
pub(crate) const RISKS: [(&str, domain::mode::Risk, &str); 3] = [
    ("low", domain::mode::Risk::Low, "Changes that are undone at once and that no user notices."),
    ("medium", domain::mode::Risk::Medium, "Changes that users may notice for minutes."),
    ("high", domain::mode::Risk::High, "Changes under which data, money or availability may suffer for longer."),
];

impl JsonSchema for ModeSetting {
    fn schema_name() -> Cow<'static, str> {
        "ModeSetting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mode = generator.subschema_for::<Mode>();
        let mut properties = serde_json::Map::new();
        let mut key = |name: &str, about: String| {
            let mut one = mode.clone();
            one.insert("description".to_owned(), Value::String(about));
            properties.insert(name.to_owned(), one.to_value());
        };
        for (name, _, about) in RISKS {
            key(name, about.to_owned());
        }
        for change in domain::changes::TABLE {
            key(change.name, format!("Changes of this kind, whatever their risk ({}).", change.risk));
        }
        json_schema!({
            "description": "One mode for everything, or one for each risk class and kind of change.",
            "anyOf": [mode, {"type": "object", "properties": properties, "additionalProperties": false}]
        })
    }
}
