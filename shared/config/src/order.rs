//! The input of `rollback` and `explain`: which run or which change a person means.
//!
//! Typed, and unknown keys are refused with what was meant. Looks nothing up.

use crate::nearest::{hint, quoted};
use domain::ids::{AppId, ChangeId, ExecutionId};
use domain::mode::Mode;
use serde_json::{Map, Value};
use thiserror::Error;

/// Longest name that is read.
const NAME_CHARS_MAX: usize = 512;
/// Longest remark that is kept.
const REMARK_CHARS_MAX: usize = 300;
/// Keys that mean something.
const KEYS: [&str; 5] = ["execution_id", "app", "change_id", "mode", "remark"];
/// Keys that the console adds by itself; they mean nothing here.
const IGNORED: [&str; 2] = ["Comment", "comment"];

/// What a person means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A run, by its name.
    Run(ExecutionId),
    /// One change of an application.
    Change(AppId, ChangeId),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What it is about.
    pub subject: Subject,
    /// Only say what would be done.
    pub only_look: bool,
    /// What the person adds, for the record.
    pub remark: String,
}

/// An order that is refused, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// Not an object.
    #[error(
        "the input must be an object such as {{\"execution_id\": \"…\"}} or {{\"app\": \"shop\", \"change_id\": \"…\"}}"
    )]
    NotAnObject,
    /// A key that means nothing.
    #[error("unknown key {key}: {hint}")]
    UnknownKey {
        /// The key, quoted.
        key: String,
        /// What was meant, or what there is.
        hint: String,
    },
    /// A value that can't be meant.
    #[error("\"{key}\" must be {expected}")]
    WrongValue {
        /// Its key.
        key: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// It does not say which, or says two.
    #[error(
        "the input must name either a run, {{\"execution_id\": \"…\"}}, or a change, {{\"app\": \"shop\", \"change_id\": \"…\"}}"
    )]
    NoSubject,
}

impl Order {
    /// Reads an order. A run may be named by its ARN as well.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, OrderError> {
        let Value::Object(fields) = value else { return Err(OrderError::NotAnObject) };
        for key in fields.keys() {
            let name = key.as_str();
            if !KEYS.contains(&name) && !IGNORED.contains(&name) {
                return Err(OrderError::UnknownKey { key: quoted(name), hint: hint(name, KEYS) });
            }
        }
        let run = text(fields, "execution_id", "the name or the ARN of an execution")?;
        let app = text(fields, "app", "the name of an application")?;
        let change = text(fields, "change_id", "the id of a change")?;
        let subject = match (run, app, change) {
            (Some(run), _, None) => Subject::Run(ExecutionId::from(run.rsplit(':').next().unwrap_or(&run))),
            (None, Some(app), Some(change)) => Subject::Change(AppId::new(app), ChangeId::new(change)),
            _ => return Err(OrderError::NoSubject),
        };
        let only_look = match fields.get("mode").map(|mode| serde_json::from_value::<Mode>(mode.clone())) {
            None => false,
            Some(Ok(Mode::Observe)) => true,
            Some(_) => return Err(OrderError::WrongValue { key: "mode", expected: "\"observe\", or left out" }),
        };
        let remark = match fields.get("remark") {
            None => String::new(),
            Some(Value::String(remark)) => bounded(remark),
            Some(_) => return Err(OrderError::WrongValue { key: "remark", expected: "a text" }),
        };
        Ok(Self { subject, only_look, remark })
    }
}

fn text(fields: &Map<String, Value>, key: &'static str, expected: &'static str) -> Result<Option<String>, OrderError> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX => {
            Ok(Some(text.trim().to_owned()))
        }
        Some(_) => Err(OrderError::WrongValue { key, expected }),
    }
}

fn bounded(remark: &str) -> String {
    remark.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REMARK_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(value: Value) -> String {
        Order::parse(&value).unwrap_err().to_string()
    }

    #[test]
    fn a_run_is_named_by_name_or_by_arn() {
        let expected = Order { subject: Subject::Run("run-1".into()), only_look: false, remark: String::new() };
        assert_eq!(Order::parse(&json!({"execution_id": "run-1", "Comment": "x"})), Ok(expected.clone()));
        let arn = "arn:aws:states:eu-west-1:123456789012:execution:m-health:run-1";
        assert_eq!(Order::parse(&json!({"execution_id": arn})), Ok(expected));
    }

    #[test]
    fn a_change_is_named_with_its_application() {
        let order = Order::parse(&json!({"app": "shop", "change_id": "c-1", "mode": "observe", "remark": "too\nmany"}));
        let subject = Subject::Change("shop".into(), "c-1".into());
        assert_eq!(order, Ok(Order { subject, only_look: true, remark: "too many".to_owned() }));
    }

    #[test]
    fn what_is_not_meant_is_refused_in_one_sentence() {
        assert!(refused(json!({"execution": "run-1"})).contains("did you mean \"execution_id\"?"));
        for vague in [json!({}), json!({"app": "shop"}), json!({"execution_id": "r", "app": "shop", "change_id": "c"})]
        {
            assert!(refused(vague.clone()).contains("either a run"), "{vague}");
        }
        assert!(refused(json!({"execution_id": 7})).contains("the name or the ARN"));
        assert!(refused(json!({"execution_id": " "})).contains("the name or the ARN"));
        assert!(refused(json!({"execution_id": "r", "mode": "auto"})).contains("observe"));
        assert!(refused(json!({"execution_id": "r", "remark": 1})).contains("a text"));
        assert!(refused(json!(["r"])).contains("an object"));
    }
}
