//! Reads a scenario and refuses what is not meant: unknown keys, contradictions, names that AWS would not take.

use super::{ExpectedStatus, Scenario, Trigger};
use crate::model::{Event, Happening};
use std::path::Path;
use thiserror::Error;

/// Why a file is not a scenario. One sentence with the place.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file can't be read.
    #[error("scenario {path} can't be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// It is not YAML, or has keys or values that no scenario has.
    #[error("scenario {path}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and where.
        why: String,
    },
    /// It contradicts itself.
    #[error("scenario {path}, {place}: {why}")]
    Contradiction {
        /// The file.
        path: String,
        /// The key.
        place: String,
        /// What is wrong.
        why: String,
    },
}

/// Longest name of an application: target groups take 32 characters, and a suffix must fit.
const APP_NAME_MAX: usize = 12;

/// Reads a scenario file.
///
/// # Errors
/// When it can't be read or is not a scenario.
pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ScenarioError::Unreadable { path: shown.clone(), why: error.to_string() })?;
    let scenario = parse(&text, &shown)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if scenario.name != stem {
        let why = format!("it is \"{}\", but the file is called {stem}: make them the same", scenario.name);
        return Err(ScenarioError::Contradiction { path: shown, place: "name".to_owned(), why });
    }
    Ok(scenario)
}

/// Parses and checks the text of a scenario; `path` is for the messages.
///
/// # Errors
/// When it is not a scenario.
pub fn parse(text: &str, path: &str) -> Result<Scenario, ScenarioError> {
    let scenario: Scenario = serde_saphyr::from_str(text)
        .map_err(|error| ScenarioError::Malformed { path: path.to_owned(), why: error.to_string() })?;
    check(&scenario).map_err(|(place, why)| ScenarioError::Contradiction { path: path.to_owned(), place, why })?;
    Ok(scenario)
}

type Check = Result<(), (String, String)>;

fn check(scenario: &Scenario) -> Check {
    if scenario.apps.is_empty() {
        return refuse("apps", "a scenario needs an application");
    }
    if !(scenario.time_limit_min > 0.0 && scenario.time_limit_min <= 1_440.0) {
        return refuse("time_limit_min", "it must be above 0 and at most 1,440 (a day)");
    }
    if matches!(&scenario.trigger, Trigger::Manual { at_min, .. } | Trigger::Schedule { at_min } if *at_min < 0.0) {
        return refuse("trigger", "nothing can start the maintainer before the scenario begins");
    }
    if scenario.stop.as_ref().is_some_and(|stop| stop.again_after_min <= 0.0) {
        return refuse("stop.again_after_min", "it must be above 0");
    }
    if scenario.kill_switch.as_ref().is_some_and(|switch| switch.off_after_min <= 0.0) {
        return refuse("kill_switch.off_after_min", "it must be above 0");
    }
    if scenario.rollback.as_ref().is_some_and(|rollback| rollback.after_min <= 0.0) {
        return refuse("rollback.after_min", "it must be above 0");
    }
    for (name, app) in &scenario.apps {
        let valid = name.len() <= APP_NAME_MAX
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !valid {
            let why =
                format!("\"{name}\" must be {APP_NAME_MAX} lower-case letters and digits at most, a letter first");
            return refuse("apps", &why);
        }
        let web = &app.sizes.web;
        if !(web.min <= web.servers && web.servers <= web.max && web.min > 0) {
            let why = format!("min {} ≤ servers {} ≤ max {} must hold, from 1", web.min, web.servers, web.max);
            return refuse(&format!("apps.{name}.sizes.web"), &why);
        }
        if app.expect.status == ExpectedStatus::None && !app.expect.changes.is_empty() {
            return refuse(&format!("apps.{name}.expect.changes"), "without a run there are no changes to expect");
        }
        if !app.config.is_object() {
            return refuse(
                &format!("apps.{name}.config"),
                "it must be a mapping, as under the application's name in maintainer.yaml",
            );
        }
        if app.past_weeks > 2 {
            let why = "at most 2: CloudWatch keeps values by the minute for 15 days";
            return refuse(&format!("apps.{name}.past_weeks"), why);
        }
        if app.past_weeks == 0 && app.events.iter().any(|event| event.weekly) {
            let why = "without earlier weeks no event can be weekly";
            return refuse(&format!("apps.{name}.past_weeks"), why);
        }
        for (index, event) in app.events.iter().enumerate() {
            check_event(event).map_err(|why| (format!("apps.{name}.events[{index}]"), why))?;
        }
    }
    Ok(())
}

