//! The input of a run: what a person types in the console, a schedule sends, or dispatch passes on.
//!
//! Typed, and unknown keys are refused: a typo must not become a run over all applications. Looks nothing up.

use crate::nearest::{hint, nearest, one_of, quoted};
use domain::ids::AppId;
use domain::mode::Mode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// Largest input in bytes: a quarter of what Step Functions passes on.
const INPUT_BYTES_MAX: usize = 65_536;
/// The same for a run that answers alarms: a storm of a thousand of them must not be refused for its size.
const ALARM_BYTES_MAX: usize = 245_760;
/// Most applications that are listed.
const APPS_MAX: usize = 1_000;
/// Most alarms that are listed.
const ALARMS_MAX: usize = 10_000;
/// Longest name.
const NAME_CHARS_MAX: usize = 255;
/// Alarms that are named in words.
const ALARMS_NAMED_MAX: usize = 3;
/// Keys that mean something.
const KEYS: [&str; 7] = ["app", "mode", "circuit", "trigger", "scheduled_at", "alarms", "episode"];
/// Keys that the console and Step Functions add by themselves; they mean nothing here.
const IGNORED: [&str; 3] = ["Comment", "comment", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"];

/// What a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Applications, each once, in the given order; empty stands for all.
    pub apps: Vec<AppId>,
    /// Mode asked for; it can only make the run more careful.
    pub mode: Option<Mode>,
    /// Close the circuit breaker of the named applications: what was undone before no longer counts.
    pub close_circuit: bool,
    /// What started the run.
    pub trigger: Trigger,
    /// The moment that the schedule meant.
    pub scheduled_at: Option<Timestamp>,
    /// Names of the alarms that the run answers.
    pub alarms: Vec<String>,
    /// Alarm episode that the run answers.
    pub episode: Option<String>,
}

/// What starts a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person.
    #[default]
    Manual,
    /// A schedule.
    Schedule,
    /// One or more alarms.
    Alarm,
}

/// An input that is refused, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputError {
    /// Too large to be meant.
    #[error("the input has {bytes} bytes, but {max} are the most that is read; {{\"app\": \"shop\"}} is enough")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is read at most.
        max: usize,
    },
    /// Not JSON.
    #[error("the input is not JSON ({why}); write {{}} for all applications or {{\"app\": \"shop\"}} for one")]
    NotJson {
        /// What the parser says.
        why: String,
    },
    /// JSON, but no object.
    #[error("the input must be an object such as {{}} or {{\"app\": \"shop\"}}, not {found}")]
    NotAnObject {
        /// What it is.
        found: String,
    },
    /// A key that means nothing.
    #[error("unknown key {key}: {hint}")]
    UnknownKey {
        /// The key, quoted.
        key: String,
        /// What was meant, or what there is.
        hint: String,
    },
    /// A value that can't be meant.
    #[error("\"{key}\" must be {expected}, not {found}")]
    WrongValue {
        /// Its key.
        key: &'static str,
        /// What would be right.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An application that nobody knows.
    #[error("no application is called {app}: {hint}")]
    UnknownApp {
        /// Its name, quoted.
        app: String,
        /// What was meant, or what there is.
        hint: String,
    },
}

impl Input {
    /// Reads an input.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, InputError> {
        let bytes = value.to_string().len();
        let is_alarm = value.get("trigger").and_then(Value::as_str) == Some("alarm");
        let max = if is_alarm { ALARM_BYTES_MAX } else { INPUT_BYTES_MAX };
        if bytes > max {
            return Err(InputError::TooLarge { bytes, max });
        }
        let Value::Object(fields) = value else { return Err(InputError::NotAnObject { found: words(value) }) };
        for key in fields.keys() {
            let name = key.as_str();
            if !KEYS.contains(&name) && !IGNORED.contains(&name) {
                return Err(InputError::UnknownKey { key: quoted(name), hint: hint(name, KEYS) });
            }
        }
        let apps = apps(fields)?;
        Ok(Self {
            close_circuit: circuit(fields, &apps)?,
            apps,
            mode: word(fields, "mode", &["observe", "approve", "auto"])?,
            trigger: word(fields, "trigger", &["manual", "schedule", "alarm"])?.unwrap_or_default(),
            scheduled_at: moment(fields)?,
            alarms: fields
                .get("alarms")
                .map_or(Ok(Vec::new()), |alarms| names("alarms", alarms, ALARMS_MAX, "alarm names"))?,
            episode: fields.get("episode").map(|episode| name("episode", episode)).transpose()?,
        })
    }

    /// Reads an input that comes as text.
    ///
    /// # Errors
    /// As [`Input::parse`], and when it is not JSON.
    pub fn parse_text(text: &str) -> Result<Self, InputError> {
        if text.len() > ALARM_BYTES_MAX {
            return Err(InputError::TooLarge { bytes: text.len(), max: ALARM_BYTES_MAX });
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => Self::parse(&value),
            Err(_) if text.trim().is_empty() => Err(InputError::NotJson { why: "it is empty".to_owned() }),
            Err(error) => Err(InputError::NotJson { why: error.to_string() }),
        }
    }

    /// Refuses an application that is not among the known ones.
    ///
    /// # Errors
    /// The first one that nobody knows, with the name that was probably meant.
    pub fn check_known(&self, known: &[AppId]) -> Result<(), InputError> {
        let Some(unknown) = self.apps.iter().find(|app| !known.contains(app)) else { return Ok(()) };
        let mut names: Vec<&str> = known.iter().map(AppId::as_str).collect();
        names.sort_unstable();
        let hint = match (nearest(unknown.as_str(), names.iter().copied()), names.as_slice()) {
            (Some(meant), _) => format!("did you mean \"{meant}\"?"),
            (None, []) => {
                format!("none is known yet, so tag its resources with {}=<name>", domain::resource::APP_TAG)
            }
            (None, names) => format!("known is {}", one_of(names)),
        };
        Err(InputError::UnknownApp { app: quoted(unknown.as_str()), hint })
    }

    /// What started the run, in words.
    pub fn words(&self) -> String {
        match self.trigger {
            Trigger::Manual if self.close_circuit => "started by hand, which closes the circuit breaker".to_owned(),
            Trigger::Manual => "started by hand".to_owned(),
            Trigger::Schedule => match self.scheduled_at {
                Some(at) => format!("started by the schedule of {at}"),
                None => "started by the schedule".to_owned(),
            },
            Trigger::Alarm => match self.alarms.as_slice() {
                [] => "started by an alarm".to_owned(),
                [only] => format!("started by alarm {only}"),
                several => {
                    let named = several.iter().take(ALARMS_NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
                    match several.len().saturating_sub(ALARMS_NAMED_MAX) {
                        0 => format!("started by {} alarms: {named}", several.len()),
                        more => format!("started by {} alarms: {named} and {more} more", several.len()),
                    }
                }
            },
        }
    }
}

