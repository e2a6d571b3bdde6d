//! The Amazon States Language, as far as the state machines of this project use it: what a state does with its input.
//!
//! Pure functions over the definition's JSON. Running a machine is its test's work: which function stands for which step differs.

use serde_json::{Value, json};

/// Where a state leads.
pub fn next(state: &Value) -> String {
    state["Next"].as_str().unwrap().to_owned()
}

/// A task that waits for a person.
pub fn is_question(state: &Value) -> bool {
    state["Resource"].as_str().is_some_and(|resource| resource.ends_with(".waitForTaskToken"))
}

/// The function that a task invokes: the name of its substitution.
pub fn function(state: &Value) -> String {
    state["Parameters"]["FunctionName"].as_str().unwrap().trim_matches(['$', '{', '}']).to_owned()
}

/// Whether a Retry or Catch is for this error. `States.TaskFailed` stands for every one but a time-out.
pub fn names(handler: &Value, error: &str) -> bool {
    let listed = handler["ErrorEquals"].as_array().unwrap();
    listed.iter().any(|name| name == error || (name == "States.TaskFailed" && error != "States.Timeout"))
}

/// The Retry or Catch handlers of a state.
pub fn handlers(state: &Value, key: &str) -> Vec<Value> {
    state[key].as_array().cloned().unwrap_or_default()
}

/// What a path like `$.a.b` finds; null where there is nothing.
pub fn at(input: &Value, path: &str) -> Value {
    let steps = path.trim_start_matches('$').split('.').filter(|step| !step.is_empty());
    steps.fold(input.clone(), |found, step| found[step].clone())
}

/// Where a Choice leads.
pub fn chosen(state: &Value, input: &Value) -> String {
    let fits = |choice: &&Value| {
        let wanted = choice.get("StringEquals").or_else(|| choice.get("BooleanEquals"));
        wanted == Some(&at(input, choice["Variable"].as_str().unwrap()))
    };
    let choice = state["Choices"].as_array().unwrap().iter().find(fits);
    choice.map_or_else(|| state["Default"].as_str().unwrap().to_owned(), next)
}

/// What a Pass hands on.
pub fn passed(state: &Value, mut input: Value) -> Value {
    if let Some(path) = state["InputPath"].as_str() {
        input = input[path.trim_start_matches("$.")].take();
    }
    if let Some(path) = state["ResultPath"].as_str() {
        input[path.trim_start_matches("$.")] = state["Result"].clone();
    }
    input
}

/// What a Catch hands on.
pub fn caught(catch: &Value, mut input: Value, error: &str, cause: &str) -> Value {
    input[catch["ResultPath"].as_str().unwrap().trim_start_matches("$.")] = json!({"Error": error, "Cause": cause});
    input
}

/// What a task finds in the context object.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// ARN of the execution.
    pub arn: &'a str,
    /// Name of the execution.
    pub name: &'a str,
    /// Task token.
    pub token: &'a str,
}

/// The payload of a Task: the input as a whole, or an object with parts of it and of the context.
pub fn payload(parameters: &Value, input: &Value, context: Context<'_>) -> Value {
    if parameters["Payload.$"] == "$" {
        return input.clone();
    }
    let filled = parameters["Payload"].as_object().unwrap().iter().map(|(key, value)| {
        let value = match (key.ends_with(".$"), value.as_str().unwrap_or_default()) {
            (false, _) => value.clone(),
            (true, "$") => input.clone(),
            (true, "$$.Execution.Id") => json!(context.arn),
            (true, "$$.Execution.Name") => json!(context.name),
            (true, "$$.Task.Token") => json!(context.token),
            (true, _) => json!("of the context"),
        };
        (key.trim_end_matches(".$").to_owned(), value)
    });
    Value::Object(filled.collect())
}