fn check_event(event: &Event) -> Result<(), String> {
    let real = matches!(event.happens, Happening::PoisonCache {} | Happening::AlarmStorm { .. });
    if real && event.at_min < 0.0 {
        return Err("it happens to the real cloud and can't lie in the history: at_min must be 0 or more".to_owned());
    }
    if real && event.weekly {
        return Err("it happens to the real cloud and did not happen in earlier weeks: it can't be weekly".to_owned());
    }
    if event.for_min.is_some_and(|for_min| for_min <= 0.0) {
        return Err("for_min must be above 0".to_owned());
    }
    let factor = match &event.happens {
        Happening::Load { factor, .. } | Happening::Sawtooth { factor, .. } | Happening::Messages { factor } => *factor,
        Happening::Database { capacity_factor, contention_factor } => capacity_factor.min(*contention_factor),
        Happening::SickInstance { slowdown, .. } => *slowdown,
        _ => 1.0,
    };
    if let Happening::ColdKeys { share } = event.happens
        && !(0.0..=1.0).contains(&share)
    {
        return Err(format!("a share lies between 0 and 1, not at {share}"));
    }
    if factor > 0.0 { Ok(()) } else { Err(format!("a factor must be above 0, not {factor}")) }
}

fn refuse(place: &str, why: &str) -> Check {
    Err((place.to_owned(), why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::change::ChangeKind;

    const SHORT: &str = "
name: short
about: The shortest one.
time_limit_min: 60
apps:
  shop:
    events:
      - at_min: 5
        happens: {load: {factor: 2.1, over_min: 3}}
    expect:
      status: completed
      changes: {set_fleet_capacity: {at_least: 1}}
";

    fn refusal(from: &str, to: &str) -> String {
        assert!(SHORT.contains(from));
        parse(&SHORT.replace(from, to), "x.yaml").unwrap_err().to_string()
    }

    #[test]
    fn the_shortest_scenario_has_defaults_for_everything_else() {
        let scenario = parse(SHORT, "short.yaml").unwrap();
        let shop = &scenario.apps["shop"];
        assert_eq!(shop.sizes.web.servers, 4);
        assert_eq!(scenario.trigger, Trigger::Alarm);
        assert_eq!(shop.expect.changes[&ChangeKind::SetFleetCapacity].at_least, Some(1));
    }

    #[test]
    fn refuses_what_is_not_meant_and_says_where() {
        let unknown = refusal("status: completed", "staus: completed");
        assert!(unknown.contains("staus") && unknown.contains("11"), "{unknown}");
        assert!(refusal("factor: 2.1", "facter: 2.1").contains("facter"));
        assert!(refusal("set_fleet_capacity", "set_fleet_kapacity").contains("set_fleet_kapacity"));
        assert!(refusal("factor: 2.1", "factor: -1").contains("events[0]"));
        assert!(refusal("shop", "Shop!").contains("lower-case"));
        assert!(refusal("status: completed", "status: none").contains("without a run"));
        assert!(refusal("time_limit_min: 60", "time_limit_min: 0").contains("time_limit_min"));
        assert!(refusal("at_min: 5", "at_min: 5\n        weekly: true").contains("no event can be weekly"));
        assert!(refusal("    events:", "    past_weeks: 3\n    events:").contains("15 days"));
        let cold = refusal("{load: {factor: 2.1, over_min: 3}}", "{cold_keys: {share: 1.5}}");
        assert!(cold.contains("between 0 and 1"), "{cold}");
    }

    #[test]
    fn a_suffix_renames_applications_everywhere() {
        let text = SHORT
            .replace("time_limit_min: 60", "time_limit_min: 60\ntrigger: {manual: {at_min: 1, input: {app: shop}}}");
        let renamed = parse(&text, "x").unwrap().with_suffix("a1");
        assert!(renamed.apps.contains_key("shop-a1"));
        let text =
            SHORT.replace("    expect:", "    config: {capacity: {shop-worker: {max: 4}, shopping: {}}}\n    expect:");
        let config = &parse(&text, "x").unwrap().with_suffix("a1").apps["shop-a1"].config;
        assert_eq!(*config, serde_json::json!({"capacity": {"shop-a1-worker": {"max": 4}, "shopping": {}}}));
        assert_eq!(
            renamed.trigger,
            Trigger::Manual { at_min: 1.0, input: serde_json::json!({"app": "shop-a1"}), cycle: Default::default() }
        );
    }

    #[test]
    fn every_scenario_of_the_product_is_one() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 13, "{files:?}");
        for file in files {
            load(&file).unwrap();
        }
    }
}