fn apps(fields: &Map<String, Value>) -> Result<Vec<AppId>, InputError> {
    let Some(value) = fields.get("app") else { return Ok(Vec::new()) };
    let names = match value {
        // An empty list would read as "all": whoever wrote it did not mean that.
        Value::Array(items) if items.is_empty() => return Err(wrong("app", "a name or a list of names", value)),
        Value::Array(_) => names("app", value, APPS_MAX, "application names")?,
        one => vec![name("app", one)?],
    };
    let mut apps: Vec<AppId> = Vec::new();
    for app in names.into_iter().map(AppId::new) {
        if !apps.contains(&app) {
            apps.push(app);
        }
    }
    Ok(apps)
}

fn names(key: &'static str, value: &Value, max: usize, of: &str) -> Result<Vec<String>, InputError> {
    match value {
        Value::Array(items) if items.len() <= max => items.iter().map(|item| name(key, item)).collect(),
        Value::Array(items) => {
            let expected = format!("a list of at most {max} {of}");
            Err(InputError::WrongValue { key, expected, found: format!("one of {}", items.len()) })
        }
        other => Err(wrong(key, &format!("a list of {of}"), other)),
    }
}

fn name(key: &'static str, value: &Value) -> Result<String, InputError> {
    let expected = if key == "app" { "a name or a list of names" } else { "a name" };
    match value {
        Value::String(text) if text.trim().is_empty() => Err(wrong(key, expected, value)),
        Value::String(text) if text.chars().count() > NAME_CHARS_MAX => {
            Err(wrong(key, &format!("a name of at most {NAME_CHARS_MAX} characters"), value))
        }
        Value::String(text) => Ok(text.trim().to_owned()),
        other => Err(wrong(key, expected, other)),
    }
}

fn word<T: for<'de> Deserialize<'de>>(
    fields: &Map<String, Value>,
    key: &'static str,
    choices: &[&str],
) -> Result<Option<T>, InputError> {
    let Some(value) = fields.get(key) else { return Ok(None) };
    T::deserialize(value).map(Some).map_err(|_| wrong(key, &one_of(choices), value))
}

/// Only for applications that are named: a circuit breaker is not closed by the way.
fn circuit(fields: &Map<String, Value>, apps: &[AppId]) -> Result<bool, InputError> {
    match fields.get("circuit") {
        None => Ok(false),
        Some(Value::String(word)) if word == "close" && !apps.is_empty() => Ok(true),
        Some(Value::String(word)) if word == "close" => {
            Err(wrong("app", "named where \"circuit\" is \"close\"", &Value::Null))
        }
        Some(other) => Err(wrong("circuit", "\"close\"", other)),
    }
}

fn moment(fields: &Map<String, Value>) -> Result<Option<Timestamp>, InputError> {
    let Some(value) = fields.get("scheduled_at") else { return Ok(None) };
    let at = value.as_str().and_then(|text| text.parse().ok());
    at.map(Some).ok_or_else(|| wrong("scheduled_at", "a moment such as \"2026-11-24T12:00:00Z\"", value))
}

fn wrong(key: &'static str, expected: &str, found: &Value) -> InputError {
    InputError::WrongValue { key, expected: expected.to_owned(), found: words(found) }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => quoted(text),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests;
