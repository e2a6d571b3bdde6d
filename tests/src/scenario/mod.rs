//! Scenarios: files that say what an application is, what goes wrong, and what must hold at the end.
//!
//! Parses and checks; plays nothing. The format is documented in `docs/scenarios.md`.

mod expect;
mod parse;

pub use expect::{Bounds, Expect, ExpectedStatus, Range, WorldExpect};
pub use parse::{ScenarioError, load, parse};

use crate::model::{Event, Happening, Params};
use domain::approval::Via;
use domain::execution::Cycle;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, the same as its file's.
    pub name: String,
    /// What it shows, one or two sentences.
    pub about: String,
    /// Its applications by name.
    pub apps: BTreeMap<String, AppScenario>,
    /// What starts the maintainer.
    #[serde(default)]
    pub trigger: Trigger,
    /// Steps of the cycle that are killed in the middle of their work.
    #[serde(default)]
    pub kill: Option<Kill>,
    /// A person who stops the first run in the console.
    #[serde(default)]
    pub stop: Option<Stop>,
    /// A person who turns the kill switch on over the first change, and off again.
    #[serde(default)]
    pub kill_switch: Option<KillSwitch>,
    /// A person who orders the rollback of the first run after its end.
    #[serde(default)]
    pub rollback: Option<Rollback>,
    /// Who answers the questions of the maintainer.
    #[serde(default)]
    pub person: Option<Person>,
    /// Virtual minutes after which the scenario has failed.
    pub time_limit_min: f64,
}

/// One application of a scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppScenario {
    /// Seed of its noise.
    #[serde(default)]
    pub seed: u64,
    /// Its sizes and laws.
    #[serde(default)]
    pub sizes: Params,
    /// What goes wrong and when.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Earlier weeks of which CloudWatch still has the same minutes, at most two: an ordinary life with the events that are weekly.
    #[serde(default)]
    pub past_weeks: u32,
    /// Disks of its own beside the model: the maintainer sees and pays for them, nothing of the model depends on them.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Fleets of its own beside the model, on the same terms.
    #[serde(default)]
    pub fleets: Vec<Fleet>,
    /// Change calendars of Systems Manager.
    #[serde(default)]
    pub calendars: Vec<Calendar>,
    /// A real Postgres with orders, that its pages ask; none without.
    #[serde(default)]
    pub postgres: Option<Postgres>,
    /// The performance cycle looks at its cache, and at a page of it that is served badly.
    #[serde(default)]
    pub profiled: Option<Profiled>,
    /// Its part of `maintainer.yaml`: the mapping that stands under its name in `apps`.
    #[serde(default = "nothing")]
    pub config: Value,
    /// Where it lives the maintainer is not let in: `infra/member.yaml` is not deployed there.
    #[serde(default)]
    pub closed: bool,
    /// What must hold at the end.
    pub expect: Expect,
}

/// A Postgres of an application, with orders and an index on their customers. Its pages ask it all the time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Orders.
    pub orders: u32,
    /// Minute at which a release drops the index.
    #[serde(default)]
    pub index_lost_at_min: Option<f64>,
    /// Its port, chosen when the scenario is made ready.
    #[serde(skip)]
    pub port: u16,
}

/// What the performance cycle looks at besides the database.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiled {
    /// Port of its cache, chosen when the scenario is made ready.
    #[serde(skip)]
    pub cache_port: u16,
    /// Port of its page, chosen at the same time.
    #[serde(skip)]
    pub page_port: u16,
}

/// An EBS volume of an application.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Value of its tag `Name`.
    pub name: String,
    /// `gp2`, `gp3` …
    #[serde(rename = "type")]
    pub volume_type: String,
    /// Size in GiB.
    pub size_gib: i32,
    /// It is attached to a machine of its own; else to nothing.
    #[serde(default)]
    pub attached: bool,
}

/// A change calendar that is open but for one event, which has begun.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name behind that of the application: `sale` is the calendar `shop-sale`.
    pub name: String,
    /// Virtual minutes until it opens; below 0 it has opened already.
    pub closed_for_min: f64,
}

/// An Auto Scaling group of an application.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Its name behind that of the application: `qa` is the group `shop-qa`.
    pub name: String,
    /// Its size.
    pub size: i32,
    /// Its tags besides that of the application.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// For thirty days it was busy from Monday to Friday, 14:00 to 22:00 UTC, and idle else. Without it nothing is known of it.
    #[serde(default)]
    pub office_hours: bool,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// What starts the maintainer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// The application's own alarms, when they go off.
    #[default]
    Alarm,
    /// A person starts the state machine with this input.
    Manual {
        /// When, in virtual minutes from the start.
        at_min: f64,
        /// The input of the execution.
        input: Value,
        /// The cycle whose state machine it is; health unless said otherwise.
        #[serde(default)]
        cycle: Cycle,
    },
    /// Nothing that the alarms say arrives; all applications are looked at when the schedule's round comes.
    Schedule {
        /// When, in virtual minutes from the start.
        at_min: f64,
    },
}

