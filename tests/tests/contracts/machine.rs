//! State machine definitions as a graph of states.

use crate::repository;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A state machine, or the part of one that a Map runs for each item.
pub struct Machine {
    /// File, and the Map state within it.
    pub name: String,
    /// Where it starts.
    pub start: String,
    /// Its states.
    pub states: BTreeMap<String, State>,
}

/// A state.
pub struct State {
    /// Its definition.
    pub json: Value,
}

/// A transition that a Choice makes for a word in `$.decision`.
pub struct Branch {
    /// The word.
    pub word: String,
    /// Where it leads.
    pub next: String,
}

impl Machine {
    /// Every definition in the repository, and every part of one that a Map runs.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for file in repository::names("infra/statemachines", ".asl.json") {
            let definition = repository::json(&format!("infra/statemachines/{file}"));
            let mut left = vec![(file, definition)];
            while let Some((name, definition)) = left.pop() {
                let machine = Self::read(&name, &definition);
                for (map, state) in machine.states.iter().filter(|(_, state)| state.kind() == "Map") {
                    left.push((format!("{name}, {map}"), state.json["ItemProcessor"].clone()));
                }
                all.push(machine);
            }
        }
        all
    }

    /// The health cycle.
    pub fn health() -> Self {
        Self::read("health.asl.json", &repository::json("infra/statemachines/health.asl.json"))
    }

    /// The cost cycle.
    pub fn cost() -> Self {
        Self::read("cost.asl.json", &repository::json("infra/statemachines/cost.asl.json"))
    }

    /// The performance cycle.
    pub fn performance() -> Self {
        Self::read("performance.asl.json", &repository::json("infra/statemachines/performance.asl.json"))
    }

    fn read(name: &str, definition: &Value) -> Self {
        let states = definition["States"].as_object().unwrap_or_else(|| panic!("{name} has no States"));
        Self {
            name: name.to_owned(),
            start: definition["StartAt"].as_str().unwrap().to_owned(),
            states: states.iter().map(|(name, json)| (name.clone(), State { json: json.clone() })).collect(),
        }
    }

    /// A state.
    pub fn state(&self, name: &str) -> &State {
        self.states.get(name).unwrap_or_else(|| panic!("{} has no state {name}", self.name))
    }

    /// States that can be reached from some, these included, without going through one that is closed.
    pub fn reachable<'a>(&'a self, from: impl IntoIterator<Item = &'a str>, closed: &[&str]) -> BTreeSet<&'a str> {
        let mut left: Vec<&str> = from.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = left.pop() {
            if !closed.contains(&name) && seen.insert(name) {
                left.extend(self.state(name).targets());
            }
        }
        seen
    }
}

impl State {
    /// Its type.
    pub fn kind(&self) -> &str {
        self.json["Type"].as_str().unwrap()
    }

    /// Where it can lead.
    pub fn targets(&self) -> Vec<&str> {
        let choices = self.items("Choices").map(|choice| &choice["Next"]);
        let catches = self.items("Catch").map(|catch| &catch["Next"]);
        let own = [self.json.get("Next"), self.json.get("Default")].into_iter().flatten();
        choices.chain(catches).chain(own).map(|next| next.as_str().unwrap()).collect()
    }

    /// The items of a list, none if there is no such list.
    pub fn items(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.json.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    /// Branches of a Choice over `$.decision`; none for any other state.
    pub fn branches(&self) -> Vec<Branch> {
        let on_decision = self.items("Choices").filter(|choice| choice["Variable"] == "$.decision");
        on_decision
            .map(|choice| Branch {
                word: choice["StringEquals"].as_str().expect("a decision is compared as a text").to_owned(),
                next: choice["Next"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    /// The function that a Task invokes: the name of its substitution.
    pub fn function(&self) -> Option<&str> {
        let name = self.json.pointer("/Parameters/FunctionName")?.as_str()?;
        Some(name.strip_prefix("${").and_then(|name| name.strip_suffix('}')).unwrap_or(name))
    }

    /// True for a task that ends when somebody answers.
    pub fn waits_for_a_person(&self) -> bool {
        self.json["Resource"].as_str().is_some_and(|resource| resource.ends_with(".waitForTaskToken"))
    }

    /// The intent with which it invokes a function that can do several things.
    pub fn intent(&self) -> Option<&str> {
        self.json.pointer("/Parameters/Payload/intent")?.as_str()
    }

    /// Error names of one Retry or Catch.
    pub fn errors(handler: &Value) -> Vec<&str> {
        handler["ErrorEquals"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }
}
