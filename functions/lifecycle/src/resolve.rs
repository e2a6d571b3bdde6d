//! resolve: which applications a run is for. One: this execution cares for it. Several: one child execution each.

use crate::names::execution_name;
use crate::silence;
use config::Config;
use config::input::Input;
use domain::cost::rest::{REST, is_rest, rest_of};
use domain::execution::Cycle;
use domain::ids::AppId;
use domain::mode::Mode;
use domain::place::Place;
use engine::ports::{Clock, Inventory, Notifier, Watch};
use engine::step::StepError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the state machine hands over.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The input of the execution, as a person, a schedule or dispatch gave it.
    pub input: Value,
    /// The cycle whose state machine asks.
    #[serde(default)]
    pub cycle: Cycle,
    /// It asks for other places to look through, not for applications.
    #[serde(default)]
    pub other_places: bool,
    /// ARN of the execution.
    pub execution_arn: String,
    /// Name of the execution.
    pub execution_name: String,
}

/// What the state machine does next.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Answer {
    /// This execution cares for one application.
    One {
        /// Input of begin.
        run: Start,
    },
    /// A child execution for each.
    Many {
        /// Children.
        targets: Vec<Target>,
    },
    /// There is no application yet.
    None {
        /// What to do about it, one sentence.
        why: String,
    },
}

/// Input of begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Application.
    pub app: AppId,
    /// Cycle.
    #[serde(default)]
    pub cycle: Cycle,
    /// Run.
    pub execution_id: String,
    /// ARN of the execution.
    pub execution_arn: String,
    /// Mode asked for by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// A person closes the circuit breaker of the application.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub close_circuit: bool,
    /// What started it, in words.
    pub trigger: String,
    /// Names of the alarms that started it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
    /// Alarm episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<String>,
}

/// A child execution.
#[derive(Debug, PartialEq, Serialize)]
pub struct Target {
    /// Its name: the same when this step is repeated.
    pub name: String,
    /// Its input.
    pub input: Value,
}

/// What resolve needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Tags.
    pub inventory: &'a dyn Inventory,
    /// Who was looked at when.
    pub watch: &'a dyn Watch,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
    /// Seconds after which an application that no run has looked after is silent.
    pub silence_s: u32,
}

/// Resolves the input. Where it means all applications, people hear of those that earlier rounds have left out.
///
/// # Errors
/// [`StepError::Config`] with one sentence when the input is not understood or names an application that nobody knows.
pub async fn resolve(request: Request, config: &Config, world: &World<'_>) -> Result<Answer, StepError> {
    let input = Input::parse(&request.input).map_err(|error| StepError::Config(error.to_string()))?;
    let home = Place::of_arn(&request.execution_arn);
    if let Some(home) = &home {
        config.check_home(home).map_err(|error| StepError::Config(error.to_string()))?;
    }
    let others: Vec<AppId> =
        home.iter().flat_map(|home| config.other_places(home)).map(|place| rest_of(&place)).collect();
    if request.other_places {
        return other_places(others, &input, &request);
    }
    let mut known = config.apps();
    // A configured application is known without asking AWS, and the rest of a place; only an unknown name or "all" needs the tags.
    if input.apps.is_empty() || input.apps.iter().any(|app| !known.contains(app) && !is_rest(app)) {
        known.extend(world.inventory.tagged_apps().await?);
    }
    // What belongs to no application costs money, but has no health.
    known.retain(|app| !is_rest(app));
    if request.cycle == Cycle::Cost {
        known.push(AppId::from(REST));
    }
    if request.cycle == Cycle::Performance && input.apps.is_empty() {
        // It looks after databases, caches and pages; one that has none is refused only when it is named.
        known.retain(|app| config.resolve_any(app).is_profiled());
    }
    known.sort();
    known.dedup();
    // Those of other places have a round of their own, and can be looked at one by one.
    let named = if request.cycle == Cycle::Cost { [&known[..], &others[..]].concat() } else { known.clone() };
    input.check_known(&named).map_err(|error| StepError::Config(error.to_string()))?;
    // Only a round of the health cycle is a look at every application.
    if input.apps.is_empty() && request.cycle == Cycle::Health {
        let World { clock, watch, notifier, silence_s: limit_s, .. } = *world;
        let watchman = silence::World { clock, watch, notifier, limit_s };
        // Whoever can't be told of neglected applications must not keep the others from being looked after.
        if let Err(error) = silence::round(&known, &request.execution_arn, &watchman).await {
            tracing::error!("the watch over silent applications failed: {error}");
        }
    }
    let apps = if input.apps.is_empty() { known } else { input.apps.clone() };
    match apps.as_slice() {
        [] if request.cycle == Cycle::Performance => Ok(Answer::None {
            why: "there is no database, no cache and no page to look after: name one under applications.<name>.databases, .caches or .pages \
                  in maintainer.yaml"
                .to_owned(),
        }),
        [] => Ok(Answer::None {
            why: format!(
                "there is no application to care for: tag resources with {}=<name>, or list them in maintainer.yaml",
                domain::resource::APP_TAG
            ),
        }),
        [app] => Ok(Answer::One {
            run: Start {
                app: app.clone(),
                cycle: request.cycle,
                execution_id: request.execution_name,
                execution_arn: request.execution_arn,
                mode: input.mode,
                close_circuit: input.close_circuit,
                trigger: input.words(),
                alarms: input.alarms,
                episode: input.episode,
            },
        }),
        several => Ok(Answer::Many { targets: several.iter().map(|app| child(app, &input, &request)).collect() }),
    }
}

/// One child for every other place, or for those of them that are asked for.
fn other_places(others: Vec<AppId>, input: &Input, request: &Request) -> Result<Answer, StepError> {
    input.check_known(&others).map_err(|error| StepError::Config(error.to_string()))?;
    let wanted = if input.apps.is_empty() { others } else { input.apps.clone() };
    if wanted.is_empty() {
        let why =
            "there is no other place to look through: name accounts or regions under other_places in maintainer.yaml";
        return Ok(Answer::None { why: why.to_owned() });
    }
    Ok(Answer::Many { targets: wanted.iter().map(|app| child(app, input, request)).collect() })
}

fn child(app: &AppId, input: &Input, request: &Request) -> Target {
    let mut body = json!({"app": app, "trigger": input.trigger});
    if let (Some(mode), Some(fields)) = (input.mode, body.as_object_mut()) {
        fields.insert("mode".to_owned(), json!(mode));
    }
    if let (true, Some(fields)) = (input.close_circuit, body.as_object_mut()) {
        fields.insert("circuit".to_owned(), json!("close"));
    }
    Target { name: execution_name(&[&request.cycle.to_string(), app.as_str(), &request.execution_name]), input: body }
}