/// Who answers the questions of the maintainer. Without one, nobody does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What they say.
    pub says: Says,
    /// Virtual minutes until they answer.
    pub after_min: f64,
    /// The way in which they do: by the link in the message unless said otherwise.
    #[serde(default = "by_link")]
    pub via: Via,
}

fn by_link() -> Via {
    Via::Link
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// All of it may be done.
    Yes,
    /// None of it.
    No,
}

/// Steps that are killed in the middle of their work, as by a crash of their machine, each once.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// A step, for example `optimize`, that is killed as soon as the intent of its first change is in the journal and before
    /// it can have written the result.
    #[serde(default)]
    pub step: Option<String>,
    /// Steps that are killed at their first calls of AWS, whatever the journal says.
    #[serde(default)]
    pub at_work: Vec<String>,
}

/// Somebody stops the run in the console as soon as a change of it has been made, and starts another one later.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Virtual minutes until they start the next run by hand.
    pub again_after_min: f64,
}

/// Somebody turns the kill switch on as soon as a change has been made. When that run has ended, they turn it off and start the next
/// one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillSwitch {
    /// Virtual minutes after the end of the run.
    pub off_after_min: f64,
}

/// Somebody orders the rollback of the first run that has changed something, some time after its end.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Virtual minutes after the end of the run.
    pub after_min: f64,
}

impl Scenario {
    /// The same scenario with every application called `<name>-<suffix>`, so that several can share a cloud.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut renamed = self.clone();
        renamed.apps = self
            .apps
            .iter()
            .map(|(name, app)| {
                let mut app = app.clone();
                self.rename(&mut app.config, suffix);
                (self.renamed(name, suffix), app)
            })
            .collect();
        if let Trigger::Manual { input, .. } = &mut renamed.trigger {
            self.rename(input, suffix);
        }
        renamed
    }

    /// The same with ports for its databases, caches and pages, under which the configuration names them.
    #[must_use]
    pub fn with_ports(mut self, free_port: impl Fn() -> u16) -> Self {
        for app in self.apps.values_mut() {
            if let (Some(profiled), Value::Object(config)) = (&mut app.profiled, &mut app.config) {
                (profiled.cache_port, profiled.page_port) = (free_port(), free_port());
                let cache = serde_json::json!({"host": "127.0.0.1", "port": profiled.cache_port, "tls": "off"});
                config.insert("caches".to_owned(), serde_json::json!({"carts": cache}));
                let page = format!("http://127.0.0.1:{}/", profiled.page_port);
                config.insert("pages".to_owned(), serde_json::json!([page]));
            }
            let Some(postgres) = &mut app.postgres else { continue };
            postgres.port = free_port();
            if let Value::Object(config) = &mut app.config {
                let databases = serde_json::json!({"orders": {
                    "host": "127.0.0.1", "port": postgres.port, "database": "shop", "tls": "off",
                    "read_secret": crate::studio::postgres::READ_SECRET,
                    "change_secret": crate::studio::postgres::CHANGE_SECRET,
                }});
                config.insert("databases".to_owned(), databases);
            }
        }
        self
    }

    /// The name of an application, or one that begins with it (`shop-worker`), with the suffix in its place.
    fn renamed(&self, text: &str, suffix: &str) -> String {
        let owner = self
            .apps
            .keys()
            .find(|app| text.strip_prefix(app.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
        owner.map_or_else(|| text.to_owned(), |app| format!("{app}-{suffix}{}", &text[app.len()..]))
    }

    fn rename(&self, value: &mut Value, suffix: &str) {
        match value {
            Value::String(text) => *text = self.renamed(text, suffix),
            Value::Array(values) => values.iter_mut().for_each(|value| self.rename(value, suffix)),
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(key, mut value)| {
                    self.rename(&mut value, suffix);
                    (self.renamed(&key, suffix), value)
                }));
            }
            _ => {}
        }
    }
}

/// Where a part of `maintainer.yaml` says that its application lives: account and Region, as far as it says so.
pub type Home<'a> = (Option<&'a str>, Option<&'a str>);

impl AppScenario {
    /// Where it lives; both are `None` for the place of the deployment.
    pub fn home(&self) -> Home<'_> {
        let first = |key: &str| self.config.get(key)?.get(0)?.as_str();
        (first("accounts"), first("regions"))
    }

    /// Virtual minute at which its last event is over; events for good are over when they have begun.
    pub fn events_over_min(&self) -> f64 {
        self.events.iter().map(|event| event.at_min + event.for_min.unwrap_or(0.0)).fold(0.0, f64::max)
    }

    /// What happens at this time of every week.
    pub fn weekly_events(&self) -> Vec<Event> {
        self.events.iter().filter(|event| event.weekly).cloned().collect()
    }

    /// Number of extra alarms that the application needs for its storms.
    pub fn storm_alarms(&self) -> u32 {
        let sizes = self.events.iter().filter_map(|event| match event.happens {
            Happening::AlarmStorm { alarms } => Some(alarms),
            _ => None,
        });
        sizes.max().unwrap_or(0)
    }
}
